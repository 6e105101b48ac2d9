// The store: all of a cell or nothing, read back exactly, and clear errors for foreign files.
#include "vaeguard/runs/store.h"

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cmath>
#include <fstream>

#include "tests/expect_misuse.h"
#include "vaeguard/base/error.h"
#include "vaeguard/metrics/columns.h"

namespace vaeguard::runs {
namespace {

constexpr std::string_view kDigest = "0a1b";

std::filesystem::path fresh_folder() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const auto folder = std::filesystem::path(testing::TempDir()) / (std::string("store-") + test->name());
  remove_all(folder);
  create_directories(folder);
  return folder;
}

measures::CellRecords one_cell(double value) {
  measures::Measurement m;
  m.cell = "noise-linf-0.1-none";
  m.dataset = "mnist";
  m.metric = "agreement";
  m.radius = 0.1;
  m.value = value;
  m.standard_error = 1.0 / 3.0;
  m.n = 50;
  return {{m},
          {{m.cell, "mean", "agreement", 3, 1, value}},
          {{m.cell, "draw", "ms_ssim_kuzina22", 21.0, value, 0.1, 50}},
          {{m.cell, "Draw more."}}};
}

TEST(Store, GivesBackWhatWasWrittenToTheLastBit) {
  const auto file = fresh_folder() / "results.sqlite";
  Store(file, Store::Access::write).write("noise-linf-0.1-none", kDigest, one_cell(0.1 + 0.2));
  const measures::CellRecords read = Store(file, Store::Access::read).read();
  ASSERT_EQ(read.measurements.size(), 1U);
  EXPECT_EQ(read.measurements[0].value, 0.1 + 0.2);
  EXPECT_EQ(read.measurements[0].standard_error, 1.0 / 3.0);
  EXPECT_EQ(read.measurements[0].n, 50);
  ASSERT_EQ(read.items.size(), 1U);
  EXPECT_EQ(read.items[0].restart, 1);
  ASSERT_EQ(read.curves.size(), 1U);
  EXPECT_EQ(read.curves[0].gradients, 21.0);
  ASSERT_EQ(read.notes.size(), 1U);
  EXPECT_EQ(read.notes[0].cell, "noise-linf-0.1-none");
  EXPECT_EQ(read.notes[0].sentence, "Draw more.");
}

TEST(Store, RefusesRecordsWithTheColumnsOfAnotherVersion) {
  const auto file = fresh_folder() / "results.sqlite";
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "CREATE TABLE cells(cell TEXT); CREATE TABLE measurements(cell TEXT, protocol TEXT)",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  for (const auto access : {Store::Access::read, Store::Access::write}) {
    expect_misuse([&] { Store(file, access); }, {"must be the results.sqlite of a run", "no such column"});
  }
}

TEST(Store, ReadsCellsInTheOrderOfThePlanWhicheverWasFinishedFirst) {
  Store store(fresh_folder() / "results.sqlite", Store::Access::write);
  store.arrange({"a", "b", "c"});
  for (const char* cell : {"c", "stray", "a", "b"}) {
    measures::CellRecords records = one_cell(1.0);
    records.measurements.front().cell = cell;
    records.items.front().cell = cell;
    store.write(cell, kDigest, records);
  }
  std::vector<std::string> measured;
  for (const auto& m : store.read().measurements) {
    measured.push_back(m.cell);
  }
  EXPECT_THAT(measured, testing::ElementsAre("a", "b", "c", "stray"));
  store.arrange({"b", "a"});
  std::vector<std::string> items;
  for (const auto& item : store.read().items) {
    items.push_back(item.cell);
  }
  EXPECT_THAT(items, testing::ElementsAre("b", "a", "c", "stray"));
}

TEST(Store, ACellOfOtherInputsIsRefusedAndNotTakenForFinished) {
  Store store(fresh_folder() / "results.sqlite", Store::Access::write);
  EXPECT_FALSE(store.finished("noise-linf-0.1-none", kDigest));
  store.write("noise-linf-0.1-none", kDigest, one_cell(1.0));
  EXPECT_TRUE(store.finished("noise-linf-0.1-none", kDigest));
  expect_misuse([&] { (void)store.finished("noise-linf-0.1-none", "ffff"); },
                {"noise-linf-0.1-none", "something else", "seed"});
}

TEST(Store, FindsTheItemsOfOneCellEstimateAndMetric) {
  const auto file = fresh_folder() / "results.sqlite";
  Store store(file, Store::Access::write);
  measures::CellRecords records = one_cell(0.25);
  records.items.push_back({"noise-linf-0.1-none", "mean", "agreement", 4, 0, 0.5});
  records.items.push_back({"noise-linf-0.1-none", "draw", "agreement", 5, 0, 0.75});
  store.write("noise-linf-0.1-none", kDigest, records);
  const auto items = store.items("noise-linf-0.1-none", "mean", "agreement");
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].reference, 3);
  EXPECT_EQ(items[0].restart, 1);
  EXPECT_EQ(items[1].value, 0.5);
  EXPECT_TRUE(store.items("other", "mean", "agreement").empty());
}

TEST(Store, KeepsNanAsNan) {
  const auto file = fresh_folder() / "results.sqlite";
  Store store(file, Store::Access::write);
  store.write("noise-linf-0.1-none", kDigest, one_cell(std::nan("")));
  EXPECT_TRUE(std::isnan(store.read().measurements[0].value));
}

TEST(Store, WritingACellAgainReplacesItsRows) {
  Store store(fresh_folder() / "results.sqlite", Store::Access::write);
  EXPECT_FALSE(store.finished("noise-linf-0.1-none"));
  store.write("noise-linf-0.1-none", kDigest, one_cell(1.0));
  store.write("noise-linf-0.1-none", kDigest, one_cell(2.0));
  EXPECT_TRUE(store.finished("noise-linf-0.1-none"));
  ASSERT_EQ(store.read().measurements.size(), 1U);
  EXPECT_EQ(store.read().measurements[0].value, 2.0);
}

TEST(Store, AForeignFileIsAClearError) {
  const auto file = fresh_folder() / "results.sqlite";
  std::ofstream(file) << "this is no database at all, only text that is long enough to be a header of one............";
  try {
    Store store(file, Store::Access::read);
    FAIL() << "accepted";
  } catch (const Misuse& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("must be the results.sqlite of a run"));
  }
}

TEST(Store, CsvHasTheTablesColumnsAndFullPrecision) {
  const std::string csv = measurements_csv(one_cell(0.1 + 0.2).measurements);
  EXPECT_THAT(csv, testing::StartsWith(
                       "cell,kind,dataset,model,attack,norm,radius,attacker,defence,estimate,restarts,score,"
                       "quantile,metric,value,stderr,n,gradients,seconds\nnoise-linf-0.1-none,scenario,mnist,"));
  EXPECT_THAT(csv, testing::StartsWith(fmt::format("{}\n", fmt::join(metrics::columns().names(), ","))));
  EXPECT_THAT(csv, testing::HasSubstr(",agreement,0.30000000000000004,0.3333333333333333,50,"));
}

}  // namespace
}  // namespace vaeguard::runs
