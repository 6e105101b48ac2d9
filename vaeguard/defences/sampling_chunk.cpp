// One chunk of chains: start, warm-up, draws, and what is kept of them.
#include "vaeguard/defences/sampling_chunk.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "vaeguard/defences/descent.h"
#include "vaeguard/mcmc/diagnostics.h"
#include "vaeguard/mcmc/warmup.h"

namespace vaeguard::defences {
namespace {

void add(const Matrix& values, Matrix& sum) {
  if (sum.empty()) {
    sum = Matrix(values.rows(), values.columns());
  }
  std::ranges::transform(sum.values(), values.values(), sum.data(), std::plus<>{});
}

Matrix divided(Matrix sum, std::size_t count) {
  std::ranges::for_each(sum.flat(), [&](float& value) { value /= static_cast<float>(count); });
  return sum;
}

}  // namespace

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

SamplingChunk::SamplingChunk(const PosteriorSamplingOptions& options, const models::Vae& vae,
                             const PosteriorProblem& problem, std::int64_t first, std::int64_t count,
                             std::span<const Key> keys, SamplingResults& results,
                             const std::function<void(std::int64_t)>& tick)
    : options_(options),
      kernel_(kernel_of(options)),
      snapshot_at_(snapshot_transitions(options.warmup + options.transitions)),
      vae_(vae),
      problem_(problem),
      target_{*problem.energy, consecutive(first, count)},
      first_(first),
      count_(count),
      encoding_(vae.encode(MatrixView(problem.images).slice(first, count))),
      keys_(keys.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count))),
      results_(results),
      tick_(tick) {}

void SamplingChunk::run() {
  mcmc::State state = mcmc::make_state(target_, start());
  start_energy_ = state.energy;
  take_snapshot(state);
  if (options_.adaptation == Adaptation::published) {
    run_published(std::move(state));
  } else {
    run_tuned(std::move(state));
  }
  finish();
}

Matrix SamplingChunk::start() const {
  switch (options_.start) {
    case Start::draw:
      return draw_of_encoding();
    case Start::mean:
      return encoding_.mean;
    case Start::prior:
      return prior_centre();
    case Start::map:
      return descended();
    case Start::lowest:
      break;
  }
  return lowest_start();
}

Matrix SamplingChunk::draw_of_encoding() const {
  return vae_.sample(problem_.images.slice(first_, count_), encoding_, mcmc::fold_all(keys_, "start"));
}

Matrix SamplingChunk::lowest_start() const {
  Matrix best = descended();
  auto lowest = energies_at(best);
  for (const Matrix& other : {encoding_.mean, draw_of_encoding(), prior_centre()}) {
    keep_lowest(target_.field, target_.functions, other, best, lowest);
  }
  return best;
}

Matrix SamplingChunk::prior_centre() const { return vae_.generative().draw(Matrix(count_, vae_.latent_size())); }

Matrix SamplingChunk::descended() const {
  Matrix points = encoding_.mean;
  descend_adam_from_several(target_.field, target_.functions, {.gradients = options_.start_gradients}, options_.starts,
                            keys_, points);
  return points;
}

std::vector<double> SamplingChunk::energies_at(const Matrix& points) const {
  std::vector<double> energies(static_cast<std::size_t>(count_));
  target_.field.evaluate(target_.functions, points, energies, nullptr);
  return energies;
}

mcmc::Metric SamplingChunk::metric() const {
  mcmc::Metric metric = mcmc::identity_metric(count_, vae_.latent_size());
  if (options_.metric != MetricChoice::identity) {
    metric.inverse_mass = vae_.recognition().variances(encoding_);
  }
  return metric;
}

void SamplingChunk::run_tuned(mcmc::State state) {
  mcmc::WarmupOptions warmup;
  warmup.transitions = options_.warmup;
  warmup.step_size = {.initial_step_size = options_.step_size, .target = options_.target_acceptance};
  warmup.first_step_trials = options_.first_step_trials;
  warmup.learn_metric = options_.metric == MetricChoice::learned;
  warmup.group = options_.chains;
  const auto own =
      std::span(results_.spent).subspan(static_cast<std::size_t>(first_), static_cast<std::size_t>(count_));
  const std::vector<double> before(own.begin(), own.end());
  const auto keys = mcmc::fold_all(keys_, "warm-up");
  const auto visit = [&](int, const mcmc::State& now, const mcmc::Info& info) { after_transition(now, info, false); };
  mcmc::Tuned tuned = mcmc::warm_up(kernel_, keys, target_, metric(), std::move(state), warmup, visit);
  if (options_.learn_length) {
    tuned = mcmc::learn_lengths(keys, target_, std::move(tuned),
                                {.max_steps = options_.leapfrog_steps, .group = options_.chains}, visit);
  }
  // Trials of first steps do not count as transitions.
  for (std::size_t b = 0; b < keys.size(); ++b) {
    own[b] = before[b] + static_cast<double>(tuned.gradients[b]);
  }
  write_rows(tuned.parameters.step_size, results_.inference.step_size);
  mcmc::sample_until(kernel_, mcmc::fold_all(keys_, "sample"), target_, std::move(tuned), options_.transitions,
                     [&](int, const mcmc::State& now, const mcmc::Info& info) {
                       after_transition(now, info, true);
                       return ended();
                     });
}

void SamplingChunk::run_published(mcmc::State state) {
  mcmc::Parameters parameters{std::vector<double>(static_cast<std::size_t>(count_), options_.step_size), metric()};
  mcmc::sample_published(kernel_, mcmc::fold_all(keys_, "sample"), target_, std::move(parameters), std::move(state),
                         options_.warmup + options_.transitions, options_.target_acceptance,
                         [&](int t, const mcmc::State& now, const mcmc::Info& info, const mcmc::Parameters& next) {
                           after_transition(now, info, t >= options_.warmup);
                           write_rows(next.step_size, results_.inference.step_size);
                         });
}

void SamplingChunk::after_transition(const mcmc::State& state, const mcmc::Info& info, bool counted) {
  ++transition_;
  Inference& inference = results_.inference;
  for (std::int64_t b = 0; b < count_; ++b) {
    const auto from = static_cast<std::size_t>(b);
    const auto to = static_cast<std::size_t>(first_ + b);
    inference.divergences[to] += info.divergent[from] != 0 ? 1.0 : 0.0;
    inference.energy_drop[to] = start_energy_[from] - state.energy[from];
    results_.spent[to] += info.gradients[from];
    if (counted) {
      inference.acceptance[to] += info.acceptance[from];
      results_.total_energy[to].push_back(info.total_energy[from]);
    }
  }
  keep_divergences(info);
  if (counted) {
    add_draw(state);
  }
  take_snapshot(state);
  inference.draw.assign(first_, state.position);
  tick_(count_);
}

void SamplingChunk::keep_divergences(const mcmc::Info& info) {
  for (const mcmc::Divergence& divergence : info.divergences) {
    auto& of_chain = results_.divergences[static_cast<std::size_t>(first_ + divergence.chain)];
    if (std::ssize(of_chain) < options_.keep_divergences) {
      of_chain.push_back(divergence);
      of_chain.back().transition = transition_;
    }
  }
}

void SamplingChunk::add_draw(const mcmc::State& state) {
  moments_.add(state.position);
  if (moments_.draws() % options_.thin == 0) {
    add(vae_.decode(state.position), mean_reconstruction_);
    if (problem_.observation != nullptr) {
      add(expected_images(vae_, *problem_.observation, first_, state.position), expected_);
    }
    results_.watched[decoded_].assign(first_, results_.monitor.watch(state));
    if (!results_.kept.empty()) {
      results_.kept[decoded_].assign(first_, state.position);
    }
    ++decoded_;
  }
}

void SamplingChunk::take_snapshot(const mcmc::State& state) {
  const auto at = std::ranges::find(snapshot_at_, transition_);
  if (at == snapshot_at_.end()) {
    return;
  }
  fill_snapshot(static_cast<std::size_t>(at - snapshot_at_.begin()), state.position);
}

void SamplingChunk::fill_snapshot(std::size_t index, const Matrix& latent) {
  Snapshot& snapshot = results_.inference.snapshots[index];
  snapshot.latent.assign(first_, latent);
  std::copy_n(results_.spent.begin() + first_, count_, results_.spent_at[index].begin() + first_);
  if (decoded_ > 0 && !snapshot.mean_reconstruction.empty()) {
    snapshot.mean.assign(first_, moments_.means());
    snapshot.mean_reconstruction.assign(first_, divided(mean_reconstruction_, decoded_));
  }
}

bool SamplingChunk::ended() const {
  const Stop& stop = options_.stop;
  if (!stop.any() || decoded_ == 0) {
    return false;
  }
  const auto first = results_.spent.begin() + first_;
  const double next = static_cast<double>(count_) * gradients_per_transition(options_);
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - began_;
  return (stop.gradients > 0.0 && std::accumulate(first, first + count_, next) > stop.gradients) ||
         (stop.milliseconds > 0.0 && elapsed.count() >= stop.milliseconds) ||
         (stop.error > 0.0 && decoded_ % static_cast<std::size_t>(mcmc::kFewestDraws) == 0 &&
          moments_.draws() % options_.thin == 0 && relative_error() <= stop.error);
}

double SamplingChunk::relative_error() const {
  return mcmc::diagnose(std::span(results_.watched).first(decoded_), first_, count_, {}).relative_mcse;
}

void SamplingChunk::finish() {
  Inference& inference = results_.inference;
  std::for_each(inference.acceptance.begin() + first_, inference.acceptance.begin() + first_ + count_,
                [&](double& acceptance) { acceptance /= static_cast<double>(moments_.draws()); });
  std::fill_n(results_.transitions.begin() + first_, count_, transition_);
  std::fill_n(results_.kept_count.begin() + first_, count_, static_cast<std::int64_t>(decoded_));
  // A chain that has ended keeps its last state.
  const Matrix last = inference.draw.slice(first_, count_);
  for (std::size_t i = 0; i < snapshot_at_.size(); ++i) {
    if (snapshot_at_[i] > transition_) {
      fill_snapshot(i, last);
    }
  }
  for (auto* draws : {&results_.watched, &results_.kept}) {
    for (std::size_t i = decoded_; i < draws->size(); ++i) {
      Matrix& draw = (*draws)[i];
      draw.assign(first_, Matrix(count_, draw.columns(), std::numeric_limits<float>::quiet_NaN()));
    }
  }
  inference.mean.assign(first_, moments_.means());
  inference.variance.assign(first_ / options_.chains, moments_.variances(options_.chains));
  inference.mean_reconstruction.assign(first_, divided(mean_reconstruction_, decoded_));
  if (problem_.observation != nullptr) {
    results_.expected.assign(first_, divided(expected_, decoded_));
  }
}

void SamplingChunk::write_rows(const std::vector<double>& values, std::vector<double>& to) const {
  std::ranges::copy(values, to.begin() + first_);
}

}  // namespace vaeguard::defences
