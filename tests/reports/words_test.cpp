// Numbers and names as people read them.
#include "vaeguard/reports/words.h"

#include <gtest/gtest.h>

#include <limits>

#include "vaeguard/attacks/registry.h"
#include "vaeguard/defences/registry.h"
#include "vaeguard/metrics/catalogue.h"

namespace vaeguard::reports {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Words, NumbersThatAreNoneAreSaidToBe) {
  EXPECT_EQ(number_words(kNan, 2), "NaN");
  EXPECT_EQ(number_words(-kNan, 2), "NaN");
  EXPECT_EQ(number_words(kInfinity, 2), "∞");
  EXPECT_EQ(number_words(-kInfinity, 2), "−∞");
  EXPECT_EQ(count_words(kNan), "NaN");
  EXPECT_EQ(plain_number(kInfinity), "∞");
}

TEST(Words, NumbersKeepTheirDigitsAndLoseANegativeZero) {
  EXPECT_EQ(number_words(0.876, 2), "0.88");
  EXPECT_EQ(number_words(-1.25, 1), "−1.2");
  EXPECT_EQ(number_words(-0.001, 2), "0.00");
  EXPECT_EQ(number_words(578.7, 0), "579");
}

TEST(Words, CountsHaveThousandsSeparators) {
  EXPECT_EQ(count_words(0), "0");
  EXPECT_EQ(count_words(630), "630");
  EXPECT_EQ(count_words(15750), "15,750");
  EXPECT_EQ(count_words(1234567.5), "1,234,567.5");
  EXPECT_EQ(count_words(-1000), "−1,000");
  EXPECT_EQ(count_words(-100), "−100");
}

TEST(Words, EveryMetricOfTheCatalogueHasATitleAndAnExplanation) {
  for (const metrics::MetricEntry& entry : metrics::catalogue()) {
    const MetricWords words = metric_words(entry.name);
    EXPECT_NE(words.title, entry.name);
    EXPECT_FALSE(words.explanation.empty()) << entry.name;
    EXPECT_EQ(words.better, entry.higher_is_better ? Better::higher : Better::lower);
    EXPECT_EQ(words.proportion, entry.proportion);
    EXPECT_EQ(words.range.least, entry.range.least);
    EXPECT_EQ(words.range.most, entry.range.most);
  }
}

TEST(Words, WhatPlansNameIsCalledAsItsEntrySays) {
  for (const defences::DefenceEntry& entry : defences::defences()) {
    EXPECT_EQ(defence_words(entry.name), entry.title);
    EXPECT_THAT(defence_explanation(entry.name), testing::AllOf(testing::HasSubstr(std::string(entry.description)),
                                                                testing::HasSubstr(std::string(entry.caution))));
  }
  for (const attacks::GoalEntry& entry : attacks::goals()) {
    EXPECT_EQ(attack_words(entry.name), entry.title);
    EXPECT_EQ(attack_explanation(entry.name), entry.description);
  }
  for (const NormEntry& entry : norms()) {
    EXPECT_EQ(norm_words(entry.name), entry.title);
    EXPECT_EQ(norm_explanation(entry.name), entry.description);
  }
  EXPECT_EQ(attack_words("standard_l2"), attacks::suites().find("standard_l2").title);
  EXPECT_EQ(attack_words("noise"), "Random noise");
  EXPECT_EQ(attack_words("clean"), "No attack");
}

TEST(Words, OfAttacksSayWhichPixelsMove) {
  EXPECT_EQ(attack_words("encoder_skl_unsaturated_random_radii_decoy"),
            attack_words("encoder_skl") + ", unsaturated pixels, random radii, decoy");
  EXPECT_EQ(attack_words("mine_random_radii"), "mine, random radii");
  EXPECT_EQ(attack_explanation("classifier_ce_unsaturated"),
            attack_explanation("classifier_ce") + " Pixels near black or white are left alone.");
  EXPECT_EQ(attack_explanation("mine_unsaturated"), "Pixels near black or white are left alone.");
}

TEST(Words, OfEstimatesAndOfTheScoresThatDetectAttacks) {
  EXPECT_EQ(aggregation_words("mean"), "mean over draws");
  EXPECT_EQ(aggregation_words("energy_drop"), "detection by energy drop");
  EXPECT_EQ(aggregation_words("touched"), "detection by touched pixels");
  EXPECT_EQ(aggregation_words("encoder_shift"), "detection by shift of the code");
}

TEST(Words, UnknownNamesStandForThemselves) {
  EXPECT_EQ(metric_words("new_metric").title, "new_metric");
  EXPECT_EQ(metric_words("new_metric").better, Better::neither);
  EXPECT_EQ(metric_words("new_ms_ssim").range.most, kInfinity);  // a name tells nothing of its values
  EXPECT_EQ(attack_words("new_attack"), "new_attack");
  EXPECT_EQ(norm_words("new_norm"), "new_norm");
  EXPECT_EQ(norm_words("none"), "");
  EXPECT_EQ(norm_explanation("none"), "");
  EXPECT_EQ(defence_words("new_defence"), "new_defence");
  EXPECT_EQ(defence_explanation("new_defence"), "");
}

}  // namespace
}  // namespace vaeguard::reports
