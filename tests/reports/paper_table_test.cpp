// The paper's printed rows stand beside runs of their data set alone.
#include "vaeguard/reports/paper_table.h"

#include <gtest/gtest.h>

#include "tests/reports/made_up_records.h"

namespace vaeguard::reports {
namespace {

TEST(PaperTable, StandsBesideItsDataSetAlone) {
  RunRecords run = made_up_run();
  ASSERT_TRUE(paper_table(run));
  EXPECT_EQ(paper_table(run)->rows[1][1].text, "0.88 (0.01)");
  run.measurements[0].dataset = "fashion_mnist";
  EXPECT_FALSE(paper_table(run));
  for (measures::Measurement& measurement : run.measurements) {
    measurement.dataset = "fashion_mnist";
  }
  EXPECT_EQ(paper_table(run)->rows[1][1].text, "0.66 (0.03)");
  for (measures::Measurement& measurement : run.measurements) {
    measurement.dataset = "synthetic";
  }
  EXPECT_FALSE(paper_table(run));
  EXPECT_FALSE(paper_table(RunRecords{}));
}

}  // namespace
}  // namespace vaeguard::reports
