// The plans that come with the program can be run: each is valid, and the weights it names are what it says of them.
#include <gtest/gtest.h>

#include <filesystem>

#include "vaeguard/plans/plan.h"
#include "vaeguard/runs/subject.h"

namespace vaeguard::runs {
namespace {

TEST(ShippedPlans, AreValidAndSayWhatTheirWeightsAre) {
  const std::filesystem::path folder = std::filesystem::path(VAEGUARD_SOURCE_DIR) / "plans";
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path());
    const plans::Plan plan = plans::load_plan(entry.path());
    for (const plans::ModelPlan& model : plan.models) {
      if (!model.checkpoint.empty()) {
        EXPECT_NO_THROW((void)read_checkpoint(model));
      }
    }
    ++count;
  }
  EXPECT_GE(count, 2);
}

}  // namespace
}  // namespace vaeguard::runs
