// Pixel laws: places among nodes, the histogram of a counted one, and what is refused.
#include "vaeguard/models/pixel_law.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "tests/expect_misuse.h"
#include "tests/models/made_up_law.h"

namespace vaeguard::models {
namespace {

/// p(v) over all nodes, in double.
std::vector<double> histogram_of(const PixelLaw& law) {
  std::vector<double> histogram(PixelLaw::kLevels);
  for (std::int64_t node = 0; node < law.nodes(); ++node) {
    for (std::int64_t v = 0; v < PixelLaw::kLevels; ++v) {
      histogram[static_cast<std::size_t>(v)] += law.weight[static_cast<std::size_t>(node)] * law.probability(node, v);
    }
  }
  return histogram;
}

/// A law whose nodes do not weigh the same.
PixelLaw weighted_law() {
  PixelLaw law = made_up_law();
  law.weight.assign(law.weight.size(), 0.0);
  law.weight[3] = 0.75;
  law.weight[30] = 0.25;
  return law;
}

TEST(PixelLaw, APositionIsTheNodesNumberAtANodeAndLinearBetween) {
  const PixelLaw law = made_up_law();
  for (std::int64_t node = 0; node < law.nodes(); ++node) {
    EXPECT_DOUBLE_EQ(law.position(law.parameter(node)), static_cast<double>(node));
  }
  EXPECT_DOUBLE_EQ(law.position(-8.0 + 0.5 * 4.75), 4.75);
}

TEST(PixelLaw, PositionsBeyondTheNodesAreThoseOfTheLastOnes) {
  const PixelLaw law = made_up_law();
  EXPECT_EQ(law.position(-8.01), 0.0);
  EXPECT_EQ(law.position(-std::numeric_limits<double>::infinity()), 0.0);
  EXPECT_EQ(law.position(8.01), 32.0);
  EXPECT_EQ(law.position(std::numeric_limits<double>::infinity()), 32.0);
}

TEST(PixelLaw, TheHistogramAloneIsTheSameAtEveryNode) {
  const PixelLaw counted = weighted_law();
  const PixelLaw alone = histogram_alone(counted);
  const auto histogram = histogram_of(counted);
  for (std::int64_t node = 0; node < counted.nodes(); ++node) {
    for (std::int64_t v = 0; v < PixelLaw::kLevels; ++v) {
      const double expected = histogram[static_cast<std::size_t>(v)];
      EXPECT_NEAR(alone.probability(node, v), expected, 1e-7 * expected);  // one rounding to float
    }
  }
}

TEST(PixelLaw, TheCertainShareIsThatOfNodesWithOneLevelAboveOneHalf) {
  PixelLaw law = weighted_law();
  for (std::int64_t node = 0; node < law.nodes(); ++node) {
    std::ranges::fill(law.probability.row(node), 1.0F / PixelLaw::kLevels);
  }
  EXPECT_EQ(certain_share(law), 0.0);
  law.probability(30, 7) = 0.51F;
  EXPECT_EQ(certain_share(law), 0.25);
  law.probability(3, 255) = 0.5F;  // as much as all other levels together
  EXPECT_EQ(certain_share(law), 0.25);
  law.probability(3, 255) = 0.75F;
  EXPECT_EQ(certain_share(law), 1.0);
}

TEST(PixelLaw, EachFlawIsNamedWithItsPlace) {
  const auto expect = [](const std::function<void(PixelLaw&)>& spoil, const std::string& text) {
    PixelLaw law = made_up_law();
    spoil(law);
    expect_misuse([&] { validate(law, "some.place"); }, {"[some.place] " + text});
  };
  EXPECT_NO_THROW(validate(made_up_law(), "some.place"));
  const std::string shape = "a pixel law must have [nodes >= 4, 256] probabilities and a weight a node, got ";
  expect(
      [](PixelLaw& l) {
        l = {.first = 0.0, .spacing = 1.0, .probability = Matrix(3, 256, 0.1F), .weight = {1, 1, 1}};
      },
      shape + "[3, 256] and 3");
  expect([](PixelLaw& l) { l.probability = Matrix(33, 255, 0.1F); }, shape + "[33, 255] and 33");
  expect([](PixelLaw& l) { l.weight.pop_back(); }, shape + "[33, 256] and 32");
  const std::string grid = "a pixel law's nodes must be finite and their spacing > 0, got ";
  expect([](PixelLaw& l) { l.spacing = 0.0; }, grid + "-8 and 0");
  expect([](PixelLaw& l) { l.spacing = -0.5; }, grid + "-8 and -0.5");
  expect([](PixelLaw& l) { l.first = std::nan(""); }, grid + "nan and 0.5");
  expect([](PixelLaw& l) { l.spacing = std::numeric_limits<double>::infinity(); }, grid + "-8 and inf");
  const std::string values = "a pixel law's probabilities must be finite and > 0, got ";
  expect([](PixelLaw& l) { l.probability(2, 17) = 0.0F; }, values + "0 for node 2, level 17");
  expect([](PixelLaw& l) { l.probability(0, 0) = -0.5F; }, values + "-0.5 for node 0, level 0");
  expect([](PixelLaw& l) { l.probability(32, 255) = std::nanf(""); }, values + "nan for node 32, level 255");
  expect([](PixelLaw& l) { l.probability(1, 255) = std::numeric_limits<float>::infinity(); },
         values + "inf for node 1, level 255");
}

}  // namespace
}  // namespace vaeguard::models
