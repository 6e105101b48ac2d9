// Tables [[smallest]]: the quantiles that records tell of known radii.
#include "vaeguard/measures/smallest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "vaeguard/plans/smallest_plan.h"
#include "vaeguard/plans/toml.h"

namespace vaeguard::measures {
namespace {

constexpr double kBeyond = std::numeric_limits<double>::infinity();

plans::SmallestPlan read(std::string_view text) {
  const Value table = plans::parse_toml(text, "test");
  return plans::read_smallest(OptionReader(table, "test"));
}

TEST(Smallest, RecordsTellOfTheSmallestRestartAndCountWhatHoldsOut) {
  plans::SmallestPlan plan = read("goal='classifier_margin'\nlargest=0.4\nrestarts=2");
  // Least of two restarts each: 0.1, 0.2, 0.3, 0.4 and one beyond.
  const attacks::SmallestRadii found{.radius = {0.1, 0.3, kBeyond, 0.2, 0.3, 0.35, 0.4, kBeyond, kBeyond, kBeyond},
                                     .adversarial = {},
                                     .objective = {}};
  Measurement prototype;
  prototype.cell = "classifier_margin-smallest";
  prototype.defence = "none";
  const CellRecords records = measure_smallest(plan, found, prototype);
  std::map<std::string, double> radius;
  for (const Measurement& m : records.measurements) {
    EXPECT_EQ(m.defence, "none");
    EXPECT_EQ(m.radius, 0.4);
    EXPECT_EQ(m.n, 5);
    if (m.metric == "smallest_radius") {
      radius[m.quantile] = m.value;
    } else {
      EXPECT_EQ(m.metric, "radius_reached");
      EXPECT_DOUBLE_EQ(m.value, 0.8);
    }
  }
  EXPECT_EQ(radius["median"], 0.3);
  EXPECT_EQ(radius["median_low"], 0.0);  // five references are too few for an interval
  EXPECT_EQ(radius["median_high"], kBeyond);
  EXPECT_EQ(radius["lower_quartile"], 0.2);
  EXPECT_EQ(radius["upper_quartile"], 0.4);
  ASSERT_EQ(records.items.size(), 10U);
  EXPECT_EQ(records.items[3].reference, 1);
  EXPECT_EQ(records.items[3].restart, 1);
  EXPECT_EQ(records.items[3].value, 0.2);
}

TEST(Smallest, RecordsTellOfWhichCodes) {
  const auto draws = [](const std::string& keys) {
    const plans::SmallestPlan plan = read("goal='classifier_margin'\nlargest=0.4\n" + keys);
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
}  // namespace vaeguard::measures
