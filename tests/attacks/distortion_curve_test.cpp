// The lower envelope of known points: its heights, its area, its ends.
#include "vaeguard/attacks/distortion_curve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "tests/expect_misuse.h"

namespace vaeguard::attacks {
namespace {

// Axes of 2 and 4.
DistortionCurve curve(const std::vector<SweepPoint>& points) { return {points, 2.0, 4.0}; }

TEST(DistortionCurve, WithoutPointsAttacksAchieveNothing) {
  EXPECT_EQ(curve({}).area(), 1.0);
  EXPECT_EQ(curve({}).remaining(0.5), 1.0);
}

TEST(DistortionCurve, FallsInStraightLinesAndStaysLevelAfterTheLastPoint) {
  const DistortionCurve half = curve({{1.0, -2.0}});
  EXPECT_DOUBLE_EQ(half.remaining(0.0), 1.0);
  EXPECT_DOUBLE_EQ(half.remaining(0.25), 0.75);
  EXPECT_DOUBLE_EQ(half.remaining(0.5), 0.5);
  EXPECT_DOUBLE_EQ(half.remaining(1.0), 0.5);
  EXPECT_DOUBLE_EQ(half.area(), 0.5 * (1.0 + 0.5) / 2.0 + 0.5 * 0.5);
}

TEST(DistortionCurve, DoesNotRiseAgainAndLeavesOutWhatIsNotFinite) {
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  const DistortionCurve worse = curve({{1.5, -3.0}, {1.0, -2.0}, {0.5, kNever}});
  EXPECT_DOUBLE_EQ(worse.remaining(0.75), 0.5);
  EXPECT_DOUBLE_EQ(worse.area(), curve({{1.0, -2.0}}).area());
}

TEST(DistortionCurve, EndsAtTheDistanceOfTheTarget) {
  const DistortionCurve beyond = curve({{4.0, 0.0}});  // the line to (2, 0), cut at x = 1
  EXPECT_DOUBLE_EQ(beyond.remaining(1.0), 0.5);
  EXPECT_DOUBLE_EQ(beyond.area(), 0.75);
}

TEST(DistortionCurve, ManyPointsAtOneDistortionAreOneStep) {
  const DistortionCurve step = curve({{0.0, -3.0}, {0.0, -1.0}, {1.0, -1.0}});
  EXPECT_DOUBLE_EQ(step.remaining(0.0), 0.25);
  EXPECT_DOUBLE_EQ(step.area(), 0.25);
}

TEST(DistortionCurve, NeedsAxesWithALength) {
  expect_misuse([] { DistortionCurve({}, 0.0, 1.0); }, {"axes", "0 and 1"});
  expect_misuse([] { DistortionCurve({}, 1.0, -1.0); }, {"axes", "1 and -1"});
}

}  // namespace
}  // namespace vaeguard::attacks
