// Scores of probabilities and calibration error against closed forms.
#include "vaeguard/metrics/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/expect_misuse.h"
#include "vaeguard/base/random.h"

namespace vaeguard::metrics {
namespace {

using Classes = std::vector<std::int64_t>;

/// Rows [1 - p, p], so that class 1 is the most probable one for p > 1/2.
Matrix two_classes(const std::vector<float>& p) {
  Matrix probabilities(static_cast<std::int64_t>(p.size()), 2);
  for (std::int64_t i = 0; i < probabilities.rows(); ++i) {
    probabilities(i, 1) = p[static_cast<std::size_t>(i)];
    probabilities(i, 0) = 1.0F - probabilities(i, 1);
  }
  return probabilities;
}

TEST(Scores, OfAUniformRowAreTheLogarithmAndTheComplementOfTheNumberOfClasses) {
  const Matrix probabilities(3, 4, 0.25F);
  EXPECT_THAT(negative_log_score(probabilities, Classes{0, 1, 3}), testing::Each(testing::DoubleEq(std::log(4.0))));
  EXPECT_THAT(brier_score(probabilities, Classes{0, 1, 3}), testing::Each(testing::DoubleEq(3.0 / 4.0)));
}

TEST(Scores, OfACertainRowAreTheLeastOrTheGreatest) {
  const Matrix probabilities = two_classes({1.0F, 1.0F});
  EXPECT_EQ(negative_log_score(probabilities, Classes{1, 0}),
            (std::vector<double>{0.0, std::numeric_limits<double>::infinity()}));
  EXPECT_EQ(brier_score(probabilities, Classes{1, 0}), (std::vector<double>{0.0, 2.0}));
}

TEST(Scores, AreLeastInTheMeanForTheTrueProbabilities) {
  const double truth = 0.625;
  const auto mean = [&](const std::vector<double>& scores) { return truth * scores[1] + (1.0 - truth) * scores[0]; };
  const auto risks = [&](float p) {
    const Matrix probabilities = two_classes({p, p});
    return std::pair(mean(negative_log_score(probabilities, Classes{0, 1})),
                     mean(brier_score(probabilities, Classes{0, 1})));
  };
  const auto [least_log, least_brier] = risks(0.625F);
  EXPECT_NEAR(least_log, -truth * std::log(truth) - (1.0 - truth) * std::log(1.0 - truth), 1e-12);  // the entropy
  EXPECT_NEAR(least_brier, 2.0 * truth * (1.0 - truth), 1e-12);
  for (const float p : {0.1F, 0.5F, 0.61F, 0.64F, 0.9F}) {
    EXPECT_GT(risks(p).first, least_log) << p;
    EXPECT_GT(risks(p).second, least_brier) << p;
  }
}

TEST(Calibration, IsTheGapBetweenConfidenceAndAccuracyOfEachBin) {
  // Four rows that are sure to 3/4 and right in half of the cases, four sure to 7/8 and always right.
  const Matrix probabilities = two_classes({0.75F, 0.875F, 0.75F, 0.875F, 0.75F, 0.875F, 0.75F, 0.875F});
  const Calibration found = calibration(probabilities, Classes{1, 1, 0, 1, 1, 1, 0, 1}, 2);
  ASSERT_EQ(found.bins.size(), 2U);
  EXPECT_EQ(found.bins[0].count, 4);
  EXPECT_EQ(found.bins[0].confidence, 0.75);
  EXPECT_EQ(found.bins[0].accuracy, 0.5);
  EXPECT_EQ(found.bins[1].confidence, 0.875);
  EXPECT_EQ(found.bins[1].accuracy, 1.0);
  EXPECT_DOUBLE_EQ(found.expected_error, 0.5 * (0.25 + 0.125));
  // Chance gives the first bin a variance of 1/4 over 3.
  EXPECT_DOUBLE_EQ(found.debiased_squared_error, 0.5 * (1.0 / 16.0 - 1.0 / 12.0) + 0.5 / 64.0);
}

TEST(Calibration, OfRowsAsOftenRightAsTheySayIsZero) {
  const Matrix probabilities = two_classes(std::vector<float>(8, 0.75F));
  EXPECT_EQ(calibration(probabilities, Classes{1, 1, 1, 0, 1, 1, 1, 0}).expected_error, 0.0);
}

TEST(Calibration, MakesBinsOfEqualSizeAndSplitsNoTie) {
  std::vector<float> p;
  for (int i = 0; i < 100; ++i) {
    p.push_back(0.5F + 0.004F * static_cast<float>(i));
  }
  const Classes classes(100, 1);
  for (const CalibrationBin& bin : calibration(two_classes(p), classes, 10).bins) {
    EXPECT_EQ(bin.count, 10);
  }
  std::fill_n(p.begin() + 5, 20, 0.52F);  // over the first two bounds
  const auto bins = calibration(two_classes(p), classes, 10).bins;
  ASSERT_EQ(bins.size(), 9U);
  EXPECT_EQ(bins[0].count, 25);
  EXPECT_EQ(bins[1].count, 5);
  EXPECT_EQ(calibration(two_classes(p), classes, 1).bins.size(), 1U);
  EXPECT_EQ(calibration(two_classes({0.6F, 0.7F}), Classes{1, 0}, 15).bins.size(), 2U);
}

TEST(Calibration, DoesNotDependOnTheOrderOfRows) {
  const std::int64_t rows = 90;
  std::vector<float> p(static_cast<std::size_t>(rows));
  fill_uniform(Key(1), 0.5F, 1.0F, p);
  std::ranges::for_each(p, [](float& value) { value = std::round(16.0F * value) / 16.0F; });  // many ties
  Classes classes;
  for (std::int64_t i = 0; i < rows; ++i) {
    classes.push_back(i % 3 == 0 ? 0 : 1);
  }
  const Matrix probabilities = two_classes(p);
  const std::vector<std::int64_t> order = permutation(Key(2), rows);
  Classes shuffled;
  for (const std::int64_t from : order) {
    shuffled.push_back(classes[static_cast<std::size_t>(from)]);
  }
  const Calibration first = calibration(probabilities, classes, 7);
  const Calibration second = calibration(probabilities.gather(order), shuffled, 7);
  EXPECT_EQ(second.bins.size(), first.bins.size());
  // Sixteenths add up without rounding in any order.
  EXPECT_EQ(second.expected_error, first.expected_error);
  EXPECT_EQ(second.debiased_squared_error, first.debiased_squared_error);
}

TEST(CalibrationStatistical, ChanceRaisesTheExpectedErrorButNotTheDebiasedOne) {
  constexpr int kReplicates = 2000;
  constexpr std::int64_t kRows = 200;
  const Matrix probabilities(kRows, 2, std::vector<float>([] {
                               std::vector<float> values;
                               for (std::int64_t i = 0; i < kRows; ++i) {
                                 const float p = i % 2 == 0 ? 0.75F : 0.625F;
                                 values.insert(values.end(), {1.0F - p, p});
                               }
                               return values;
                             }()));
  double sum = 0.0;
  double squares = 0.0;
  double expected_error = 0.0;
  for (int replicate = 0; replicate < kReplicates; ++replicate) {
    Stream stream(Key(3).fold(static_cast<std::uint64_t>(replicate)));
    Classes classes;
    for (std::int64_t i = 0; i < kRows; ++i) {
      classes.push_back(stream.uniform() < probabilities(i, 1) ? 1 : 0);
    }
    const Calibration found = calibration(probabilities, classes, 2);
    sum += found.debiased_squared_error;
    squares += found.debiased_squared_error * found.debiased_squared_error;
    expected_error += found.expected_error / kReplicates;
  }
  const double mean = sum / kReplicates;
  const double error = std::sqrt((squares / kReplicates - mean * mean) / kReplicates);
  // 6.1 standard errors: once in 1e9. The uncorrected mean is p (1 - p) / 100 = 0.0021 and would be seen.
  EXPECT_NEAR(mean, 0.0, 6.1 * error);
  EXPECT_LT(6.1 * error, 0.001);
  // A mean of two |normal|s of deviation sqrt(p (1 - p) / 100): sqrt(2 / pi) 0.0459 = 0.0366.
  EXPECT_NEAR(expected_error, 0.0366, 0.004);
}

TEST(Calibration, RefusesWhatAreNoProbabilitiesOrClasses) {
  const auto expect_refused = [](const Matrix& probabilities, const Classes& classes,
                                 const std::vector<std::string>& parts) {
    expect_misuse([&] { negative_log_score(probabilities, classes); }, parts);
    expect_misuse([&] { brier_score(probabilities, classes); }, parts);
    expect_misuse([&] { calibration(probabilities, classes); }, parts);
  };
  expect_refused(two_classes({0.5F, 1.5F}), {0, 0}, {"[metrics.calibration]", "in [0, 1]", "row 1"});
  expect_refused(Matrix(1, 3, 0.3F), {0}, {"sum to 1", "row 0"});
  expect_refused(two_classes({0.5F, 0.5F}), {0, 2}, {"from 0 to 1", "got 2 in row 1"});
  expect_refused(two_classes({0.5F}), {-1}, {"got -1"});
  expect_refused(two_classes({0.5F, 0.5F}), {0}, {"[1, any]", "[2, 2]"});
}

TEST(Calibration, RowsThatAreNoNumbersAreCountedAndMakeOnlyTheirOwnScoresAndTheErrorsUnknown) {
  const Matrix probabilities = two_classes({0.75F, std::nanf(""), 0.75F, 0.75F, 0.75F});
  const Classes classes{1, 1, 0, 1, 1};
  for (const auto& scores : {negative_log_score(probabilities, classes), brier_score(probabilities, classes)}) {
    EXPECT_THAT(scores, testing::ElementsAre(testing::Lt(1.0), testing::IsNan(), testing::Gt(1.0), testing::Lt(1.0),
                                             testing::Lt(1.0)));
  }
  const Calibration found = calibration(probabilities, classes, 1);
  EXPECT_EQ(found.unknown, 1);
  ASSERT_EQ(found.bins.size(), 1U);
  EXPECT_EQ(found.bins[0].count, 4);
  EXPECT_EQ(found.bins[0].accuracy, 0.75);
  EXPECT_TRUE(std::isnan(found.expected_error));
  EXPECT_TRUE(std::isnan(found.debiased_squared_error));
  const Estimate error = calibration_error(probabilities, classes, 1);
  EXPECT_TRUE(std::isnan(error.value));
  EXPECT_TRUE(std::isnan(error.standard_error));
  EXPECT_TRUE(calibration(two_classes({std::nanf("")}), Classes{0}).bins.empty());
}

TEST(Calibration, NeedsRowsAndBins) {
  expect_misuse([] { calibration(two_classes({0.5F}), Classes{0}, 0); }, {"one bin"});
  expect_misuse([] { calibration(Matrix(0, 2), Classes{}); }, {"one row"});
  EXPECT_TRUE(brier_score(Matrix(0, 2), Classes{}).empty());
  EXPECT_TRUE(negative_log_score(Matrix(0, 2), Classes{}).empty());
}

TEST(Calibration, ASingleRowSaysNothingOfChance) {
  const Calibration found = calibration(two_classes({0.75F}), Classes{1});
  EXPECT_EQ(found.expected_error, 0.25);
  EXPECT_TRUE(std::isnan(found.debiased_squared_error));
}

TEST(CalibrationError, HasTheJackknifesErrorOverReferences) {
  // Equal confidences make one bin, whose error is |accuracy - 3/4|.
  const Matrix probabilities = two_classes(std::vector<float>(8, 0.75F));
  const Estimate found = calibration_error(probabilities, Classes{1, 1, 1, 1, 0, 0, 1, 1}, 2);
  EXPECT_EQ(found.n, 4);
  EXPECT_NEAR(found.value, 0.0, 1e-12);
  // Without the first, second or fourth: |2/3 - 3/4| = 1/12; without the third: 1/4. Mean 1/8, squares 3 / 24^2 + 1/64.
  EXPECT_NEAR(found.standard_error, std::sqrt(0.75 * (3.0 / 576.0 + 1.0 / 64.0)), 1e-6);
  EXPECT_TRUE(std::isnan(calibration_error(probabilities, Classes(8, 1), 8).standard_error));
}

TEST(CalibrationError, RefusesRestartsThatDoNotDivideTheRows) {
  expect_misuse(
      [] {
        static_cast<void>(calibration_error(two_classes({0.5F, 0.5F, 0.5F}), Classes(3, 1), 2));
      },
      {"[metrics.calibration] restarts must be at least 1 and divide the 3 rows, got 2"});
}

}  // namespace
}  // namespace vaeguard::metrics
