// Rules that adapt one chain's step size from its acceptance probabilities.
#pragma once

namespace vaeguard::mcmc {

/// Dual averaging (Hoffman and Gelman 2014, eq. 6): drives the mean acceptance to `target`.
class DualAveraging {
 public:
  struct Options {
    double initial_step_size = 0.1;
    double target = 0.8;
    double gamma = 0.05;  // the constants of the paper, section 3.2.1
    double t0 = 10.0;
    double kappa = 0.75;
    /// Step sizes are shrunk towards aim * initial_step_size. The paper's 10 favours large steps early, which suits
    /// hundreds of transitions; with few transitions and a first step that was searched for, 1 wastes none of them.
    double aim = 10.0;
  };
  explicit DualAveraging(const Options& options);
  void update(double acceptance);
  /// The step size to try next.
  [[nodiscard]] double exploring() const;
  /// The averaged step size to sample with once adaptation is over.
  [[nodiscard]] double final() const;

 private:
  Options options_;
  double mu_;
  double mean_error_ = 0.0;
  double log_step_;
  double log_mean_step_ = 0.0;
  int count_ = 0;
};

/// The authors' rule, applied at every transition without end: step += 0.01 (acceptance - target) / target step.
double published_step_size(double step_size, double acceptance, double target);

}  // namespace vaeguard::mcmc
