// Posterior sampling: chains in chunks, one chunk a thread, and what an image's chains say together.
#include "vaeguard/defences/posterior_sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <type_traits>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/base/progress.h"
#include "vaeguard/defences/chosen_kernel.h"
#include "vaeguard/defences/descent.h"
#include "vaeguard/defences/sampling_chunk.h"
#include "vaeguard/mcmc/diagnostics.h"
#include "vaeguard/mcmc/integrator.h"

namespace vaeguard::defences {
namespace {

bool descends(Start start) { return start == Start::map || start == Start::lowest; }

double gradients_of_start(const PosteriorSamplingOptions& options) {
  return 1.0 + (descends(options.start) ? gradients_from_several(options.start_gradients, options.starts) : 0);
}

// How many chains the field wants to see at once; 0 where it does not care.
std::int64_t preferred_chains(const ScalarField& energy) {
  const auto* trajectories = dynamic_cast<const mcmc::TrajectoryField*>(&energy);
  return trajectories == nullptr ? 0 : trajectories->preferred_chains();
}

// Mean of each `chains` rows.
Matrix mean_rows(const Matrix& matrix, std::int64_t chains) {
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
Matrix first_rows(const Matrix& matrix, std::int64_t chains) {
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
    inference.exact =
        with_kernel(options_, [](const auto& kernel) { return std::remove_cvref_t<decltype(kernel)>::exact; });
    inference.gradients = mean_of(results.spent) * options_.chains;
    for (std::size_t i = 0; i < inference.snapshots.size(); ++i) {
      inference.snapshots[i].gradients = mean_of(results.spent_at[i]) * options_.chains;
    }
    diagnose(results, inference);
    inference.draws = draws_of_images(results.kept);
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

  [[nodiscard]] SamplingResults empty_results(const models::Vae& vae, const Problem& problem, std::int64_t rows) const {
    SamplingResults results;
    Inference& inference = results.inference;
    const auto n = static_cast<std::size_t>(rows);
    inference.draw = inference.mean = Matrix(rows, vae.latent_size());
    inference.mean_reconstruction = Matrix(rows, vae.image().size());
    for (auto* values : {&inference.acceptance, &inference.step_size, &inference.divergences, &inference.energy_drop}) {
      values->assign(n, 0.0);
    }
    if (problem.observation != nullptr) {
      results.expected = Matrix(rows, vae.image().size());
      inference.radius = problem.radii;
      inference.touched = problem.touched;
    }
    for (const int transition : snapshot_transitions(options_.warmup + options_.transitions)) {
      // The first draw that is decoded into the mean fixes from when on there is one.
      const std::int64_t rows_of_mean = transition >= options_.warmup + options_.thin ? rows : 0;
      inference.snapshots.push_back({0.0, Matrix(rows, vae.latent_size()), Matrix(rows_of_mean, vae.latent_size()),
                                     Matrix(rows_of_mean, vae.image().size())});
    }
    results.kept.assign(static_cast<std::size_t>(options_.transitions / options_.thin),
                        Matrix(rows, vae.latent_size()));
    results.spent.assign(n, gradients_of_start(options_));
    results.spent_at.assign(inference.snapshots.size(), std::vector<double>(n));
    results.total_energy.resize(n);
    results.transitions.resize(n);
    results.kept_count.resize(n);
    return results;
  }

  [[nodiscard]] SamplingResults run_chains(const models::Vae& vae, const Matrix& images, const std::vector<Key>& keys,
                                           int threads, Observer& observer) const {
    const std::int64_t rows = images.rows() * options_.chains;
    const Problem problem = read_images(vae, images, options_.reading, threads, options_.chains);
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
    inference.draw = first_rows(inference.draw, chains);
    inference.mean = mean_rows(inference.mean, chains);
    inference.mean_reconstruction = mean_rows(inference.mean_reconstruction, chains);
    for (Snapshot& snapshot : inference.snapshots) {
      snapshot.latent = first_rows(snapshot.latent, chains);
      snapshot.mean = mean_rows(snapshot.mean, chains);
      snapshot.mean_reconstruction = mean_rows(snapshot.mean_reconstruction, chains);
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
    for (auto* values :
         {&inference.acceptance, &inference.step_size, &inference.energy_drop, &inference.radius, &inference.touched}) {
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
      if (std::ssize(results.kept) < mcmc::kFewestDraws) {
        continue;
      }
      const auto at = results.total_energy.begin() + row;
      const auto d = mcmc::diagnose(std::span(results.kept).first(static_cast<std::size_t>(kept)), row, chains,
                                    {.total_energy = {at, at + chains}});
      inference.rhat.push_back(d.rhat);
      inference.bulk_ess.push_back(d.bulk_ess);
      inference.tail_ess.push_back(d.tail_ess);
      inference.relative_mcse.push_back(d.relative_mcse);
      inference.e_bfmi.push_back(d.e_bfmi);
    }
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

PosteriorSamplingOptions published_hmc() {
  return {.name = "hmc_published",
          .reading = {},
          .start = Start::draw,
          .metric = MetricChoice::identity,
          .adaptation = Adaptation::published,
          .warmup = 250,
          .transitions = 500,
          .leapfrog_steps = 20,
          .step_size = 0.1,
          .target_acceptance = 0.9,
          .jitter = 0.0,
          .thin = 10};
}

PosteriorSamplingOptions default_hmc() { return {}; }

PosteriorSamplingOptions short_hmc() {
  PosteriorSamplingOptions options;
  options.name = "hmc_short";
  options.start = Start::map;
  options.start_gradients = 24;
  options.warmup = 5;
  options.transitions = 17;
  options.leapfrog_steps = 5;
  return options;
}

PosteriorSamplingOptions multistart_hmc() {
  PosteriorSamplingOptions options = short_hmc();
  options.name = "hmc_multistart";
  options.start_gradients = 30;
  options.starts = 16;
  return options;
}

PosteriorSamplingOptions default_sampling(KernelChoice kernel) {
  PosteriorSamplingOptions options = default_hmc();
  options.kernel = kernel;
  const auto single_steps = [&](const char* name, double acceptance) {
    options.name = name;
    options.leapfrog_steps = 1;
    options.warmup = 240;
    options.transitions = 480;
    options.thin = 12;
    options.target_acceptance = acceptance;
  };
  switch (kernel) {
    case KernelChoice::hmc:
      break;
    case KernelChoice::generalised_hmc:
      single_steps("generalised_hmc", 0.95);  // a rejection turns the chain round
      break;
    case KernelChoice::mala:
      single_steps("mala", mcmc::Mala::target_acceptance);
      break;
    case KernelChoice::dynamic:
      options.name = "dynamic";
      options.leapfrog_steps = 24;
      break;
    case KernelChoice::langevin:
      single_steps("langevin", 0.9);  // that a Metropolis step would have: the smaller the step, the smaller the bias
      break;
  }
  return options;
}

void validate(const PosteriorSamplingOptions& options) {
  const auto at_least = [](std::string_view option, int value, int least) {
    if (value < least) {
      misuse("defences.posterior_sampling", "{} must be at least {}, got {}", option, least, value);
    }
  };
  at_least("warmup", options.warmup, 0);
  at_least("transitions", options.transitions, 1);
  at_least("chains", options.chains, 1);
  at_least("first_step_trials", options.first_step_trials, 0);
  at_least("leapfrog_steps", options.leapfrog_steps, 1);
  at_least("thin", options.thin, 1);
  at_least("start_gradients", options.start_gradients, 1);
  at_least("starts", options.starts, 1);
  if (options.starts > 1 && !descends(options.start)) {
    misuse("defences.posterior_sampling", "starts = {} needs the start map or lowest: the others are one code",
           options.starts);
  }
  validate(options.reading);
  if (options.thin > options.transitions) {
    misuse("defences.posterior_sampling", "thin must be at most transitions = {}, got {}", options.transitions,
           options.thin);
  }
  if (!std::isfinite(options.step_size) || options.step_size <= 0.0) {
    misuse("defences.posterior_sampling", "step_size must be finite and > 0, got {}", options.step_size);
  }
  if (!(options.target_acceptance > 0.0 && options.target_acceptance < 1.0)) {
    misuse("defences.posterior_sampling", "target_acceptance must be in (0, 1), got {}", options.target_acceptance);
  }
  if (!(options.persistence >= 0.0 && options.persistence < 1.0)) {
    misuse("defences.posterior_sampling", "persistence must be in [0, 1), got {}", options.persistence);
  }
  for (const auto& [option, value] : {std::pair("stop_gradients", options.stop.gradients),
                                      {"stop_milliseconds", options.stop.milliseconds},
                                      {"stop_error", options.stop.error}}) {
    if (!std::isfinite(value) || value < 0.0) {
      misuse("defences.posterior_sampling", "{} must be at least 0, 0 for no limit, got {}", option, value);
    }
  }
  if (options.stop.any() && options.adaptation == Adaptation::published) {
    misuse("defences.posterior_sampling", "the published loop runs to its end; a stop needs dual averaging");
  }
  if (!(options.jitter >= 0.0 && options.jitter < 1.0)) {
    misuse("defences.posterior_sampling", "jitter must be in [0, 1), got {}", options.jitter);
  }
}

int gradients_per_transition(const PosteriorSamplingOptions& options) {
  return with_kernel(options, [](const auto& kernel) { return kernel.gradients_per_step(); });
}

double gradients_per_image(const PosteriorSamplingOptions& options) {
  // The state keeps its energy and gradient, so a transition costs its leapfrog steps and no more.
  const double transitions = options.warmup + options.transitions;
  const double learning = options.first_step_trials + (options.learn_length ? 2.0 * options.leapfrog_steps - 1.0 : 0.0);
  return options.chains * (gradients_of_start(options) + learning + transitions * gradients_per_transition(options));
}

std::unique_ptr<Defence> make_posterior_sampling(const PosteriorSamplingOptions& options) {
  return std::make_unique<PosteriorSampling>(options);
}

}  // namespace vaeguard::defences
