// Means with 95 % intervals that respect that restarts of one reference are not independent.
#pragma once

#include <cstdint>
#include <span>

namespace vaeguard::metrics {

/// A mean over references with its standard error; restarts were averaged (or the worst taken) within each reference.
struct Estimate {
  double value = 0.0;
  double standard_error = 0.0;
  std::int64_t n = 0;  // references, the independent units
};

struct Interval {
  double low = 0.0;
  double high = 0.0;
};

enum class Restarts { mean, worst };

/// values [references * restarts], the restarts of one reference in consecutive rows. With Restarts::worst the
/// reference's least value counts if `higher_is_better` (for the defender), its greatest otherwise. NaN values make the
/// estimate NaN.
Estimate estimate_by_reference(std::span<const double> values, std::int64_t restarts, Restarts counted,
                               bool higher_is_better);

/// 95 % interval. Means: Student's t with n - 1 degrees of freedom. Proportions (`proportion`): Wilson's interval at
/// the effective sample size value (1 - value) / standard_error^2, at least n, so that 0 of 50 does not look certain.
Interval interval95(const Estimate& estimate, bool proportion);

}  // namespace vaeguard::metrics
