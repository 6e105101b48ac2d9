// Tables [[distortion]]: what records tell of known curves.
#include "vaeguard/measures/distortion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "vaeguard/plans/distortion_plan.h"
#include "vaeguard/plans/toml.h"

namespace vaeguard::measures {
namespace {

plans::AttackPlan read(std::string_view text) {
  const Value table = plans::parse_toml(text, "test");
  return plans::read_distortion(OptionReader(table, "test"));
}

TEST(Distortion, RecordsTellOfAreasAndOfWhatIsLeft) {
  plans::AttackPlan plan = read("goal='latent_kl'\nrestarts=2");
  // Two references with two restarts each: half of the distance left after half of the way, a quarter, none, all.
  std::vector<attacks::DistortionCurve> curves;
  for (const double left : {0.5, 0.25, 0.0, 1.0}) {
    curves.emplace_back(std::vector<attacks::SweepPoint>{{0.5, -left}}, 1.0, 1.0);
  }
  Measurement prototype;
  prototype.cell = "latent_kl-distortion";
  const CellRecords records = measure_distortion(plan, curves, prototype);
  double mean = 0.0;
  double worst = 0.0;
  std::vector<double> places;
  for (const Measurement& m : records.measurements) {
    EXPECT_EQ(m.n, 2);
    EXPECT_EQ(m.norm, "l2_share");
    if (m.metric == "auddc") {
      (m.restarts == "mean" ? mean : worst) = m.value;
    } else if (m.restarts == "worst") {
      places.push_back(m.value);
    }
  }
  // (1 + left) / 4 of the first half and left / 2 of the second.
  const auto area = [](double left) { return (1.0 + left) / 4.0 + left / 2.0; };
  EXPECT_DOUBLE_EQ(mean, (area(0.5) + area(0.25) + area(0.0) + area(1.0)) / 4.0);
  EXPECT_DOUBLE_EQ(worst, (area(0.25) + area(0.0)) / 2.0);
  ASSERT_EQ(places.size(), 21U);
  EXPECT_DOUBLE_EQ(places[0], 1.0);
  EXPECT_DOUBLE_EQ(places[5], (0.625 + 0.5) / 2.0);
  EXPECT_DOUBLE_EQ(places[20], 0.125);
  ASSERT_EQ(records.items.size(), 4U);
  EXPECT_EQ(records.items[3].reference, 1);
  EXPECT_DOUBLE_EQ(records.items[3].value, area(1.0));
}

}  // namespace
}  // namespace vaeguard::measures
