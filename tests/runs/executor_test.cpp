// One cell at a time: what it reads must be there, and its records do not depend on how often or how wide it is
// computed.
#include "vaeguard/runs/executor.h"

#include <gtest/gtest.h>

#include "tests/expect_misuse.h"
#include "tests/temporary_folder.h"
#include "tests/tiny_plan.h"
#include "vaeguard/models/linear_vae.h"
#include "vaeguard/runs/plan_references.h"

namespace vaeguard::runs {
namespace {

constexpr std::string_view kScenarios = R"(
[[attack]]
goal = "encoder_skl"
radii = [0.1]
iterations = 2
restarts = 2
[[defence]]
preset = "map"
gradients = 20
restarts = 1
)";

/// A linear VAE of 4 x 3 pixels, images without classes, and a folder.
class ExecutorCells : public testing::Test {
 protected:
  measures::CellRecords run(const Cell& cell, int threads = 1) {
    options_.threads = threads;
    return Executor({plan_, options_, folder_, store_, dataset_, subject_, references_, distances_}, silent_observer())
        .run(cell);
  }
  const Cell& cell(std::string_view name) { return *std::ranges::find(cells_, name, &Cell::name); }
  static std::string csv(const measures::CellRecords& records) {
    auto measurements = records.measurements;
    for (auto& m : measurements) {
      m.seconds = 0.0;
    }
    return measurements_csv(measurements);
  }

  TemporaryFolder temporary_;
  plans::Plan plan_ = plans::parse_plan(tiny_plan(kScenarios), "test");
  RunOptions options_;
  RunFolder folder_{temporary_.path() / "run", plan_.text, silent_observer()};
  Store store_{folder_.store(), Store::Access::write};
  data::Dataset dataset_ = [] {
    data::Dataset dataset{.name = "noise", .shape = {1, 1, 12}, .classes = 0, .digest = "none"};
    dataset.test.pixels = Matrix(30, 12);
    fill_uniform(Key(3), 0.0F, 1.0F, dataset.test.pixels.flat());
    return dataset;
  }();
  measures::Subject subject_{models::Vae(models::LinearVae::random(Key(1), 12, 3, 0.5, 0.05).weights())};
  measures::References references_ = plan_references(plan_.seed, 6, subject_, dataset_, 1);
  SampleDistances distances_{dataset_, 0, options_, silent_observer()};
  std::vector<Cell> cells_ = cells(plan_);
};

TEST_F(ExecutorCells, DetectionNeedsTheCleanCellInsteadOfLeavingItselfOut) {
  const Cell& attacked = cell("encoder_skl-linf-0.1-map");
  expect_misuse([&] { (void)run(attacked); }, {"encoder_skl-linf-0.1-map", "clean-none-0-map", "must be there first"});
  const Cell& clean = cell("clean-none-0-map");
  store_.write(clean.name, "", run(clean));
  const auto records = run(attacked);
  EXPECT_TRUE(std::ranges::any_of(records.measurements, [](const auto& m) { return m.metric == "auroc"; }));
}

TEST_F(ExecutorCells, TheSameCellHasTheSameRecordsForAnyThreadsAndWhenItsFilesAreThereAlready) {
  const Cell& clean = cell("clean-none-0-map");
  store_.write(clean.name, "", run(clean));
  const Cell& attacked = cell("encoder_skl-linf-0.1-map");
  const auto first = run(attacked);
  const auto again = run(attacked, 2);
  EXPECT_EQ(csv(first), csv(again));
  remove_all(folder_.blocks(attacked.name));
  remove(folder_.attacked_images(attacked.attacked_images));
  EXPECT_EQ(csv(run(attacked, 3)), csv(first));
}

TEST_F(ExecutorCells, WhatNeedsLargerImagesOrClassesIsLeftOut) {
  for (const auto& m : run(cell("clean-none-0-map")).measurements) {
    EXPECT_NE(m.metric, "ms_ssim_kuzina22");
    EXPECT_NE(m.metric, "agreement");
    EXPECT_EQ(m.n, 6);
  }
}

}  // namespace
}  // namespace vaeguard::runs
