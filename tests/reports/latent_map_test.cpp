// The map of a two-dimensional latent space: which codes are drawn, what is said of them, and damaged arrays.
#include "vaeguard/reports/latent_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/reports/made_up_records.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/npz.h"

namespace vaeguard::reports {
namespace {

using testing::HasSubstr;

class LatentMap : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(run_.arrays_folder);
    std::filesystem::create_directories(run_.arrays_folder);
  }

  // Two references of two restarts each, attacked to a distance of 5 and 10, defended to 1 and 2.
  void write_cell(std::vector<std::int64_t> index = {7, 9}, std::vector<std::int64_t> label = {0, 1}) const {
    const NpzArray no_image{{4, 1, 1, 1}, std::vector<float>(4)};
    std::filesystem::create_directories(run_.arrays_folder / "attacks");
    write_npz(run_.arrays_folder / "references.npz", {{"x_ref", {{2, 1, 1, 1}, std::vector<float>(2)}},
                                                      {"z_ref", {{2, 2}, std::vector<float>{0, 0, 1, 1}}},
                                                      {"index", {{static_cast<std::int64_t>(index.size())}, index}},
                                                      {"label", {{static_cast<std::int64_t>(label.size())}, label}}});
    write_npz(run_.arrays_folder / "attacks" / "encoder_skl-linf-0.1.npz",
              {{"x_adv", no_image}, {"z_adv", {{4, 2}, std::vector<float>{3, 4, 99, 99, 1, 11, 99, 99}}}});
    write_npz(run_.arrays_folder / "encoder_skl-linf-0.1-hmc.npz",
              {{"z_defended", {{4, 2}, std::vector<float>{0, 1, 99, 99, 3, 1, 99, 99}}},
               {"reference", {{4}, std::vector<std::int64_t>{0, 0, 1, 1}}},
               {"restart", {{4}, std::vector<std::int64_t>{0, 1, 0, 1}}}});
  }
  void write_map() const {
    write_npz(run_.arrays_folder / "latent_map.npz", {{"z", {{3, 2}, std::vector<float>{-1, 0, 0, 0, 1, 0.12345F}}},
                                                      {"label", {{3}, std::vector<std::int64_t>{0, 1, 2}}}});
  }

  RunRecords run_ = [] {
    RunRecords run = made_up_run();
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();  // tests run side by side
    run.arrays_folder = std::filesystem::path(testing::TempDir()) / ("latent-map-" + std::string(test->name()));
    return run;
  }();
};

TEST_F(LatentMap, DrawsTheFirstRestartOfEachReferenceOverTheMap) {
  write_map();
  write_cell();
  const auto charts = latent_map_charts(run_);
  ASSERT_EQ(charts.size(), 1U);  // one defence, one attack; none for the undefended and the clean cell
  const auto spec = nlohmann::json::parse(charts[0].spec);
  const auto& dots = spec["layer"][0]["data"]["values"];
  ASSERT_EQ(dots.size(), 3U);
  EXPECT_EQ(dots[2]["class"], 2);
  EXPECT_DOUBLE_EQ(dots[2]["y"], 0.123);
  const auto& codes = spec["layer"][1]["layer"][1]["data"]["values"];
  ASSERT_EQ(codes.size(), 6U);
  EXPECT_EQ(codes[1]["code"], "attacked");
  EXPECT_DOUBLE_EQ(codes[1]["x"], 3.0);
  EXPECT_DOUBLE_EQ(codes[5]["x"], 3.0);
  EXPECT_EQ(charts[0].group, "Encoder attack, L∞ radius 0.1");
  EXPECT_EQ(
      charts[0].note,
      "2 of 2 references, the first of each class and its first restart. Median distance to the reference's code over "
      "all 2: attacked 7.50, defended 1.50.");
}

TEST_F(LatentMap, ShowsOneReferenceOfEachClassButSpeaksOfAll) {
  write_map();
  write_cell({7, 9}, {3, 3});
  const auto charts = latent_map_charts(run_);
  const auto spec = nlohmann::json::parse(charts.at(0).spec);
  EXPECT_EQ(spec["layer"][1]["layer"][1]["data"]["values"].size(), 3U);
  EXPECT_THAT(charts[0].note, HasSubstr("1 of 2 references"));
  EXPECT_THAT(charts[0].note, HasSubstr("attacked 7.50"));
}

TEST_F(LatentMap, AxesReachEveryCodeOfAPath) {
  write_map();
  write_cell();
  const auto spec = nlohmann::json::parse(latent_map_charts(run_).at(0).spec);
  const auto& domain = spec["layer"][0]["encoding"]["y"]["scale"]["domain"];
  EXPECT_NEAR(domain[0].get<double>(), 0.0, 1e-9);
  EXPECT_NEAR(domain[1].get<double>(), 11.0, 1e-9);  // where the second reference's attack ends
}

TEST_F(LatentMap, RunsWithoutAMapHaveNone) {
  write_cell();
  EXPECT_TRUE(latent_map_charts(run_).empty());
}

TEST_F(LatentMap, ArraysThatDisagreeAreOneClearError) {
  write_map();
  write_cell({7});
  try {
    static_cast<void>(latent_map_charts(run_));
    FAIL() << "accepted";
  } catch (const Misuse& error) {
    EXPECT_THAT(error.what(), HasSubstr("references.npz must have a row 1"));
  }
}

}  // namespace
}  // namespace vaeguard::reports
