// Dual averaging, and the authors' multiplicative rule.
#include "vaeguard/mcmc/step_size.h"

#include <cmath>

#include "vaeguard/base/error.h"

namespace vaeguard::mcmc {

DualAveraging::DualAveraging(const Options& options)
    : options_(options),
      mu_(std::log(options.aim * options.initial_step_size)),
      log_step_(std::log(options.initial_step_size)) {
  if (!std::isfinite(options.initial_step_size) || options.initial_step_size <= 0.0) {
    misuse("mcmc.step_size", "initial_step_size must be finite and > 0, got {}", options.initial_step_size);
  }
  if (!(options.target > 0.0 && options.target < 1.0)) {
    misuse("mcmc.step_size", "target must be in (0, 1), got {}", options.target);
  }
  if (!std::isfinite(options.aim) || options.aim <= 0.0) {
    misuse("mcmc.step_size", "aim must be finite and > 0, got {}", options.aim);
  }
  log_mean_step_ = log_step_;
}

void DualAveraging::update(double acceptance) {
  ++count_;
  const double weight = 1.0 / (count_ + options_.t0);
  mean_error_ += weight * (options_.target - acceptance - mean_error_);
  log_step_ = mu_ - std::sqrt(count_) / options_.gamma * mean_error_;
  const double eta = std::pow(count_, -options_.kappa);
  log_mean_step_ = eta * log_step_ + (1.0 - eta) * log_mean_step_;
}

double DualAveraging::exploring() const { return std::exp(log_step_); }

double DualAveraging::final() const { return std::exp(log_mean_step_); }

double published_step_size(double step_size, double acceptance, double target) {
  return step_size + 0.01 * (acceptance - target) / target * step_size;
}

}  // namespace vaeguard::mcmc
