// Detection measurements: from items of two cells to rates, and what is missing.
#include "vaeguard/measures/detect.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vaeguard::measures {
namespace {

std::vector<Item> items_of(const std::vector<double>& values) {
  std::vector<Item> items;
  for (std::size_t i = 0; i < values.size(); ++i) {
    items.push_back({"cell", "mean", "energy_drop", static_cast<std::int64_t>(i), 0, values[i]});
  }
  return items;
}

TEST(Detect, CountsPairsOfCleanAndAttackedImages) {
  Measurement prototype;
  prototype.cell = "encoder_skl-linf-0.1-map";
  const auto result =
      measure_detection("energy_drop", items_of({1.0, 2.0, 3.0, 4.0}), items_of({2.5, 3.5, 5.0, 6.0}), prototype);
  ASSERT_EQ(result.size(), 2U);
  EXPECT_EQ(result[0].metric, "auroc");
  EXPECT_EQ(result[0].score, "energy_drop");
  EXPECT_EQ(result[0].estimate, "mean");
  EXPECT_EQ(result[0].restarts, "mean");
  EXPECT_EQ(result[0].cell, prototype.cell);
  EXPECT_DOUBLE_EQ(result[0].value, (2.0 + 3.0 + 4.0 + 4.0) / 16.0);
  EXPECT_EQ(result[1].metric, "true_positives_at_1_percent");
  EXPECT_DOUBLE_EQ(result[1].value, 0.5);  // above all clean scores
}

TEST(Detect, AScoreThatIsNoNumberIsNotSuspicious) {
  const auto result = measure_detection("energy_drop", items_of({0.0, 1.0}), items_of({std::nan(""), 2.0}), {});
  EXPECT_DOUBLE_EQ(result[0].value, 0.5);
}

TEST(Detect, SaysNothingWhereOneSideHasNoScore) {
  EXPECT_TRUE(measure_detection("touched", {}, items_of({1.0}), {}).empty());
  EXPECT_TRUE(measure_detection("touched", items_of({1.0}), {}, {}).empty());
}

}  // namespace
}  // namespace vaeguard::measures
