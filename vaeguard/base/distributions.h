// Quantiles and probabilities of the distributions behind confidence intervals.
#pragma once

#include <cstdint>

namespace vaeguard {

/// z with P(Z <= z) = `probability`, in (0, 1), for the standard normal Z.
double normal_quantile(double probability);

/// t with P(T <= t) = `probability`, in (0, 1), for Student's T with `degrees` > 0 degrees of freedom.
double student_quantile(double probability, double degrees);

/// P(K <= count) and P(K > count) for the number K of successes in `trials` trials that each succeed with probability
/// `chance`, in [0, 1]; 0 <= count <= trials.
double binomial_at_most(std::int64_t count, std::int64_t trials, double chance);
double binomial_above(std::int64_t count, std::int64_t trials, double chance);

}  // namespace vaeguard
