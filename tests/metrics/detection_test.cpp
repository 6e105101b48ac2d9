// Detection against closed forms, counting of pairs and worked examples; how often the intervals hold the truth.
#include "vaeguard/metrics/detection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <vector>

#include "tests/expect_misuse.h"
#include "tests/mcmc/statistics.h"
#include "vaeguard/base/random.h"

namespace vaeguard::metrics {
namespace {

using Values = std::vector<double>;
using References = std::vector<std::int64_t>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// References 0, 1, 2, ..., each `times` in a row.
References references(std::size_t count, std::int64_t times = 1, std::int64_t first = 0) {
  References result(count);
  for (std::size_t i = 0; i < count; ++i) {
    result[i] = first + static_cast<std::int64_t>(i) / times;
  }
  return result;
}

Values normals(Key key, std::size_t count) {
  std::vector<float> drawn(count);
  fill_normal(key, drawn);
  return {drawn.begin(), drawn.end()};
}

Values shifted(Values values, double by) {
  std::ranges::for_each(values, [by](double& value) { value += by; });
  return values;
}

double counted_pairs(const Values& clean, const Values& attacked) {
  double sum = 0.0;
  for (const double c : clean) {
    for (const double a : attacked) {
      sum += a > c ? 1.0 : a == c ? 0.5 : 0.0;
    }
  }
  return sum / static_cast<double>(clean.size() * attacked.size());
}

/// Whole scores with many ties, and infinite ones.
Values coarse_scores(Key key, std::size_t count) {
  Values values = normals(key, count);
  std::ranges::for_each(values, [](double& value) { value = std::round(2.0 * value); });
  values[0] = kInfinity;
  values[1] = -kInfinity;
  return values;
}

TEST(Auroc, EqualsTheCountOfPairsWithTiesCountedHalf) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Values clean = coarse_scores(Key(seed).fold("clean"), 37);
    const Values attacked = shifted(coarse_scores(Key(seed).fold("attacked"), 23), 1.0);
    EXPECT_NEAR(auroc(clean, attacked), counted_pairs(clean, attacked), 1e-13);
    EXPECT_NEAR(auroc(attacked, clean), 1.0 - auroc(clean, attacked), 1e-13);
  }
  EXPECT_EQ(auroc(Values(5, 0.3), Values(3, 0.3)), 0.5);
}

TEST(AurocStatistical, OfTwoNormalsIsTheNormalProbabilityOfTheirDistance) {
  constexpr std::size_t kScores = 20'000;
  const double shift = 1.2;
  const double found = auroc(normals(Key(1), kScores), shifted(normals(Key(2), kScores), shift));
  // Hoeffding's bound for two samples: that of a mean over the smaller one.
  statistics::expect_mean(found, kScores, statistics::normal_cdf(shift / std::numbers::sqrt2), 0.05);
}

TEST(Auroc, StandardErrorOfAWorkedExample) {
  const Values clean = {0.0, 2.0};
  const Values attacked = {1.0, 3.0};
  // Placements 1/2 and 1 among the clean ones, 1 and 1/2 among the attacked: a variance of 1/8 each, over two each.
  const Detection apart = auroc({clean, References{0, 1}}, {attacked, References{2, 3}});
  EXPECT_DOUBLE_EQ(apart.estimate.value, 0.75);
  EXPECT_DOUBLE_EQ(apart.estimate.standard_error, std::sqrt(1.0 / 16.0 + 1.0 / 16.0));
  EXPECT_EQ(apart.estimate.n, 2);
  // The image with the higher clean score has the higher attacked one: both errors cancel.
  const Detection paired = auroc({clean, References{0, 1}}, {attacked, References{0, 1}});
  EXPECT_NEAR(paired.estimate.standard_error, 0.0, 1e-9);
  const Detection crossed = auroc({clean, References{1, 0}}, {attacked, References{0, 1}});
  EXPECT_DOUBLE_EQ(crossed.estimate.standard_error, 0.5);
}

TEST(Auroc, RestartsThatRepeatTheirReferenceNarrowNothing) {
  const Values clean = normals(Key(3), 30);
  const Values attacked = shifted(normals(Key(4), 25), 1.0);
  Values repeated;
  for (const double score : attacked) {
    repeated.insert(repeated.end(), 4, score);
  }
  const References of_clean = references(30);
  const Detection once = auroc({clean, of_clean}, {attacked, references(25)});
  const Detection often = auroc({clean, of_clean}, {repeated, references(100, 4)});
  EXPECT_NEAR(often.estimate.value, once.estimate.value, 1e-13);
  EXPECT_NEAR(often.estimate.standard_error, once.estimate.standard_error, 1e-13);
  EXPECT_EQ(often.estimate.n, 25);
  EXPECT_NEAR(often.interval.low, once.interval.low, 1e-12);
  const Detection blind = auroc({clean, of_clean}, {repeated, references(100, 1, 30)});
  EXPECT_LT(blind.estimate.standard_error, 0.9 * once.estimate.standard_error);
}

TEST(Auroc, PerfectSeparationIsNotCertain) {
  const Detection found = auroc({Values(50, 0.0), references(50)}, {Values(100, 1.0), references(100, 2)});
  const double z2 = 1.959963984540054 * 1.959963984540054;
  EXPECT_EQ(found.estimate.value, 1.0);
  EXPECT_NEAR(found.interval.low, 50.0 / (50.0 + z2), 1e-12);  // Wilson's closed form at 1
  EXPECT_EQ(found.interval.high, 1.0);
}

TEST(RocCurve, FallsThroughTheDistinctScores) {
  const auto curve = roc_curve(Values{0.1, 0.4}, Values{0.4, 0.9});
  ASSERT_EQ(curve.size(), 4U);
  const auto expect_point = [&](std::size_t i, double threshold, double false_rate, double true_rate) {
    EXPECT_EQ(curve[i].threshold, threshold);
    EXPECT_EQ(curve[i].false_positive_rate, false_rate);
    EXPECT_EQ(curve[i].true_positive_rate, true_rate);
  };
  expect_point(0, kInfinity, 0.0, 0.0);
  expect_point(1, 0.9, 0.0, 0.5);
  expect_point(2, 0.4, 0.5, 1.0);
  expect_point(3, 0.1, 1.0, 1.0);
}

TEST(RocCurve, HasTheAurocBelowIt) {
  const Values clean = coarse_scores(Key(5), 41);
  const Values attacked = shifted(coarse_scores(Key(6), 29), 1.0);
  const auto curve = roc_curve(clean, attacked);
  double area = 0.0;
  for (std::size_t i = 1; i < curve.size(); ++i) {
    EXPECT_LE(curve[i - 1].false_positive_rate, curve[i].false_positive_rate);
    EXPECT_LE(curve[i - 1].true_positive_rate, curve[i].true_positive_rate);
    area += 0.5 * (curve[i].true_positive_rate + curve[i - 1].true_positive_rate) *
            (curve[i].false_positive_rate - curve[i - 1].false_positive_rate);
  }
  EXPECT_NEAR(area, auroc(clean, attacked), 1e-13);
  EXPECT_EQ(curve.back().true_positive_rate, 1.0);
  EXPECT_EQ(curve.back().false_positive_rate, 1.0);
}

TEST(TruePositiveRate, LetsNoMoreCleanImagesThroughThanTheRateAllows) {
  Values clean(200);
  std::iota(clean.begin(), clean.end(), 0.0);
  const Values attacked = {150.0, 197.5, 198.0, 198.5, 300.0};
  const auto rate = [&](double false_positive_rate) {
    return true_positive_rate({clean, references(200)}, {attacked, references(5)}, false_positive_rate).estimate.value;
  };
  EXPECT_EQ(rate(0.01), 0.8) << "two clean images may be flagged: 198 and 199";
  EXPECT_EQ(rate(0.0149), 0.8);
  EXPECT_EQ(rate(0.2499), 0.8);
  EXPECT_EQ(rate(0.25), 1.0) << "from 150 on";
  EXPECT_EQ(rate(0.0), 0.2);
  EXPECT_EQ(rate(1.0), 1.0);
}

TEST(TruePositiveRate, ATieWithTooManyCleanImagesFlagsNone) {
  const Values clean(100, 0.5);
  EXPECT_EQ(true_positive_rate({clean, references(100)}, {Values{0.5, 0.5, 0.7}, references(3)}).estimate.value,
            1.0 / 3.0);
}

TEST(TruePositiveRate, WithAKnownThresholdItsIntervalIsWilsons) {
  // So many clean images, far below, that no threshold which agrees with 1 % passes an attacked one.
  Values clean(10'000);
  std::iota(clean.begin(), clean.end(), -10'000.0);
  Values attacked(40, 5.0);
  std::fill_n(attacked.begin(), 10, -1e6);
  const Detection found = true_positive_rate({clean, references(10'000)}, {attacked, references(40)});
  const Interval wilson = interval95({.value = 0.75, .standard_error = std::sqrt(0.75 * 0.25 / 40.0), .n = 40}, true);
  EXPECT_DOUBLE_EQ(found.estimate.value, 0.75);
  EXPECT_NEAR(found.estimate.standard_error, std::sqrt(0.75 * 0.25 / 39.0), 1e-12);
  EXPECT_NEAR(found.interval.low, wilson.low, 1e-12);
  EXPECT_NEAR(found.interval.high, wilson.high, 1e-12);
}

TEST(TruePositiveRate, FewCleanImagesLeaveItOpenBelow) {
  const Values clean = normals(Key(7), 400);
  const Values attacked = shifted(normals(Key(8), 50), 5.0);
  const auto low = [&](std::size_t count) {
    return true_positive_rate({{clean.data(), count}, references(count)}, {attacked, references(50)}).interval.low;
  };
  EXPECT_EQ(low(379), 0.0);  // z^2 / (n + z^2) reaches 1 %
  EXPECT_GT(low(381), 0.5);
}

TEST(Detection, DoesNotDependOnTheOrderOfScores) {
  const Values clean = coarse_scores(Key(9), 60);
  const Values attacked = shifted(coarse_scores(Key(10), 40), 1.0);
  const References of_clean = references(60);
  const References of_attacked = references(40, 2);
  const Values clean_back(clean.rbegin(), clean.rend());
  const Values attacked_back(attacked.rbegin(), attacked.rend());
  const References of_clean_back(of_clean.rbegin(), of_clean.rend());
  const References of_attacked_back(of_attacked.rbegin(), of_attacked.rend());
  const auto expect_same = [](const Detection& a, const Detection& b) {
    EXPECT_NEAR(a.estimate.value, b.estimate.value, 1e-14);
    EXPECT_NEAR(a.estimate.standard_error, b.estimate.standard_error, 1e-13);
    EXPECT_NEAR(a.interval.low, b.interval.low, 1e-13);
    EXPECT_NEAR(a.interval.high, b.interval.high, 1e-13);
  };
  const Scores first{clean, of_clean};
  const Scores second{attacked, of_attacked};
  expect_same(auroc(first, second), auroc({clean_back, of_clean_back}, {attacked_back, of_attacked_back}));
  expect_same(true_positive_rate(first, second, 0.2),
              true_positive_rate({clean_back, of_clean_back}, {attacked_back, of_attacked_back}, 0.2));
}

TEST(Detection, RefusesNanNothingAndMissingReferences) {
  const Values good = {0.1, 0.2};
  const Values bad = {0.1, std::nan("")};
  expect_misuse([&] { auroc(good, bad); }, {"[metrics.detection]", "attacked", "NaN", "at 1"});
  expect_misuse([&] { roc_curve(bad, good); }, {"clean", "NaN"});
  expect_misuse([&] { auroc(good, Values{}); }, {"attacked", "at least one"});
  expect_misuse([&] { auroc({good, references(2)}, {good, references(1)}); }, {"attacked", "got 1"});
  expect_misuse([&] { true_positive_rate({bad, references(2)}, {good, references(2)}); }, {"clean", "NaN"});
  for (const double rate : {-0.1, 1.1, std::nan("")}) {
    expect_misuse(
        [&] {
          true_positive_rate({good, references(2)}, {good, references(2)}, rate);
        },
        {"false_positive_rate"});
  }
}

/// Clean scores and restarts of attacks on the same images: normals of variance 1, those of one reference correlated.
struct Experiment {
  std::size_t clean_references;
  std::size_t attacked_references;
  std::int64_t restarts;
  double shift;
  double correlation;
};

struct Sample {
  Values clean;
  Values attacked;
};

Sample draw(const Experiment& experiment, Key key) {
  const auto mix = [&](Values shared, const Values& own, std::int64_t times) {
    Values result(own.size());
    for (std::size_t i = 0; i < own.size(); ++i) {
      result[i] = std::sqrt(experiment.correlation) * shared[i / static_cast<std::size_t>(times)] +
                  std::sqrt(1.0 - experiment.correlation) * own[i];
    }
    return result;
  };
  const Values shared =
      normals(key.fold("shared"), std::max(experiment.clean_references, experiment.attacked_references));
  const std::size_t attacks = experiment.attacked_references * static_cast<std::size_t>(experiment.restarts);
  return {mix(shared, normals(key.fold("clean"), experiment.clean_references), 1),
          shifted(mix(shared, normals(key.fold("attacked"), attacks), experiment.restarts), experiment.shift)};
}

constexpr int kReplicates = 2000;

/// How often the interval that `infer` gives of a sample misses the truth.
template <typename Infer>
double miss_rate(const Experiment& experiment, double truth, const Infer& infer) {
  int misses = 0;
  for (int i = 0; i < kReplicates; ++i) {
    const Interval interval = infer(draw(experiment, Key(11).fold(static_cast<std::uint64_t>(i))));
    misses += truth < interval.low || truth > interval.high ? 1 : 0;
  }
  return static_cast<double>(misses) / kReplicates;
}

// An interval that misses 6 times in 100 at most (the normal and effective-size approximations may cost one) exceeds
// 10 in 100 of 2,000 replicates with probability exp(-2000 KL(0.10 | 0.06)) = exp(-23.9) < 1e-10. One that misses 13 in
// 100 is let through with probability exp(-2000 KL(0.10 | 0.13)) = exp(-8.5) = 2e-4.
constexpr double kMostMisses = 0.10;

TEST(AurocStatistical, IntervalHoldsTheTruthInAtLeastNineteenOfTwentySamples) {
  for (const Experiment& experiment :
       {Experiment{40, 40, 1, 1.0, 0.0}, Experiment{50, 50, 5, 1.0, 0.7}, Experiment{200, 50, 5, 2.0, 0.5},
        Experiment{30, 30, 3, 3.0, 0.5}, Experiment{200, 20, 1, 3.0, 0.0}}) {
    // Pairs of unlike references, whose scores are independent, are all but one in n.
    const double apart = statistics::normal_cdf(experiment.shift / std::numbers::sqrt2);
    const double together = statistics::normal_cdf(experiment.shift / std::sqrt(2.0 * (1.0 - experiment.correlation)));
    const double share =
        1.0 / static_cast<double>(std::max(experiment.clean_references, experiment.attacked_references));
    const double rate = miss_rate(experiment, apart + share * (together - apart), [&](const Sample& sample) {
      return auroc({sample.clean, references(sample.clean.size())},
                   {sample.attacked, references(sample.attacked.size(), experiment.restarts)})
          .interval;
    });
    EXPECT_LT(rate, kMostMisses) << experiment.clean_references << " " << experiment.shift;
    RecordProperty("misses", std::to_string(rate));
  }
}

TEST(AurocStatistical, AnIntervalThatTakesRestartsForIndependentIsFoundOut) {
  const Experiment experiment{200, 30, 10, 1.0, 0.8};
  const double rate =
      miss_rate(experiment, statistics::normal_cdf(1.0 / std::numbers::sqrt2), [](const Sample& sample) {
        return auroc({sample.clean, references(sample.clean.size())},
                     {sample.attacked, references(sample.attacked.size(), 1, 1000)})
            .interval;
      });
  EXPECT_GT(rate, 2.0 * kMostMisses);
}

TEST(TruePositiveRateStatistical, IntervalHoldsTheTruthInAtLeastNineteenOfTwentySamples) {
  for (const Experiment& experiment :
       {Experiment{1000, 50, 1, 3.0, 0.0}, Experiment{500, 50, 5, 2.5, 0.6}, Experiment{100, 100, 2, 2.0, 0.3}}) {
    const double truth = statistics::normal_cdf(experiment.shift - 2.3263478740408408);  // the 0.99 quantile
    const double rate = miss_rate(experiment, truth, [&](const Sample& sample) {
      return true_positive_rate({sample.clean, references(sample.clean.size())},
                                {sample.attacked, references(sample.attacked.size(), experiment.restarts)})
          .interval;
    });
    EXPECT_LT(rate, kMostMisses) << experiment.clean_references << " " << experiment.shift;
    RecordProperty("misses", std::to_string(rate));
  }
}

}  // namespace
}  // namespace vaeguard::metrics
