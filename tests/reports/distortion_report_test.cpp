// The table and the charts of distortion curves, and that their cells appear nowhere else.
#include "vaeguard/reports/distortion_report.h"

#include <nlohmann/json.hpp>

#include "tests/reports/made_up_records.h"
#include "vaeguard/reports/scenario.h"
#include "vaeguard/reports/smallest_table.h"
#include "vaeguard/reports/summary_table.h"

namespace vaeguard::reports {
namespace {

void add(RunRecords& run, const std::string& model, const std::string& protocol, const std::string& metric,
         double share, double value) {
  measures::Measurement m = made_up({.attack = "latent_kl", .radius = share}, protocol, metric, value);
  m.cell = model + "-latent_kl-distortion";
  m.kind = measures::CellKind::distortion;
  m.model = model;
  m.norm = "l2_share";
  run.measurements.push_back(m);
}

RunRecords with_curves() {
  RunRecords run = made_up_run();
  for (const std::string model : {"vae", "beta_vae_5"}) {
    add(run, model, "mean/mean", "auddc", 1.0, 0.9);
    add(run, model, "mean/worst", "auddc", 1.0, model == "vae" ? 0.12345 : 0.3);
    for (const double share : {0.5, 0.0, 0.25, 0.1}) {
      add(run, model, "mean/worst", "remaining_distance", share, 1.0 - share);
    }
  }
  run.items.push_back({"vae-latent_kl-distortion", "mean", "auddc", 0, 0, 0.1});
  return run;
}

TEST(DistortionReport, TheTableHasARowAModelAndAttack) {
  const auto table = distortion_table(with_curves());
  ASSERT_TRUE(table);
  ASSERT_EQ(table->rows.size(), 2U);
  EXPECT_EQ(table->columns[2].title, "AUDDC");
  EXPECT_EQ(table->columns[4].title, "Distance left at 0.25");
  EXPECT_EQ(table->columns[4].key, "left_at_0.25");
  EXPECT_EQ(table->rows[0][1].text, "Latent-space attack");
  EXPECT_EQ(table->rows[0][2].text, "0.123");
  EXPECT_EQ(table->rows[1][0].text, "β-VAE, β = 5");
  EXPECT_EQ(table->rows[1][4].text, "0.75");  // at a quarter of the way
  EXPECT_EQ(table->rows[1][6].text, "–");     // not measured at 1
  EXPECT_EQ(table->rows[1][7].text, "50");
  EXPECT_FALSE(distortion_table(made_up_run()));
}

TEST(DistortionReport, AChartAnAttackHasACurveAModelFromZeroOn) {
  const auto charts = distortion_charts(with_curves());
  ASSERT_EQ(charts.size(), 1U);
  const auto spec = nlohmann::json::parse(charts[0].spec);
  EXPECT_EQ(spec.at("layer").at(1).at("data").at("values").size(), 8U);
  EXPECT_EQ(spec.at("layer").at(1).at("data").at("values").at(0).at("x"), 0.0);
  EXPECT_TRUE(distortion_charts(made_up_run()).empty());
}

TEST(DistortionReport, IsTheOnlyPlaceWhereItsCellsAppear) {
  const RunRecords run = with_curves();
  EXPECT_EQ(scenarios(run).size(), scenarios(made_up_run()).size());
  EXPECT_EQ(protocols(run), protocols(made_up_run()));
  EXPECT_EQ(to_csv(summary_table(run, "mean/worst")), to_csv(summary_table(made_up_run(), "mean/worst")));
  EXPECT_FALSE(smallest_table(run));
}

}  // namespace
}  // namespace vaeguard::reports
