// The callbacks of liblbfgs, the state of its search, and its reasons to stop.
#include "vaeguard/base/lbfgs.h"

#include <lbfgs.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <memory>

#include "vaeguard/base/error.h"

namespace vaeguard {
namespace {

constexpr std::string_view kPlace = "base.lbfgs";

class Run {
 public:
  Run(const SmoothFunction& function, const MinimiseOptions& options) : function_(function), options_(options) {}

  Minimum from(std::span<const double> start) {
    lbfgs_parameter_t settings;
    lbfgs_parameter_init(&settings);
    settings.m = options_.memory;
    settings.epsilon = options_.tolerance;
    settings.max_iterations = static_cast<int>(options_.iterations);
    const auto size = static_cast<int>(start.size());
    // liblbfgs wants its own allocation, aligned for its vector instructions.
    const std::unique_ptr<double, decltype(&lbfgs_free)> point(lbfgs_malloc(size), &lbfgs_free);
    if (point == nullptr) {
      failure(kPlace, "expected memory for {} variables", size);
    }
    std::ranges::copy(start, point.get());
    const int status = lbfgs(size, point.get(), nullptr, &evaluate, &progress, this, &settings);
    if (thrown_) {
      std::rethrow_exception(thrown_);
    }
    const std::span<const double> answer(point.get(), start.size());
    result_.ending = ending(status, answer);
    if (finite(answer)) {
      result_.point.assign(answer.begin(), answer.end());
    } else {
      result_.point.assign(start.begin(), start.end());
      result_.value = start_value_;
    }
    return std::move(result_);
  }

 private:
  static bool finite(std::span<const double> values) {
    return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
  }

  // No exception may cross liblbfgs, which is C: it is stored, and NaN makes the line search give up.
  static double evaluate(void* instance, const double* point, double* gradient, int size, double /*step*/) {
    auto& self = *static_cast<Run*>(instance);
    const auto count = static_cast<std::size_t>(size);
    if (!self.thrown_) {
      try {
        return self.evaluate_at({point, count}, {gradient, count});
      } catch (...) {
        self.thrown_ = std::current_exception();
      }
    }
    std::fill_n(gradient, count, 0.0);
    return std::numeric_limits<double>::quiet_NaN();
  }

  static int progress(void* instance, const double*, const double*, double value, double, double, double, int,
                      int iteration, int) {
    auto& self = *static_cast<Run*>(instance);
    try {
      return self.iteration_finished(iteration, value) ? 1 : 0;
    } catch (...) {
      self.thrown_ = std::current_exception();
      return 1;
    }
  }

  double evaluate_at(std::span<const double> point, std::span<double> gradient) {
    const double value = function_(point, gradient);
    if (++result_.evaluations == 1) {
      start_value_ = value;
      result_.value = value;
    }
    broken_ = broken_ || !std::isfinite(value) || !finite(gradient);
    return value;
  }

  // True ends the search.
  bool iteration_finished(int iteration, double value) {
    result_.iterations = iteration;
    result_.value = value;
    broken_ = !std::isfinite(value);
    if (options_.after_iteration) {
      options_.after_iteration(iteration, value);
    }
    return options_.evaluations > 0 && result_.evaluations >= options_.evaluations;
  }

  [[nodiscard]] Ending ending(int status, std::span<const double> answer) const {
    if (!finite(answer) || !std::isfinite(result_.value)) {
      return Ending::not_finite;
    }
    switch (status) {
      case LBFGS_SUCCESS:
      case LBFGS_ALREADY_MINIMIZED:
        return Ending::converged;
      case LBFGSERR_MAXIMUMITERATION:
      case 1:  // as iteration_finished said
        return Ending::limit;
      default:
        return broken_ ? Ending::not_finite : Ending::stuck;
    }
  }

  const SmoothFunction& function_;
  const MinimiseOptions& options_;
  Minimum result_;
  double start_value_ = 0.0;
  bool broken_ = false;  // a value or slope since the last accepted point was not finite
  std::exception_ptr thrown_;
};

}  // namespace

void validate(const MinimiseOptions& options) {
  if (options.memory < 1 || options.iterations < 0 || options.evaluations < 0) {
    misuse(kPlace, "memory must be at least 1, iterations and evaluations at least 0, got {}, {} and {}",
           options.memory, options.iterations, options.evaluations);
  }
  if (!(options.tolerance >= 0.0) || !std::isfinite(options.tolerance)) {
    misuse(kPlace, "tolerance must be finite and >= 0, got {}", options.tolerance);
  }
}

std::string_view name(Ending ending) {
  switch (ending) {
    case Ending::converged:
      return "converged";
    case Ending::limit:
      return "limit";
    case Ending::stuck:
      return "stuck";
    case Ending::not_finite:
      return "not finite";
  }
  return "unknown";
}

Minimum minimise(const SmoothFunction& function, std::span<const double> start, const MinimiseOptions& options) {
  validate(options);
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (start.empty() || start.size() > kMost) {
    misuse(kPlace, "a start must have 1 to {} variables, got {}", kMost, start.size());
  }
  return Run(function, options).from(start);
}

}  // namespace vaeguard
