// Posterior sampling: chunks of chains over threads, and what the chains of an image say together.
#include "vaeguard/defences/posterior_sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/base/progress.h"
#include "vaeguard/defences/descent.h"
#include "vaeguard/defences/sampling_chunk.h"
#include "vaeguard/mcmc/diagnostics.h"
#include "vaeguard/mcmc/integrator.h"

namespace vaeguard::defences {
namespace {

// How many chains the field wants to see at once; 0 where it does not care.
std::int64_t preferred_chains(const ScalarField& energy) {
  const auto* trajectories = dynamic_cast<const mcmc::TrajectoryField*>(&energy);
  return trajectories == nullptr ? 0 : trajectories->preferred_chains();
}

// Mean of each `chains` rows.
Matrix mean_rows(Matrix matrix, std::int64_t chains) {
  if (chains == 1) {
    return matrix;
  }
  Matrix result(matrix.rows() / chains, matrix.columns());
  for (std::int64_t row = 0; row < matrix.rows(); ++row) {
    std::ranges::transform(result.row(row / chains), matrix.row(row), result.row(row / chains).begin(),
                           [&](float sum, float value) { return sum + value / static_cast<float>(chains); });
  }
  return result;
}

// The first of each `chains` rows.
Matrix first_rows(Matrix matrix, std::int64_t chains) {
  if (chains == 1) {
    return matrix;
  }
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < matrix.rows(); row += chains) {
    rows.push_back(row);
  }
  return matrix.gather(rows);
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

class PosteriorSampling : public Defence {
 public:
  explicit PosteriorSampling(const PosteriorSamplingOptions& options) : options_(options) { validate(options); }
  [[nodiscard]] std::string_view name() const override { return options_.name; }

  [[nodiscard]] Inference infer(const models::Vae& vae, const Matrix& images, std::span<const Key> keys, int threads,
                                Observer& observer) const override {
    check_keys("defences.posterior_sampling", images, keys);
    SamplingResults results = run_chains(vae, images, chain_keys(keys), threads, observer);
    Inference inference = joined(std::move(results.inference));
    if (!results.expected.empty()) {
      inference.reencoded = vae.encode(mean_rows(results.expected, options_.chains), threads).mean;
    }
    inference.chains = options_.chains;
    inference.exact = kernel_of(options_).exact;
    inference.gradients = mean_of(results.spent) * options_.chains;
    for (std::size_t i = 0; i < inference.snapshots.size(); ++i) {
      inference.snapshots[i].gradients = mean_of(results.spent_at[i]) * options_.chains;
    }
    diagnose(results, inference);
    inference.first_divergences = divergences_of_images(std::move(results.divergences));
    if (keeps_draws(vae)) {
      inference.draws = draws_of_images(results.monitor.every_coordinate() ? results.watched : results.kept);
    }
    return inference;
  }

 private:
  [[nodiscard]] std::vector<Key> chain_keys(std::span<const Key> keys) const {
    std::vector<Key> result;
    for (const Key& key : keys) {
      for (int chain = 0; chain < options_.chains; ++chain) {
        result.push_back(options_.chains == 1 ? key : key.fold("chain").fold(static_cast<std::uint64_t>(chain)));
      }
    }
    return result;
  }

  [[nodiscard]] bool keeps_draws(const models::Vae& vae) const {
    return options_.keep_draws == KeepDraws::always ||
           (options_.keep_draws == KeepDraws::of_small_codes && vae.latent_size() <= mcmc::kLargestSmallCode);
  }

  [[nodiscard]] SamplingResults empty_results(const models::Vae& vae, const PosteriorProblem& problem,
                                              std::int64_t rows) const {
    SamplingResults results{.monitor = mcmc::Monitor(vae.latent_size())};
    Inference& inference = results.inference;
    const auto n = static_cast<std::size_t>(rows);
    inference.draw = inference.mean = Matrix(rows, vae.latent_size());
    inference.variance = Matrix(rows / options_.chains, vae.latent_size());
    inference.mean_reconstruction = Matrix(rows, vae.image().size());
    for (auto* values : {&inference.acceptance, &inference.step_size, &inference.divergences, &inference.energy_drop}) {
      values->assign(n, 0.0);
    }
    if (problem.observation != nullptr) {
      results.expected = Matrix(rows, vae.image().size());
      inference.radius = problem.radii;
      inference.touched = problem.touched;
      inference.noise = problem.noise;
    }
    for (const int transition : snapshot_transitions(options_.warmup + options_.transitions)) {
      // The first draw that is decoded into the mean fixes from when on there is one.
      const std::int64_t rows_of_mean = transition >= options_.warmup + options_.thin ? rows : 0;
      inference.snapshots.push_back({0.0, Matrix(rows, vae.latent_size()), Matrix(rows_of_mean, vae.latent_size()),
                                     Matrix(rows_of_mean, vae.image().size())});
    }
    const auto draws = static_cast<std::size_t>(options_.transitions / options_.thin);
    results.watched.assign(draws, Matrix(rows, results.monitor.scalars()));
    if (keeps_draws(vae) && !results.monitor.every_coordinate()) {
      results.kept.assign(draws, Matrix(rows, vae.latent_size()));
    }
    results.divergences.resize(n);
    results.spent.assign(n, gradients_before_chain(options_));
    results.spent_at.assign(inference.snapshots.size(), std::vector<double>(n));
    results.total_energy.resize(n);
    results.transitions.resize(n);
    results.kept_count.resize(n);
    return results;
  }

  [[nodiscard]] SamplingResults run_chains(const models::Vae& vae, const Matrix& images, const std::vector<Key>& keys,
                                           int threads, Observer& observer) const {
    const std::int64_t rows = images.rows() * options_.chains;
    const PosteriorProblem problem =
        options_.observation.pose(vae, images, {.threads = threads, .copies = options_.chains});
    SamplingResults results = empty_results(vae, problem, rows);
    Progress progress(observer, options_.name, rows * (options_.warmup + options_.transitions));
    const std::function<void(std::int64_t)> tick = [&](std::int64_t chains) {
      progress.pause_for_interruption();
      progress.advance(chains);
    };
    const auto work = [&](std::int64_t first, std::int64_t count) {
      SamplingChunk(options_, vae, problem, first, count, keys, results, tick).run();
    };
    if (options_.stop.any()) {
      parallel_chunks(rows, options_.chains, threads, work);  // each image ends when it may
    } else if (const std::int64_t chains = preferred_chains(*problem.energy); chains > 0) {
      const std::int64_t whole = std::max<std::int64_t>(1, chains / options_.chains) * options_.chains;
      parallel_chunks(rows, whole, 1, work);  // the host's threads would only take turns at the device
    } else {
      // An image's chains stay together: what they learn is theirs.
      const std::int64_t images_at_once = std::max<std::int64_t>(1, kChainsPerChunk / options_.chains);
      parallel_chunks(rows, options_.chains * row_chunk(rows / options_.chains, images_at_once, threads), threads,
                      work);
    }
    return results;
  }

  // The rows of each image's chains as one.
  [[nodiscard]] Inference joined(Inference inference) const {
    const std::int64_t chains = options_.chains;
    const auto first = [&](Matrix& matrix) { matrix = first_rows(std::move(matrix), chains); };
    const auto mean = [&](Matrix& matrix) { matrix = mean_rows(std::move(matrix), chains); };
    first(inference.draw);
    mean(inference.mean);
    mean(inference.mean_reconstruction);
    for (Snapshot& snapshot : inference.snapshots) {
      first(snapshot.latent);
      mean(snapshot.mean);
      mean(snapshot.mean_reconstruction);
    }
    const auto join = [&](std::vector<double>& values, bool sum) {
      const auto group = static_cast<std::size_t>(chains);
      for (std::size_t image = 0; image * group < values.size(); ++image) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(image * group);
        const double all = std::accumulate(begin, begin + chains, 0.0);
        values[image] = sum ? all : all / static_cast<double>(group);
      }
      values.resize(values.size() / group);
    };
    for (auto* values : {&inference.acceptance, &inference.step_size, &inference.energy_drop, &inference.radius,
                         &inference.touched, &inference.noise}) {
      join(*values, false);
    }
    join(inference.divergences, true);
    return inference;
  }

  void diagnose(const SamplingResults& results, Inference& inference) const {
    const std::int64_t chains = options_.chains;
    const auto sum = [&](const std::vector<double>& values, std::int64_t row) {
      return std::accumulate(values.begin() + row, values.begin() + row + chains, 0.0);
    };
    for (std::int64_t row = 0; row < std::ssize(results.spent); row += chains) {
      const std::int64_t kept = results.kept_count[static_cast<std::size_t>(row)];
      inference.spent.push_back(sum(results.spent, row));
      inference.transitions.push_back(sum(results.transitions, row));
      inference.kept.push_back(static_cast<double>(kept * chains));
      if (std::ssize(results.watched) < mcmc::kFewestDraws) {
        continue;
      }
      const auto energies =
          std::span(results.total_energy).subspan(static_cast<std::size_t>(row), static_cast<std::size_t>(chains));
      const auto d =
          mcmc::diagnose(std::span(results.watched).first(static_cast<std::size_t>(kept)), row, chains, energies);
      inference.rhat.push_back(d.rhat);
      inference.bulk_ess.push_back(d.bulk_ess);
      inference.tail_ess.push_back(d.tail_ess);
      inference.relative_mcse.push_back(d.relative_mcse);
      inference.e_bfmi.push_back(d.e_bfmi);
    }
  }

  // Each image's, with its own count of chains.
  [[nodiscard]] std::vector<std::vector<mcmc::Divergence>> divergences_of_images(
      std::vector<std::vector<mcmc::Divergence>> of_chains) const {
    std::vector<std::vector<mcmc::Divergence>> result(of_chains.size() / static_cast<std::size_t>(options_.chains));
    for (std::int64_t row = 0; row < std::ssize(of_chains); ++row) {
      for (mcmc::Divergence& divergence : of_chains[static_cast<std::size_t>(row)]) {
        divergence.chain = row % options_.chains;
        result[static_cast<std::size_t>(row / options_.chains)].push_back(std::move(divergence));
      }
    }
    return result;
  }

  [[nodiscard]] Matrix draws_of_images(const std::vector<Matrix>& kept) const {
    const std::int64_t rows = kept.front().rows();
    const std::int64_t dimension = kept.front().columns();
    const auto draws = static_cast<std::int64_t>(kept.size());
    Matrix result(rows / options_.chains, draws * options_.chains * dimension);
    float* to = result.data();
    for (std::int64_t row = 0; row < rows; ++row) {
      for (const Matrix& draw : kept) {
        to = std::ranges::copy(draw.row(row), to).out;
      }
    }
    return result;
  }

  PosteriorSamplingOptions options_;
};

}  // namespace

std::unique_ptr<Defence> make_posterior_sampling(const PosteriorSamplingOptions& options) {
  return std::make_unique<PosteriorSampling>(options);
}

}  // namespace vaeguard::defences
