// The softmax and the logarithm of its sum, safe from overflow.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <span>

namespace vaeguard {

/// What exponentiate returns; the values themselves have become exp(value - largest), and `sum` is their sum.
template <std::floating_point Real>
struct Exponentials {
  Real largest;
  Real sum;
};

/// Replaces each of one or more values by exp(value - largest).
template <std::floating_point Real>
Exponentials<Real> exponentiate(std::span<Real> values) {
  const Real largest = *std::ranges::max_element(values);
  Real sum = 0;
  for (Real& value : values) {
    value = std::exp(value - largest);
    sum += value;
  }
  return {largest, sum};
}

/// Replaces each of one or more values by exp(value) / sum exp(value); returns log sum exp(value).
template <std::floating_point Real>
Real softmax(std::span<Real> values) {
  const Exponentials<Real> all = exponentiate(values);
  for (Real& value : values) {
    value /= all.sum;
  }
  return all.largest + std::log(all.sum);
}

}  // namespace vaeguard
