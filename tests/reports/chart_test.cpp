// Charts carry the data they were given, and nothing that a browser cannot draw.
#include "vaeguard/reports/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "tests/reports/made_up_records.h"
#include "vaeguard/reports/run_charts.h"

namespace vaeguard::reports {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(HistogramChart, HoldsCountsOfAllValuesAndSaysWhatItLeftOut) {
  const Chart chart =
      histogram_chart("id", "title", {{"before", "#000000", {1.0, 2.0, kNan}}, {"after", "#ffffff", {3.0}}},
                      {.x_title = "ratio", .y_title = "images", .bins = 4});
  std::map<std::string, int> total;
  const Json spec = Json::parse(chart.spec);
  for (const Json& bar : spec.at("data").at("values")) {
    EXPECT_LT(bar.at("low").get<double>(), bar.at("high").get<double>());
    total[bar.at("series")] += bar.at("count").get<int>();
  }
  EXPECT_EQ(total, (std::map<std::string, int>{{"before", 2}, {"after", 1}}));
  EXPECT_THAT(chart.note, HasSubstr("1 values that cannot be drawn"));
  EXPECT_THAT(chart.description, HasSubstr("before 1.500, after 3.000"));
}

TEST(HistogramChart, OfNothingIsEmptyButValid) {
  const Chart chart = histogram_chart("id", "title", {{"before", "#000000", {}}}, {});
  EXPECT_TRUE(Json::parse(chart.spec).at("data").at("values").empty());
  EXPECT_THAT(chart.description, HasSubstr("NaN"));
}

TEST(HistogramChart, LabelsThatAreNotUtf8AreMended) {
  const Chart chart = histogram_chart("id", "title", {{"\xff", "#000000", {1.0}}}, {});
  EXPECT_NO_THROW(Json::parse(chart.spec));
}

TEST(CurveChart, PutsTheStartOnALevelLineAndTheRestOnTheLogarithmicAxis) {
  const Chart chart =
      curve_chart("id", "title",
                  {{.label = "HMC",
                    .colour = "#000000",
                    .samples = {{0, 0.7, 0.6, 0.8}, {21, 0.8, 0.7, 0.9}, {42, kNan, 0, 0}, {84, 0.9, kNan, kNan}}}},
                  {.x_title = "gradients", .y_title = "MS-SSIM"});
  const Json layers = Json::parse(chart.spec).at("layer");
  const Json& points = layers.at(1).at("data").at("values");
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points.at(0).at("low"), 0.7);
  EXPECT_FALSE(points.at(1).contains("low"));
  const Json& levels = layers.at(2).at("data").at("values");
  ASSERT_EQ(levels.size(), 1U);
  EXPECT_EQ(levels.at(0).at("y"), 0.7);
  EXPECT_EQ(layers.at(1).at("encoding").at("x").at("scale").at("type"), "log");
}

TEST(CurveChart, ALinearAxisShowsZeroAndSaysNothingOfDraws) {
  const Chart chart =
      curve_chart("id", "title", {{.label = "VAE", .colour = "#000000", .samples = {{0, 1, 1, 1}, {0.5, 0, 0, 0.1}}}},
                  {.x_title = "share", .y_title = "left", .logarithmic = false});
  const Json layers = Json::parse(chart.spec).at("layer");
  EXPECT_EQ(layers.at(1).at("data").at("values").size(), 2U);
  EXPECT_TRUE(layers.at(2).at("data").at("values").empty());
  EXPECT_EQ(layers.at(1).at("encoding").at("x").at("scale").at("type"), "linear");
  EXPECT_FALSE(layers.at(1).at("encoding").contains("strokeDash"));
  EXPECT_EQ(chart.note, "");
  EXPECT_EQ(chart.description, "left against share: title. VAE, ends at 0.000 after 0.5.");
}

TEST(RunCharts, OneRatioHistogramForEachAttackedScenario) {
  const auto charts = posterior_ratio_charts(made_up_run());
  ASSERT_EQ(charts.size(), 1U);
  EXPECT_EQ(charts[0].title, "Encoder attack, L∞ radius 0.1");
  EXPECT_THAT(charts[0].description, HasSubstr("None 109.500, HMC 9.500"));
}

TEST(RunCharts, CurvesChainsAndTheirTableAreMadeFromItemsAndPoints) {
  const RunRecords run = made_up_run();
  ASSERT_EQ(curve_charts(run).size(), 1U);
  EXPECT_EQ(curve_charts(run)[0].group, "MS-SSIM (paper)");
  EXPECT_EQ(chain_charts(run).size(), 2U);
  const auto table = chain_table(run);
  ASSERT_TRUE(table);
  ASSERT_EQ(table->rows.size(), 1U);
  EXPECT_EQ(table->rows[0][2].text, "20");
  EXPECT_EQ(table->rows[0][10].text, "6");
  EXPECT_EQ(table->rows[0][11].text, "3");
  EXPECT_EQ(table->rows[0][12].text, "Draw more. Wait.");
}

TEST(RunCharts, AnEmptyRunHasNone) {
  EXPECT_TRUE(posterior_ratio_charts({}).empty());
  EXPECT_TRUE(curve_charts({}).empty());
  EXPECT_TRUE(chain_charts({}).empty());
  EXPECT_FALSE(chain_table({}));
}

}  // namespace
}  // namespace vaeguard::reports
