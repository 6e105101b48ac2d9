// The chains of some images and the rows of the results that they fill; for the sources of this folder only.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <vector>

#include "vaeguard/defences/posterior_sampling.h"
#include "vaeguard/mcmc/any_kernel.h"
#include "vaeguard/mcmc/moments.h"
#include "vaeguard/mcmc/monitor.h"

namespace vaeguard::defences {

/// What all chains leave, a row each.
struct SamplingResults {
  mcmc::Monitor monitor;
  Inference inference = {};          // but for reencoded, draws and diagnostics
  Matrix expected = {};              // [n, C*H*W] mean of the true images that every thin-th draw expects; empty for
                                     // images taken as they are
  std::vector<Matrix> watched = {};  // [n, monitor.scalars()] of every thin-th draw; NaN for a chain that ended before
  std::vector<Matrix> kept = {};     // [n, D] of the same draws, where they are kept and not watched whole
  std::vector<std::vector<mcmc::Divergence>> divergences = {};  // [n] the first of each chain
  std::vector<double> spent = {};                               // [n] gradients
  std::vector<std::vector<double>> spent_at = {};               // [snapshots][n] the same at each snapshot
  std::vector<std::vector<double>> total_energy = {};           // [n][transitions] of the counted ones
  std::vector<double> transitions = {};                         // [n] warm-up included
  std::vector<std::int64_t> kept_count = {};                    // [n]
};

/// Transitions after which a snapshot is taken: 0, 1, 2, 5, 10, 20, 50, ... and the last.
std::vector<int> snapshot_transitions(int total);

/// Runs chains first .. first + count of the problem from start to end.
class SamplingChunk {
 public:
  SamplingChunk(const PosteriorSamplingOptions& options, const models::Vae& vae, const PosteriorProblem& problem,
                std::int64_t first, std::int64_t count, std::span<const Key> keys, SamplingResults& results,
                const std::function<void(std::int64_t)>& tick);
  void run();

 private:
  [[nodiscard]] Matrix start() const;
  [[nodiscard]] Matrix draw_of_encoding() const;
  [[nodiscard]] Matrix lowest_start() const;
  [[nodiscard]] Matrix prior_centre() const;
  [[nodiscard]] Matrix descended() const;
  [[nodiscard]] std::vector<double> energies_at(const Matrix& points) const;
  [[nodiscard]] mcmc::Metric metric() const;
  void run_tuned(mcmc::State state);
  void run_published(mcmc::State state);
  void after_transition(const mcmc::State& state, const mcmc::Info& info, bool counted);
  [[nodiscard]] bool ended() const;
  [[nodiscard]] double relative_error() const;
  void keep_divergences(const mcmc::Info& info);
  void add_draw(const mcmc::State& state);
  void take_snapshot(const mcmc::State& state);
  void fill_snapshot(std::size_t index, const Matrix& latent);
  void finish();
  void write_rows(const std::vector<double>& values, std::vector<double>& to) const;

  const PosteriorSamplingOptions& options_;
  mcmc::AnyKernel kernel_;
  std::vector<int> snapshot_at_;
  const models::Vae& vae_;
  const PosteriorProblem& problem_;
  mcmc::Target target_;
  std::int64_t first_;
  std::int64_t count_;
  models::Encoding encoding_;
  std::span<const Key> keys_;
  SamplingResults& results_;
  const std::function<void(std::int64_t)>& tick_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::vector<double> start_energy_;
  int transition_ = 0;
  mcmc::Moments moments_;  // of all draws
  std::size_t decoded_ = 0;
  // Sums over every thin-th draw.
  Matrix mean_reconstruction_;
  Matrix expected_;
};

}  // namespace vaeguard::defences
