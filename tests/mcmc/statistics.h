// Statistical assertions with a stated false-fail rate: Kolmogorov-Smirnov distances under the DKW bound.
//
// For N independent draws the empirical distribution function strays from the true one by more than epsilon with
// probability at most 2 exp(-2 N epsilon^2), at every N (Dvoretzky, Kiefer and Wolfowitz 1956; Massart 1990). There is
// no tolerance to tune: a test states how often it may fail by bad luck, which gives epsilon, and how small a
// discrepancy it must be able to see, which is checked before anything is judged.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

namespace vaeguard::statistics {

/// How often one assertion may fail although all is well. There are fewer than 100 of them, so that all together fail
/// by bad luck less than once in ten million changes of their keys.
constexpr double kFalseFailRate = 1e-9;
/// How often an assertion may miss a discrepancy of the size that it says it sees.
constexpr double kMissRate = 1e-3;

/// epsilon with P(KS distance of n draws from their own law > epsilon) <= rate.
inline double dkw_radius(std::size_t n, double rate) {
  return std::sqrt(std::log(2.0 / rate) / (2.0 * static_cast<double>(n)));
}

/// |mean - expectation| of n independent numbers in [0, 1] exceeds this with probability at most `rate` (Hoeffding).
inline double hoeffding_radius(std::size_t n, double rate) { return dkw_radius(n, rate); }

/// sup |empirical distribution function of `uniforms` - identity on [0, 1]|.
inline double ks_distance(std::vector<double> uniforms) {
  std::ranges::sort(uniforms);
  const auto n = static_cast<double>(uniforms.size());
  double distance = 0.0;
  for (std::size_t i = 0; i < uniforms.size(); ++i) {
    const double below = static_cast<double>(i) / n;
    // A NaN must not hide: it compares false with everything.
    if (!(uniforms[i] >= 0.0 && uniforms[i] <= 1.0)) {
      return 1.0;
    }
    distance = std::max({distance, uniforms[i] - below, below + 1.0 / n - uniforms[i]});
  }
  return distance;
}

/// sup |difference of two empirical distribution functions|.
inline double ks_distance(std::vector<double> a, std::vector<double> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  double distance = 0.0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const double at = std::min(a[i], b[j]);
    while (i < a.size() && a[i] <= at) {
      ++i;
    }
    while (j < b.size() && b[j] <= at) {
      ++j;
    }
    const double gap =
        static_cast<double>(i) / static_cast<double>(a.size()) - static_cast<double>(j) / static_cast<double>(b.size());
    distance = std::max(distance, std::abs(gap));
  }
  return distance;
}

inline double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

/// P(chi^2 with an even number of degrees of freedom <= x): the complement of a Poisson sum.
inline double chi_squared_cdf(double x, int degrees) {
  double term = std::exp(-0.5 * x);
  double sum = 0.0;
  for (int i = 0; i < degrees / 2; ++i) {
    sum += term;
    term *= 0.5 * x / (i + 1);
  }
  return 1.0 - sum;
}

/// Several statistics of one experiment, judged together: the union bound splits the false-fail rate among them.
class Judgement {
 public:
  /// Draws that are independent and uniform on [0, 1] if the claim is true.
  void add_uniform(std::string name, std::vector<double> draws) {
    const std::size_t n = draws.size();
    statistics_.push_back({std::move(name), ks_distance(std::move(draws)), {n}});
  }
  /// Two independent samples of the same law if the claim is true. Each strays from that law by its own radius.
  void add_pair(std::string name, std::vector<double> a, std::vector<double> b) {
    const std::vector<std::size_t> sizes{a.size(), b.size()};
    statistics_.push_back({std::move(name), ks_distance(std::move(a), std::move(b)), sizes});
  }

  /// True if any statistic is further off than luck allows at this false-fail rate.
  [[nodiscard]] bool rejected(double rate = kFalseFailRate) const {
    return std::ranges::any_of(statistics_, [&](const Statistic& s) { return s.distance > radius(s, share(s, rate)); });
  }
  /// The KS distance from which on every statistic rejects with probability 1 - kMissRate or more.
  [[nodiscard]] double smallest_detectable(double rate = kFalseFailRate) const {
    double largest = 0.0;
    for (const Statistic& s : statistics_) {
      const double missed = kMissRate / static_cast<double>(s.sizes.size());
      largest = std::max(largest, radius(s, share(s, rate)) + radius(s, missed));
    }
    return largest;
  }
  [[nodiscard]] double largest_distance() const {
    return std::ranges::max(statistics_, {}, &Statistic::distance).distance;
  }
  [[nodiscard]] std::string report(double rate = kFalseFailRate) const {
    std::string text;
    for (const Statistic& s : statistics_) {
      const double bound = radius(s, share(s, rate));
      text += (s.distance > bound ? "  REJECTED " : "  ") + s.name + ": distance " + std::to_string(s.distance) +
              ", bound " + std::to_string(bound) + "\n";
    }
    return text;
  }

 private:
  struct Statistic {
    std::string name;
    double distance;
    std::vector<std::size_t> sizes;
  };
  [[nodiscard]] double share(const Statistic& s, double rate) const {
    return rate / static_cast<double>(statistics_.size() * s.sizes.size());
  }
  static double radius(const Statistic& s, double rate) {
    double sum = 0.0;
    for (const std::size_t n : s.sizes) {
      sum += dkw_radius(n, rate);
    }
    return sum;
  }

  std::vector<Statistic> statistics_;
};

/// The claim holds as far as can be seen, and `must_see` could have been seen.
inline void expect_holds(const Judgement& judgement, double must_see) {
  EXPECT_LE(judgement.smallest_detectable(), must_see) << "too few draws to say anything";
  EXPECT_FALSE(judgement.rejected()) << judgement.report();
}

/// mean of n numbers in [0, 1] is `expected`, within Hoeffding's bound at `rate`.
inline void expect_mean(double mean, std::size_t n, double expected, double must_see, double rate = kFalseFailRate) {
  EXPECT_LE(hoeffding_radius(n, rate) + hoeffding_radius(n, kMissRate), must_see) << "too few draws to say anything";
  EXPECT_LE(std::abs(mean - expected), hoeffding_radius(n, rate)) << "mean " << mean << ", expected " << expected;
}

}  // namespace vaeguard::statistics
