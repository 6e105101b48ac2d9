// The summary table: order of rows, what stands in for what, and which differences are marked.
#include "vaeguard/reports/summary_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/reports/made_up_records.h"
#include "vaeguard/reports/scenario.h"

namespace vaeguard::reports {
namespace {

using testing::ElementsAre;

const TableCell& cell_of(const Table& table, std::size_t row, const std::string& key) {
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    if (table.columns[column].key == key) {
      return table.rows.at(row).at(column);
    }
  }
  throw std::out_of_range(key);
}

TEST(SummaryTable, ProtocolsBeginWithMeanOverMean) {
  EXPECT_THAT(protocols(made_up_run()), ElementsAre("mean/mean", "draw/mean", "mean/worst"));
}

TEST(SummaryTable, RowsAreCleanFirstAndUndefendedFirst) {
  const Table table = summary_table(made_up_run(), "mean/mean");
  ASSERT_EQ(table.rows.size(), 4U);
  EXPECT_EQ(cell_of(table, 0, "attack").raw, "clean");
  EXPECT_EQ(cell_of(table, 0, "defence").raw, "none");
  EXPECT_EQ(cell_of(table, 1, "defence").raw, "hmc");
  EXPECT_EQ(cell_of(table, 2, "attack").raw, "encoder_skl");
  EXPECT_EQ(cell_of(table, 2, "defence").raw, "none");
  EXPECT_EQ(cell_of(table, 3, "gradients").text, "15,750");
  EXPECT_EQ(cell_of(table, 3, "n").text, "50");
}

TEST(SummaryTable, ShowsStudentAndWilsonIntervals) {
  const Table table = summary_table(made_up_run(), "mean/mean");
  EXPECT_EQ(cell_of(table, 3, "ms_ssim_kuzina22").text, "0.88");
  EXPECT_EQ(cell_of(table, 3, "ms_ssim_kuzina22").interval, "[0.86, 0.90]");  // 0.88 -+ 2.01 * 0.01
  EXPECT_EQ(cell_of(table, 2, "agreement").interval, "[0.00, 0.07]");         // 3.84 / 53.84
}

TEST(SummaryTable, MarksOnlyWhatDisjointIntervalsCarry) {
  RunRecords run = made_up_run();
  const Table table = summary_table(run, "mean/mean");
  EXPECT_EQ(cell_of(table, 3, "ms_ssim_kuzina22").mark, Mark::better);
  EXPECT_EQ(cell_of(table, 1, "ms_ssim_kuzina22").mark, Mark::none);
  EXPECT_EQ(cell_of(table, 2, "ms_ssim_kuzina22").mark, Mark::none);
  for (auto& measurement : run.measurements) {
    measurement.metric = measurement.metric == "ms_ssim_kuzina22" ? "mse255" : measurement.metric;
  }
  EXPECT_EQ(cell_of(summary_table(run, "mean/mean"), 3, "mse255").mark, Mark::worse);  // lower is better
}

TEST(SummaryTable, IntervalsEndWhereTheMetricDoes) {
  RunRecords run;
  run.measurements = {
      made_up({}, "mean/mean", "ms_ssim_wang03", 0.99, 0.02), made_up({}, "mean/mean", "mse255", 10.0, 10.0),
      made_up({}, "mean/mean", "brier_score", 1.95, 0.1), made_up({}, "mean/mean", "log_posterior_ratio", 0.0, 1.0)};
  const Table table = summary_table(run, "mean/mean");
  EXPECT_EQ(cell_of(table, 0, "ms_ssim_wang03").interval, "[0.95, 1.00]");
  EXPECT_EQ(cell_of(table, 0, "mse255").interval, "[0, 30]");
  EXPECT_EQ(cell_of(table, 0, "brier_score").interval, "[1.75, 2.00]");
  EXPECT_EQ(cell_of(table, 0, "log_posterior_ratio").interval, "[−2.0, 2.0]");
}

TEST(SummaryTable, NanIsShownAsSuchWithoutInterval) {
  RunRecords run;
  run.measurements = {made_up({}, "mean/mean", "mse255", std::numeric_limits<double>::quiet_NaN())};
  const TableCell cell = cell_of(summary_table(run, "mean/mean"), 0, "mse255");
  EXPECT_EQ(cell.text, "NaN");
  EXPECT_EQ(cell.interval, "");
  EXPECT_EQ(cell.mark, Mark::none);
}

TEST(SummaryTable, WhatWasNotMeasuredIsADashNotAnotherProtocolsNumber) {
  RunRecords run;
  const MadeUpCell hmc{.defence = "hmc"};
  run.measurements = {made_up({}, "draw/mean", "mse255", 5.0), made_up(hmc, "draw/mean", "mse255", 4.0),
                      made_up(hmc, "mean/mean", "agreement", 0.5)};
  const Table table = summary_table(run, "mean/mean");
  EXPECT_EQ(cell_of(table, 0, "mse255").text, "5");  // no defence, so no draws: the same number
  EXPECT_EQ(cell_of(table, 1, "mse255").text, "–");
  EXPECT_EQ(cell_of(table, 0, "agreement").text, "–");
  EXPECT_EQ(cell_of(summary_table(run, "draw/worst"), 0, "mse255").text, "–");
}

TEST(SummaryTable, CleanImagesHaveNoRestartsSoAnyCountStandsIn) {
  RunRecords run;
  run.measurements = {made_up({"clean", 0.0, "hmc"}, "draw/mean", "mse255", 5.0),
                      made_up({"clean", 0.0, "hmc"}, "mean/mean", "mse255", 4.0)};
  EXPECT_EQ(cell_of(summary_table(run, "draw/worst"), 0, "mse255").text, "5");
}

TEST(SummaryTable, NamesTheModelOnlyWhereThereAreSeveral) {
  RunRecords run = made_up_run();
  EXPECT_THROW(cell_of(summary_table(run, "mean/mean"), 0, "model"), std::out_of_range);
  run.measurements.push_back(run.measurements.front());
  run.measurements.back().cell += "-other";
  run.measurements.back().model = "beta_vae_5";
  EXPECT_EQ(cell_of(summary_table(run, "mean/mean"), 0, "model").text, "VAE");
  const auto all = scenarios(run);
  EXPECT_EQ(all.back().title(), "β-VAE, β = 5: Encoder attack, L∞ radius 0.1");
  EXPECT_EQ(all.back().name(), "beta_vae_5-encoder_skl-linf-0.1");
  EXPECT_EQ(scenarios(made_up_run()).back().name(), "encoder_skl-linf-0.1");
}

TEST(SummaryTable, ModelsStandBesideOneAnotherInTheOrderOfTheRun) {
  RunRecords run;
  for (const std::string model : {"vae", "beta_tcvae_2"}) {
    measures::Measurement elbo = made_up({"clean", 0.0, "none"}, "mean/mean", "elbo", -95.0, 0.2);
    elbo.cell = model + "-model";
    elbo.kind = measures::CellKind::model;
    elbo.model = model;
    run.measurements.push_back(elbo);
  }
  run.measurements.push_back(run.measurements[0]);
  run.measurements.back().metric = "nll";
  ASSERT_TRUE(model_table(run));
  EXPECT_EQ(model_table(run)->rows.size(), 2U);
  EXPECT_EQ(cell_of(*model_table(run), 0, "nll").text, "−95.00");
  EXPECT_EQ(cell_of(*model_table(run), 1, "model").text, "β-TCVAE, β = 2");
  EXPECT_EQ(cell_of(*model_table(run), 1, "nll").text, "–");
  EXPECT_TRUE(scenarios(run).empty());
}

TEST(SummaryTable, ShowsAllScoresOfProbabilitiesForVotesAlone) {
  RunRecords run = made_up_run();
  for (const std::string protocol : {"mean/mean", "vote/mean"}) {
    run.measurements.push_back(made_up({.defence = "hmc"}, protocol, "brier_score", 0.3));
    run.measurements.push_back(made_up({.defence = "hmc"}, protocol, "calibration_error", 0.1));
  }
  EXPECT_NO_THROW(cell_of(summary_table(run, "mean/mean"), 0, "brier_score"));
  EXPECT_THROW(cell_of(summary_table(run, "mean/mean"), 0, "calibration_error"), std::out_of_range);
  EXPECT_EQ(cell_of(summary_table(run, "vote/mean"), 0, "calibration_error").text, "0.10");
}

TEST(SummaryTable, ChainsAttacksAndTheModelHaveTablesOfTheirOwn) {
  RunRecords run = made_up_run();
  run.measurements.push_back(made_up({}, "mean/mean", "skl", 120.0, 3.0));
  run.measurements.push_back(made_up({.defence = "hmc"}, "mean/mean", "acceptance", 0.8));
  measures::Measurement elbo = made_up({"clean", 0.0, "none"}, "mean/mean", "elbo", -95.0, 0.2);
  elbo.cell = "model";
  elbo.kind = measures::CellKind::model;
  run.measurements.push_back(elbo);
  const Table table = summary_table(run, "mean/mean");
  EXPECT_THROW(cell_of(table, 0, "skl"), std::out_of_range);
  EXPECT_THROW(cell_of(table, 0, "acceptance"), std::out_of_range);
  EXPECT_THROW(cell_of(table, 0, "elbo"), std::out_of_range);
  EXPECT_EQ(table.rows.size(), 4U);
  ASSERT_TRUE(attack_table(run));
  EXPECT_EQ(attack_table(run)->rows.size(), 1U);
  EXPECT_EQ(cell_of(*attack_table(run), 0, "skl").text, "120.0");
  ASSERT_TRUE(model_table(run));
  EXPECT_EQ(cell_of(*model_table(run), 0, "elbo").text, "−95.00");
  EXPECT_FALSE(model_table(made_up_run()));
  EXPECT_FALSE(attack_table(made_up_run()));
}

TEST(SummaryTable, AnEmptyRunHasNoRows) {
  EXPECT_TRUE(protocols({}).empty());
  EXPECT_TRUE(summary_table({}, "mean/mean").rows.empty());
}

}  // namespace
}  // namespace vaeguard::reports
