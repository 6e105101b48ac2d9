// The words of tables' columns: those of the records' columns and metrics, wherever these stand.
#include "vaeguard/reports/columns.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/reports/made_up_records.h"
#include "vaeguard/metrics/catalogue.h"
#include "vaeguard/metrics/columns.h"
#include "vaeguard/reports/run_charts.h"
#include "vaeguard/reports/summary_table.h"

namespace vaeguard::reports {
namespace {

/// How many columns are those of metrics and of records, whose words they must have.
int count_known(const Table& table) {
  int known = 0;
  for (const TableColumn& column : table.columns) {
    if (const auto* metric = metrics::catalogue().lookup(column.key)) {
      EXPECT_TRUE(column.title.starts_with(metric->title)) << column.title;  // an arrow may follow
      EXPECT_EQ(column.explanation, metric->description);
      ++known;
    } else if (const auto* entry = metrics::columns().lookup(column.key)) {
      EXPECT_EQ(column.title, entry->title);
      EXPECT_EQ(column.explanation, entry->description);
      ++known;
    }
  }
  return known;
}

TEST(Columns, OfTablesHaveTheWordsOfTheirMetricsAndRecords) {
  RunRecords run = made_up_run();
  run.measurements.push_back(made_up({}, "mean/mean", "skl", 120.0, 3.0));
  EXPECT_EQ(count_known(summary_table(run, "mean/mean")), 7);  // attack, radius, defence, two metrics, gradients, n
  EXPECT_EQ(count_known(*attack_table(run)), 4);
  EXPECT_EQ(count_known(*chain_table(run)), 9);
}

TEST(Columns, OfChainsHaveTheDigitsOfTheirMetrics) {
  RunRecords run = made_up_run();
  run.items.push_back({MadeUpCell{.defence = "hmc"}.name(), "mean", "rhat", 0, 0, 1.01234});
  const Table table = *chain_table(run);
  const auto rhat = std::ranges::find(table.columns, "rhat", &TableColumn::key) - table.columns.begin();
  EXPECT_EQ(table.rows.at(0).at(static_cast<std::size_t>(rhat)).text, "1.012");
}

TEST(Columns, HeadRowsOrHoldWordsOrNumbers) {
  EXPECT_TRUE(head_column("model").heads_rows);
  EXPECT_FALSE(head_column("model").number);
  EXPECT_FALSE(word_column("defence").heads_rows);
  EXPECT_FALSE(word_column("defence").number);
  EXPECT_TRUE(number_column("n").number);
  EXPECT_FALSE(number_column("n").has_interval);
  EXPECT_TRUE(metric_column("auddc").has_interval);
  EXPECT_EQ(metric_column("new_metric").title, "new_metric");
}

}  // namespace
}  // namespace vaeguard::reports
