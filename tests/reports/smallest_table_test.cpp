// The table of smallest radii: medians, censored ones, and no trace among the scenarios.
#include "vaeguard/reports/smallest_table.h"

#include <limits>

#include "tests/reports/made_up_records.h"
#include "vaeguard/reports/scenario.h"
#include "vaeguard/reports/summary_table.h"

namespace vaeguard::reports {
namespace {

constexpr double kBeyond = std::numeric_limits<double>::infinity();

void add(RunRecords& run, const std::string& quantile, const std::string& metric, double value) {
  measures::Measurement m = made_up({.attack = "maximum_damage", .radius = 3.0}, "mean/worst", metric, value, 0.0);
  m.cell = "maximum_damage-smallest";
  m.kind = measures::CellKind::smallest;
  m.quantile = quantile;
  run.measurements.push_back(m);
}

RunRecords with_radii() {
  RunRecords run = made_up_run();
  add(run, "median", "smallest_radius", 0.51234);
  add(run, "median_low", "smallest_radius", 0.25);
  add(run, "median_high", "smallest_radius", kBeyond);
  add(run, "lower_quartile", "smallest_radius", 0.125);
  add(run, "upper_quartile", "smallest_radius", kBeyond);
  add(run, "", "radius_reached", 0.74);
  add(run, "", "success_distance", 5.0);
  run.items.push_back({"maximum_damage-smallest", "mean", "smallest_radius", 0, 0, kBeyond});
  return run;
}

std::string text_of(const Table& table, const std::string& key) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].key == key) {
      return table.rows.at(0)[i].text + " " + table.rows.at(0)[i].interval;
    }
  }
  return "no column";
}

TEST(SmallestTable, ShowsMedianQuartilesAndWhatHeldOut) {
  const auto table = smallest_table(with_radii());
  ASSERT_TRUE(table);
  ASSERT_EQ(table->rows.size(), 1U);
  EXPECT_EQ(text_of(*table, "median"), "0.5123 [0.2500, over 3]");
  EXPECT_EQ(text_of(*table, "lower_quartile"), "0.1250 ");
  EXPECT_EQ(text_of(*table, "upper_quartile"), "over 3 ");
  EXPECT_EQ(text_of(*table, "success"), "reconstruction moved by more than 5 ");
  EXPECT_EQ(text_of(*table, "reached"), "0.74 [0.60, 0.84]");  // Wilson's of 37 of 50
  EXPECT_THAT(table->caption, testing::HasSubstr("undefended model"));
  EXPECT_FALSE(smallest_table(made_up_run()));
}

TEST(SmallestTable, SaysOfHowManyCodes) {
  RunRecords run = with_radii();
  add(run, "", "success_draws", 16.0);
  EXPECT_EQ(text_of(*smallest_table(run), "success"),
            "reconstruction moved by more than 5, for most of 16 drawn codes ");
}

TEST(SmallestTable, IsTheOnlyPlaceWhereItsCellsAppear) {
  const RunRecords run = with_radii();
  EXPECT_EQ(scenarios(run).size(), scenarios(made_up_run()).size());
  EXPECT_EQ(protocols(run), protocols(made_up_run()));
  EXPECT_EQ(to_csv(summary_table(run, "mean/worst")), to_csv(summary_table(made_up_run(), "mean/worst")));
}

}  // namespace
}  // namespace vaeguard::reports
