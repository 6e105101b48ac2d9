// Minimises one smooth function by L-BFGS: liblbfgs behind one call.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace vaeguard {

/// The value of a function of D variables at `point` [D], and its gradient [D] written to `gradient`. May be infinite
/// or NaN where it overflows. An exception ends the search and is rethrown by minimise.
using SmoothFunction = std::function<double(std::span<const double> point, std::span<double> gradient)>;

struct MinimiseOptions {
  int memory = 6;                // past steps from which the curvature is estimated
  double tolerance = 1e-5;       // converged where |gradient| <= tolerance max(1, |point|)
  std::int64_t iterations = 0;   // at most; 0 for no limit
  std::int64_t evaluations = 0;  // the iteration that reaches them is the last, after its line search; 0 for no limit
  /// Told the number of finished iterations, from 1, and the value reached. May throw.
  std::function<void(std::int64_t iteration, double value)> after_iteration = {};
};

void validate(const MinimiseOptions& options);

/// Why a search ended.
enum class Ending {
  converged,   // the gradient is as small as asked
  limit,       // of iterations or evaluations
  stuck,       // no step along the last direction is lower: rounding error, or gradients that do not match the values
  not_finite,  // the last line search, or the result itself, has values or points that are not finite
};
std::string_view name(Ending ending);

struct Minimum {
  std::vector<double> point;  // [D], the lowest accepted iterate; finite if the start is
  double value = 0.0;         // at `point`
  Ending ending = Ending::converged;
  std::int64_t iterations = 0;
  std::int64_t evaluations = 0;
};

/// Walks down from `start` [D] by L-BFGS with the line search of More and Thuente (Liu and Nocedal 1989). Serial and
/// deterministic. Throws Misuse for an empty start.
Minimum minimise(const SmoothFunction& function, std::span<const double> start, const MinimiseOptions& options = {});

}  // namespace vaeguard
