// Posterior sampling in chunks of chains, one chunk a thread.
#include "vaeguard/defences/posterior_sampling.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/defences/descent.h"
#include "vaeguard/mcmc/hmc.h"
#include "vaeguard/mcmc/integrator.h"
#include "vaeguard/mcmc/warmup.h"

namespace vaeguard::defences {
namespace {

// Transitions after which a snapshot is taken: 0, 1, 2, 5, 10, 20, 50, ... and the last.
std::vector<int> snapshot_transitions(int total) {
  std::vector<int> result{0};
  for (int decade = 1; decade <= total; decade *= 10) {
    for (const int step : {1, 2, 5}) {
      if (decade * step < total) {
        result.push_back(decade * step);
      }
    }
  }
  result.push_back(total);
  return result;
}

double gradients_of_start(const PosteriorSamplingOptions& options) {
  return 1.0 + (options.start == Start::map || options.start == Start::lowest ? options.start_gradients : 0);
}

// How many chains the field wants to see at once; 0 where it does not care.
std::int64_t preferred_chains(const ScalarField& energy) {
  const auto* trajectories = dynamic_cast<const mcmc::TrajectoryField*>(&energy);
  return trajectories == nullptr ? 0 : trajectories->preferred_chains();
}

class PosteriorSampling : public Defence {
 public:
  explicit PosteriorSampling(const PosteriorSamplingOptions& options)
      : options_(options), snapshots_(snapshot_transitions(options.warmup + options.transitions)) {
    validate(options);
  }
  [[nodiscard]] std::string_view name() const override { return options_.name; }
  [[nodiscard]] Inference infer(const models::Vae& vae, const Matrix& images, std::span<const Key> keys, int threads,
                                Observer& observer) const override;

 private:
  class Chunk;
  PosteriorSamplingOptions options_;
  std::vector<int> snapshots_;
};

// The chains of images first .. first + count, and the rows of the inference that they fill.
class PosteriorSampling::Chunk {
 public:
  Chunk(const PosteriorSampling& defence, const models::Vae& vae, const Problem& problem, std::int64_t first,
        std::int64_t count, std::span<const Key> keys, Inference& result, const std::function<void(std::int64_t)>& tick)
      : options_(defence.options_),
        snapshot_at_(defence.snapshots_),
        vae_(vae),
        problem_(problem),
        target_{*problem.energy, first},
        first_(first),
        count_(count),
        encoding_(vae.encode(problem.images.slice(first, count))),
        keys_(keys.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count))),
        result_(result),
        tick_(tick) {}

  void run() {
    const mcmc::Hmc kernel({.leapfrog_steps = options_.leapfrog_steps, .jitter = options_.jitter});
    mcmc::State state = mcmc::make_state(target_, start());
    start_energy_ = state.energy;
    take_snapshot(state);
    if (options_.adaptation == Adaptation::published) {
      run_published(kernel, std::move(state));
    } else {
      run_tuned(kernel, std::move(state));
    }
    finish();
  }

 private:
  std::vector<Key> fold_keys(std::string_view purpose) const {
    std::vector<Key> result;
    for (const Key& key : keys_) {
      result.push_back(key.fold(purpose));
    }
    return result;
  }

  Matrix start() const {
    switch (options_.start) {
      case Start::draw:
        return models::sample(encoding_, fold_keys("start"));
      case Start::mean:
        return encoding_.mean;
      case Start::prior:
        return Matrix(count_, vae_.latent_size());
      case Start::map:
        return descended();
      case Start::lowest:
        break;
    }
    Matrix best = descended();
    auto lowest = energies_at(best);
    for (const Matrix& other :
         {encoding_.mean, models::sample(encoding_, fold_keys("start")), Matrix(count_, vae_.latent_size())}) {
      const auto energy = energies_at(other);
      for (std::int64_t b = 0; b < count_; ++b) {
        if (const auto i = static_cast<std::size_t>(b); energy[i] < lowest[i]) {
          lowest[i] = energy[i];
          std::ranges::copy(other.row(b), best.row(b).begin());
        }
      }
    }
    return best;
  }

  Matrix descended() const {
    Matrix points = encoding_.mean;
    descend_adam(target_.field, first_, {.gradients = options_.start_gradients}, points);
    return points;
  }

  std::vector<double> energies_at(const Matrix& points) const {
    std::vector<double> energies(static_cast<std::size_t>(count_));
    target_.field.evaluate(first_, points, energies, nullptr);
    return energies;
  }

  mcmc::Metric metric() const {
    mcmc::Metric metric = mcmc::identity_metric(count_, vae_.latent_size());
    if (options_.metric == MetricChoice::encoder) {
      std::ranges::transform(encoding_.log_variance.values(), metric.inverse_mass.data(),
                             [](float log_variance) { return std::exp(log_variance); });
    }
    return metric;
  }

  void run_tuned(const mcmc::Hmc& kernel, mcmc::State state) {
    mcmc::WarmupOptions warmup;
    warmup.transitions = options_.warmup;
    warmup.step_size = {.initial_step_size = options_.step_size, .target = options_.target_acceptance};
    mcmc::Tuned tuned =
        mcmc::warm_up(kernel, fold_keys("warm-up"), target_, metric(), std::move(state), warmup,
                      [&](int, const mcmc::State& now, const mcmc::Info& info) { after_transition(now, info, false); });
    write_rows(tuned.parameters.step_size, result_.step_size);
    mcmc::sample(kernel, fold_keys("sample"), target_, std::move(tuned), options_.transitions,
                 [&](int, const mcmc::State& now, const mcmc::Info& info) { after_transition(now, info, true); });
  }

  void run_published(const mcmc::Hmc& kernel, mcmc::State state) {
    mcmc::Parameters parameters{std::vector<double>(static_cast<std::size_t>(count_), options_.step_size), metric()};
    mcmc::sample_published(kernel, fold_keys("sample"), target_, std::move(parameters), std::move(state),
                           options_.warmup + options_.transitions, options_.target_acceptance,
                           [&](int t, const mcmc::State& now, const mcmc::Info& info, const mcmc::Parameters& next) {
                             after_transition(now, info, t >= options_.warmup);
                             write_rows(next.step_size, result_.step_size);
                           });
  }

  void after_transition(const mcmc::State& state, const mcmc::Info& info, bool counted) {
    ++transition_;
    for (std::int64_t b = 0; b < count_; ++b) {
      const auto from = static_cast<std::size_t>(b);
      const auto to = static_cast<std::size_t>(first_ + b);
      result_.divergences[to] += info.divergent[from] != 0 ? 1.0 : 0.0;
      result_.acceptance[to] += counted ? info.acceptance[from] / options_.transitions : 0.0;
      result_.energy_drop[to] = start_energy_[from] - state.energy[from];
    }
    if (counted) {
      add_draw(state);
    }
    take_snapshot(state);
    result_.draw.assign(first_, state.position);
    tick_(count_);
  }

  void add_draw(const mcmc::State& state) {
    add(state.position, mean_);
    if (++draws_ % options_.thin == 0) {
      add(vae_.decode(state.position), mean_reconstruction_);
      if (problem_.observation != nullptr) {
        add(expected_images(vae_, *problem_.observation, first_, state.position), expected_image_);
      }
      for (std::int64_t b = 0; b < count_; ++b) {
        std::ranges::copy(state.position.row(b), result_.draws.row(first_ + b).begin() + decoded_ * vae_.latent_size());
      }
      ++decoded_;
    }
  }

  static void add(const Matrix& values, Matrix& sum) {
    if (sum.empty()) {
      sum = Matrix(values.rows(), values.columns());
    }
    std::ranges::transform(sum.values(), values.values(), sum.data(), std::plus<>{});
  }

  static Matrix divided(Matrix sum, int count) {
    std::ranges::for_each(sum.flat(), [&](float& value) { value /= static_cast<float>(count); });
    return sum;
  }

  void take_snapshot(const mcmc::State& state) {
    const auto at = std::ranges::find(snapshot_at_, transition_);
    if (at == snapshot_at_.end()) {
      return;
    }
    Snapshot& snapshot = result_.snapshots[static_cast<std::size_t>(at - snapshot_at_.begin())];
    snapshot.latent.assign(first_, state.position);
    if (decoded_ > 0 && !snapshot.mean_reconstruction.empty()) {
      snapshot.mean.assign(first_, divided(mean_, draws_));
      snapshot.mean_reconstruction.assign(first_, divided(mean_reconstruction_, decoded_));
    }
  }

  void finish() {
    result_.mean.assign(first_, divided(mean_, draws_));
    result_.mean_reconstruction.assign(first_, divided(mean_reconstruction_, decoded_));
    if (problem_.observation != nullptr) {
      result_.reencoded.assign(first_, vae_.encode(divided(expected_image_, decoded_)).mean);
    }
  }

  void write_rows(const std::vector<double>& values, std::vector<double>& to) const {
    std::ranges::copy(values, to.begin() + first_);
  }

  const PosteriorSamplingOptions& options_;
  const std::vector<int>& snapshot_at_;
  const models::Vae& vae_;
  const Problem& problem_;
  mcmc::Target target_;
  std::int64_t first_;
  std::int64_t count_;
  models::Encoding encoding_;
  std::span<const Key> keys_;
  Inference& result_;
  const std::function<void(std::int64_t)>& tick_;
  std::vector<double> start_energy_;
  int transition_ = 0;
  int draws_ = 0;
  int decoded_ = 0;
  Matrix mean_;
  Matrix mean_reconstruction_;
  Matrix expected_image_;  // sum over the kept draws
};

Inference PosteriorSampling::infer(const models::Vae& vae, const Matrix& images, std::span<const Key> keys, int threads,
                                   Observer& observer) const {
  const std::int64_t rows = images.rows();
  check_keys("defences.posterior_sampling", images, keys);
  const Problem problem = read_images(vae, images, options_.reading, threads);
  Inference result;
  result.draw = Matrix(rows, vae.latent_size());
  result.mean = Matrix(rows, vae.latent_size());
  result.mean_reconstruction = Matrix(rows, vae.image().size());
  result.draws = Matrix(rows, options_.transitions / options_.thin * vae.latent_size());
  if (problem.observation != nullptr) {
    result.reencoded = Matrix(rows, vae.latent_size());
    result.radius = problem.radii;
  }
  result.gradients = gradients_per_image(options_);
  for (auto* values : {&result.acceptance, &result.step_size, &result.divergences, &result.energy_drop}) {
    values->assign(static_cast<std::size_t>(rows), 0.0);
  }
  for (const int transition : snapshots_) {
    // The first draw that is decoded into the mean fixes from when on there is one.
    const bool has_mean = transition >= options_.warmup + options_.thin;
    const std::int64_t rows_of_mean = has_mean ? rows : 0;
    result.snapshots.push_back(
        {gradients_of_start(options_) + static_cast<double>(transition) * options_.leapfrog_steps,
         Matrix(rows, vae.latent_size()), Matrix(rows_of_mean, vae.latent_size()),
         Matrix(rows_of_mean, vae.image().size())});
  }
  const std::int64_t total = rows * (options_.warmup + options_.transitions);
  std::int64_t done = 0;
  std::mutex mutex;
  const std::function<void(std::int64_t)> tick = [&](std::int64_t chains) {
    if (observer.interrupted()) {
      throw Interrupted{};
    }
    const std::scoped_lock lock(mutex);
    observer.progress(options_.name, done += chains, total, "");
  };
  const auto work = [&](std::int64_t first, std::int64_t count) {
    Chunk(*this, vae, problem, first, count, keys, result, tick).run();
  };
  if (const std::int64_t chains = preferred_chains(*problem.energy); chains > 0) {
    parallel_chunks(rows, chains, 1, work);  // the host's threads would only take turns at the device
  } else {
    parallel_chunks(rows, row_chunk(rows, kChainsPerChunk, threads), threads, work);
  }
  return result;
}

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

void validate(const PosteriorSamplingOptions& options) {
  const auto at_least = [](std::string_view option, int value, int least) {
    if (value < least) {
      misuse("defences.posterior_sampling", "{} must be at least {}, got {}", option, least, value);
    }
  };
  at_least("warmup", options.warmup, 0);
  at_least("transitions", options.transitions, 1);
  at_least("leapfrog_steps", options.leapfrog_steps, 1);
  at_least("thin", options.thin, 1);
  at_least("start_gradients", options.start_gradients, 1);
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
  if (!(options.jitter >= 0.0 && options.jitter < 1.0)) {
    misuse("defences.posterior_sampling", "jitter must be in [0, 1), got {}", options.jitter);
  }
}

double gradients_per_image(const PosteriorSamplingOptions& options) {
  // The state keeps its energy and gradient, so a transition costs its leapfrog steps and no more.
  return gradients_of_start(options) +
         static_cast<double>(options.warmup + options.transitions) * options.leapfrog_steps;
}

std::unique_ptr<Defence> make_posterior_sampling(const PosteriorSamplingOptions& options) {
  return std::make_unique<PosteriorSampling>(options);
}

}  // namespace vaeguard::defences
