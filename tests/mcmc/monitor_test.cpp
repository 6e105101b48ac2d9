// What is watched of small and of large codes.
#include "vaeguard/mcmc/monitor.h"

#include <gtest/gtest.h>

#include <cmath>

#include "vaeguard/base/random.h"

namespace vaeguard::mcmc {
namespace {

State normal_state(std::int64_t chains, std::int64_t dimension) {
  State state{Matrix(chains, dimension), std::vector<double>(static_cast<std::size_t>(chains), 7.5), Matrix()};
  for (std::int64_t b = 0; b < chains; ++b) {
    fill_normal(Key(1).fold(static_cast<std::uint64_t>(b)), state.position.row(b));
  }
  return state;
}

TEST(Monitor, WatchesEveryCoordinateOfASmallCode) {
  const State state = normal_state(3, kLargestSmallCode);
  const Monitor monitor(kLargestSmallCode);
  EXPECT_TRUE(monitor.every_coordinate());
  EXPECT_EQ(monitor.scalars(), kLargestSmallCode);
  EXPECT_EQ(monitor.watch(state), state.position);
}

TEST(Monitor, WatchesFixedUnitDirectionsAndTheEnergyOfALargeCode) {
  constexpr std::int64_t kDimension = 20000;
  const Monitor monitor(kDimension);
  EXPECT_EQ(monitor.scalars(), kProjections + 1);
  const State state = normal_state(40, kDimension);
  const Matrix watched = monitor.watch(state);
  ASSERT_EQ(watched.rows(), 40);
  EXPECT_EQ(watched, Monitor(kDimension).watch(state));
  EXPECT_EQ(watched(3, kProjections), 7.5F);
  // Projections of normals on unit directions are 1,280 all but independent standard normals: their mean square is
  // within six deviations of 1, sqrt(2 / 1280) each, but twice in 10^9.
  double squares = 0.0;
  for (std::int64_t b = 0; b < 40; ++b) {
    for (std::int64_t r = 0; r < kProjections; ++r) {
      squares += watched(b, r) * watched(b, r) / (40.0 * kProjections);
    }
  }
  EXPECT_NEAR(squares, 1.0, 6.0 * std::sqrt(2.0 / 1280.0));
  State moved = state;
  for (float& value : moved.position.row(2)) {
    value += 1.0F;
  }
  EXPECT_NE(monitor.watch(moved)(2, 0), watched(2, 0));
  EXPECT_EQ(monitor.watch(moved)(1, 0), watched(1, 0));
}

}  // namespace
}  // namespace vaeguard::mcmc
