// The learning-rate schedules.
#include "vaeguard/training/schedule.h"

#include "vaeguard/base/error.h"

namespace vaeguard::training {
namespace {

TEST(Schedule, ConstantNeverChanges) {
  Schedule schedule({.kind = ScheduleKind::constant, .learning_rate = 0.1}, 10);
  schedule.epoch_finished(1.0);
  schedule.epoch_finished(2.0);
  EXPECT_EQ(schedule.rate(0), 0.1);
  EXPECT_EQ(schedule.rate(9), 0.1);
}

TEST(Schedule, PlateauHalvesAfterMoreThanPatienceBadEpochs) {
  Schedule schedule({.kind = ScheduleKind::plateau, .learning_rate = 0.8, .factor = 0.5, .patience = 2}, 100);
  schedule.epoch_finished(100.0);
  for (int bad = 0; bad < 2; ++bad) {
    schedule.epoch_finished(100.0);
    EXPECT_EQ(schedule.rate(0), 0.8);
  }
  schedule.epoch_finished(100.0);
  EXPECT_EQ(schedule.rate(0), 0.4);
}

TEST(Schedule, PlateauCountsOnlyImprovementsBeyondTheThreshold) {
  Schedule schedule({.kind = ScheduleKind::plateau, .learning_rate = 0.8, .patience = 0, .threshold = 1e-2}, 100);
  schedule.epoch_finished(100.0);
  schedule.epoch_finished(98.9);
  EXPECT_EQ(schedule.rate(0), 0.8);
  schedule.epoch_finished(98.8);
  EXPECT_EQ(schedule.rate(0), 0.4);
}

TEST(Schedule, PlateauUnderstandsNegativeLosses) {
  Schedule schedule({.kind = ScheduleKind::plateau, .learning_rate = 0.8, .patience = 0}, 100);
  schedule.epoch_finished(-100.0);
  schedule.epoch_finished(-101.0);
  EXPECT_EQ(schedule.rate(0), 0.8);
  schedule.epoch_finished(-100.5);
  EXPECT_EQ(schedule.rate(0), 0.4);
}

TEST(Schedule, OneCycleRisesThenFallsToItsLastShare) {
  const Schedule schedule({.kind = ScheduleKind::one_cycle, .learning_rate = 1.0, .warmup = 0.25, .last = 0.01}, 101);
  EXPECT_NEAR(schedule.rate(0), 1.0 / 25.0, 1e-12);
  for (int step = 1; step <= 25; ++step) {
    EXPECT_GT(schedule.rate(step), schedule.rate(step - 1));
  }
  EXPECT_NEAR(schedule.rate(26), 1.0, 1e-3);
  for (int step = 27; step < 101; ++step) {
    EXPECT_LT(schedule.rate(step), schedule.rate(step - 1));
  }
  EXPECT_NEAR(schedule.rate(100), 0.01, 1e-12);
}

TEST(Schedule, NamesRoundTripAndUnknownOnesAreRefused) {
  for (const auto kind : {ScheduleKind::constant, ScheduleKind::plateau, ScheduleKind::one_cycle}) {
    EXPECT_EQ(schedule_kind(name(kind)), kind);
  }
  EXPECT_THROW(schedule_kind("step"), Misuse);
}

TEST(Schedule, RefusesOptionsThatMakeNoSense) {
  EXPECT_THROW(Schedule({.learning_rate = 0.0}, 1), Misuse);
  EXPECT_THROW(Schedule({.factor = 1.0}, 1), Misuse);
  EXPECT_THROW(Schedule({.warmup = 1.0}, 1), Misuse);
  EXPECT_THROW(Schedule({}, 0), Misuse);
}

}  // namespace
}  // namespace vaeguard::training
