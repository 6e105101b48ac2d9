// Words for kinds of cells.
#include "vaeguard/measures/record.h"

#include <gtest/gtest.h>

#include "tests/expect_misuse.h"

namespace vaeguard::measures {
namespace {

TEST(Record, KindsOfCellsHaveWordsThatReadBack) {
  for (const CellKind kind :
       {CellKind::scenario, CellKind::model, CellKind::inception, CellKind::smallest, CellKind::distortion}) {
    EXPECT_EQ(cell_kind(name(kind)), kind);
  }
  EXPECT_EQ(name(CellKind::smallest), "smallest");
  expect_misuse([] { (void)cell_kind("scenari"); }, {"kind of cell", "scenari", "scenario"});
}

}  // namespace
}  // namespace vaeguard::measures
