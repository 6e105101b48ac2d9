// Tables [[distortion]]: what is read, and what records tell of known curves.
#include "vaeguard/experiments/distortion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <variant>
#include <vector>

#include "tests/expect_misuse.h"

namespace vaeguard::experiments {
namespace {

AttackPlan read(std::string_view text) {
  const toml::table table = parse_toml(text, "test");
  return read_distortion(TableReader(table, "test"));
}

TEST(Distortion, ReadsAGoalAndASweep) {
  const AttackPlan plan = read("name='codes'\ngoal='latent_kl'\npenalties=11\niterations=40\nrestarts=2");
  EXPECT_EQ(plan.name, "codes");
  EXPECT_EQ(plan.optimiser, "lbfgs");
  EXPECT_EQ(plan.norm, attacks::Norm::l2);
  EXPECT_EQ(plan.restarts, 2);
  EXPECT_EQ(std::get<attacks::LbfgsOptions>(*plan.options).penalties, 11);
}

TEST(Distortion, NamesWhatCannotBe) {
  expect_misuse([] { read("goal='encoder_skl'"); }, {"test", "latent_*", "encoder_skl"});
  expect_misuse([] { read("goal='classifier_ce_target'"); }, {"output_target_l2"});
  expect_misuse([] { read("goal='latent_kl'\noptimiser='pgd'"); }, {"leave norm and optimiser out"});
  expect_misuse([] { read("goal='latent_kl'\nnorm='linf'"); }, {"leave norm and optimiser out"});
  expect_misuse([] { read("goal='latent_kl'\nradii=[1]"); }, {"radii"});
}

TEST(Distortion, RecordsTellOfAreasAndOfWhatIsLeft) {
  AttackPlan plan = read("goal='latent_kl'\nrestarts=2");
  // Two references with two restarts each: half of the distance left after half of the way, a quarter, none, all.
  std::vector<attacks::DistortionCurve> curves;
  for (const double left : {0.5, 0.25, 0.0, 1.0}) {
    curves.emplace_back(std::vector<attacks::SweepPoint>{{0.5, -left}}, 1.0, 1.0);
  }
  Measurement prototype;
  prototype.cell = "latent_kl-distortion";
  const CellRecords records = measure_distortion(plan, curves, prototype);
  double mean = 0.0;
  double worst = 0.0;
  std::vector<double> places;
  for (const Measurement& m : records.measurements) {
    EXPECT_EQ(m.n, 2);
    EXPECT_EQ(m.norm, "l2_share");
    if (m.metric == "auddc") {
      (m.protocol == "mean/mean" ? mean : worst) = m.value;
    } else if (m.protocol == "mean/worst") {
      places.push_back(m.value);
    }
  }
  // (1 + left) / 4 of the first half and left / 2 of the second.
  const auto area = [](double left) { return (1.0 + left) / 4.0 + left / 2.0; };
  EXPECT_DOUBLE_EQ(mean, (area(0.5) + area(0.25) + area(0.0) + area(1.0)) / 4.0);
  EXPECT_DOUBLE_EQ(worst, (area(0.25) + area(0.0)) / 2.0);
  ASSERT_EQ(places.size(), 21U);
  EXPECT_DOUBLE_EQ(places[0], 1.0);
  EXPECT_DOUBLE_EQ(places[5], (0.625 + 0.5) / 2.0);
  EXPECT_DOUBLE_EQ(places[20], 0.125);
  ASSERT_EQ(records.items.size(), 4U);
  EXPECT_EQ(records.items[3].reference, 1);
  EXPECT_DOUBLE_EQ(records.items[3].value, area(1.0));
}

}  // namespace
}  // namespace vaeguard::experiments
