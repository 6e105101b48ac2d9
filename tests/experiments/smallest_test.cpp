// Tables [[smallest]]: what is read, and the quantiles that records tell of known radii.
#include "vaeguard/experiments/smallest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "tests/expect_misuse.h"

namespace vaeguard::experiments {
namespace {

constexpr double kBeyond = std::numeric_limits<double>::infinity();

SmallestPlan read(std::string_view text) {
  const toml::table table = parse_toml(text, "test");
  return read_smallest(TableReader(table, "test"));
}

TEST(Smallest, ReadsAnAttackARangeAndARule) {
  const SmallestPlan plan = read(
      "goal='maximum_damage'\noptimiser='pgd'\nnorm='l2'\nlargest=3\nsteps=6\nrestarts=2\nsuccess='reconstruction'\n"
      "distance=5\ndraws=8\niterations=30");
  EXPECT_EQ(plan.attack.name, "maximum_damage");
  EXPECT_EQ(plan.attack.norm, attacks::Norm::l2);
  EXPECT_EQ(plan.attack.restarts, 2);
  EXPECT_EQ(plan.attack.draws, 8);
  EXPECT_EQ(plan.search.largest, 3.0);
  EXPECT_EQ(plan.search.steps, 6);
  ASSERT_TRUE(plan.search.success);
  EXPECT_EQ(plan.search.success->rule, attacks::Success::Rule::reconstruction);
  EXPECT_EQ(plan.search.success->distance, 5.0);
  EXPECT_EQ(read("goal='classifier_margin'\nlargest=0.3").search.success->rule, attacks::Success::Rule::other_class);
}

TEST(Smallest, NamesWhatCannotBe) {
  expect_misuse([] { read("goal='classifier_margin'"); }, {"largest"});
  expect_misuse([] { read("largest=-1"); }, {"radius", "-1"});
  expect_misuse([] { read("largest=1\nradii=[0.1]"); }, {"radii"});
  expect_misuse([] { read("largest=1\ndistance=2"); }, {"distance"});
  expect_misuse([] { read("largest=1\nsuccess='reconstruction'"); }, {"distance"});
  expect_misuse([] { read("largest=1\nsuccess='recon'"); }, {"reconstruction"});
  expect_misuse([] { read("largest=1\noptimiser='standard_linf'"); }, {"suite standard_linf"});
}

TEST(Smallest, RecordsTellOfTheSmallestRestartAndCountWhatHoldsOut) {
  SmallestPlan plan = read("goal='classifier_margin'\nlargest=0.4\nrestarts=2");
  // Least of two restarts each: 0.1, 0.2, 0.3, 0.4 and one beyond.
  const attacks::SmallestRadii found{.radius = {0.1, 0.3, kBeyond, 0.2, 0.3, 0.35, 0.4, kBeyond, kBeyond, kBeyond},
                                     .adversarial = {},
                                     .objective = {}};
  Measurement prototype;
  prototype.cell = "classifier_margin-smallest";
  const CellRecords records = measure_smallest(plan, found, prototype);
  std::map<std::string, double> radius;
  for (const Measurement& m : records.measurements) {
    EXPECT_EQ(m.defence, "none");
    EXPECT_EQ(m.radius, 0.4);
    EXPECT_EQ(m.n, 5);
    if (m.metric == "smallest_radius") {
      radius[m.protocol] = m.value;
    } else {
      EXPECT_EQ(m.metric, "radius_reached");
      EXPECT_DOUBLE_EQ(m.value, 0.8);
    }
  }
  EXPECT_EQ(radius["median/worst"], 0.3);
  EXPECT_EQ(radius["median_low/worst"], 0.0);  // five references are too few for an interval
  EXPECT_EQ(radius["median_high/worst"], kBeyond);
  EXPECT_EQ(radius["lower_quartile/worst"], 0.2);
  EXPECT_EQ(radius["upper_quartile/worst"], 0.4);
  ASSERT_EQ(records.items.size(), 10U);
  EXPECT_EQ(records.items[3].reference, 1);
  EXPECT_EQ(records.items[3].restart, 1);
  EXPECT_EQ(records.items[3].value, 0.2);
}

TEST(Smallest, RecordsTellOfWhichCodes) {
  const auto draws = [](const std::string& keys) {
    const SmallestPlan plan = read("goal='classifier_margin'\nlargest=0.4\n" + keys);
    std::vector<double> values;
    for (const Measurement& m :
         measure_smallest(plan, {.radius = {0.1}, .adversarial = {}, .objective = {}}, {}).measurements) {
      if (m.metric == "success_draws") {
        values.push_back(m.value);
      }
    }
    return values;
  };
  EXPECT_TRUE(draws("").empty());
  EXPECT_EQ(draws("draws=16"), std::vector{16.0});
}

}  // namespace
}  // namespace vaeguard::experiments
