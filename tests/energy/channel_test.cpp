// Attack channels: terms against a plain sum over true levels, shares and radii of simulated attacks, expected images.
#include "vaeguard/energy/channel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "tests/expect_misuse.h"
#include "tests/models/made_up_law.h"

namespace vaeguard::energy {
namespace {

using models::draw_level;
using models::PixelLaw;

enum { kUntouched, kUniform, kExtreme };

/// p(x | v, what happened) as the channel's words say it; extreme moves go up with probability `share_up`. All in
/// levels: x may lie between two, which happens where an attack's steps are not whole; then the level nearest to it, or
/// to the place that an extreme step came from, counts.
double chance(int what, double x, double radius, int v, double share_up) {
  const bool bottom = x == 0.0;
  const bool top = x == 255.0;
  const auto nearest = [&](double level) { return static_cast<int>(std::lround(level)) == v; };
  switch (what) {
    case kUntouched:
      return nearest(x) ? 1.0 : 0.0;
    case kUniform: {
      // The amount's density is 1 / (2 r + 1) from -(r + 1/2) to r + 1/2, and what falls off an end lies on it.
      const double beyond = bottom ? radius + 0.5 - v : top ? v + radius + 0.5 - 255.0 : 1.0;
      return std::abs(x - v) <= radius + 1e-9 ? beyond / (2.0 * radius + 1.0) : 0.0;
    }
    default: {
      const bool down = bottom ? v - radius <= 1e-9 : !top && nearest(x + radius);
      const bool up = top ? v + radius >= 255.0 - 1e-9 : !bottom && nearest(x - radius);
      return (down ? 1.0 - share_up : 0.0) + (up ? share_up : 0.0);
    }
  }
}

/// Sums over all levels with the law of a node.
ChannelTerms plain_terms(const PixelLaw& law, double x, double radius, std::int64_t node, double share_up) {
  ChannelTerms terms;
  for (int what : {kUntouched, kUniform, kExtreme}) {
    for (int v = 0; v < PixelLaw::kLevels; ++v) {
      const double part = chance(what, x, radius, v, share_up) * law.probability(node, v);
      // An untouched pixel is what it is, also between two levels.
      terms.mass[static_cast<std::size_t>(what)] += part;
      terms.moment[static_cast<std::size_t>(what)] += part * (what == kUntouched ? x : v) / 255.0;
    }
  }
  return terms;
}

/// What a channel makes of a level, in levels.
double observed(double level, const Channel& channel, Stream& stream) {
  const double r = 255.0 * channel.radius;
  const double kind = stream.uniform();
  double moved = level;
  if (kind > channel.untouched) {
    const bool uniform = kind < channel.untouched + channel.uniform;
    moved += uniform ? static_cast<double>(stream.below(static_cast<std::uint64_t>(2.0 * r + 1.5))) - r
                     : (stream.uniform() < 0.5 ? -r : r);
  }
  return std::clamp(moved, 0.0, 255.0);
}

struct Simulated {
  std::vector<float> truth;
  std::vector<float> image;
  std::vector<float> parameters;
};

Simulated simulate(const PixelLaw& law, const Channel& channel, std::size_t pixels, Key key) {
  Simulated result;
  Stream stream(key);
  for (std::size_t i = 0; i < pixels; ++i) {
    const auto node = static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(law.nodes())));
    const auto level = static_cast<double>(draw_level(law, node, stream));
    result.truth.push_back(static_cast<float>(level / 255.0));
    result.image.push_back(static_cast<float>(observed(level, channel, stream) / 255.0));
    result.parameters.push_back(static_cast<float>(law.parameter(node)));
  }
  return result;
}

TEST(Channel, TermsAreThePlainSumsOverTheTrueLevels) {
  const PixelLaw law = models::made_up_law();
  const ChannelModel model(law);
  for (const double radius : {1.0, 2.0, 12.75, 26.0, 51.0, 76.5, 128.0, 255.0}) {
    for (const double x : {0.0, 1.0, 12.0, 26.0, 27.0, 99.75, 128.0, 203.0, 254.0, 255.0}) {
      for (const std::int64_t node : {0, 16, 21, 32}) {
        for (const double up : {0.5, 0.0, 0.99}) {
          const ChannelTerms found = model.terms(x / 255.0, radius / 255.0, node, up);
          const ChannelTerms expected = plain_terms(law, x, radius, node, up);
          for (std::size_t c = 0; c < 3; ++c) {
            // Differences of running sums of at most 256^2 terms below 1 in double.
            EXPECT_NEAR(found.mass[c], expected.mass[c], 1e-12) << c << ": " << x << " " << radius << " " << node;
            EXPECT_NEAR(found.moment[c], expected.moment[c], 1e-12) << c << ": " << x << " " << radius << " " << node;
          }
        }
      }
    }
  }
}

TEST(Channel, ProbabilitiesOfAllObservablePixelsSumToOne) {
  const PixelLaw law = models::made_up_law();
  const ChannelModel model(law);
  constexpr std::int64_t kNode = 19;
  for (const int radius : {1, 13, 51, 76, 127}) {
    std::array<double, 3> total{};
    for (int x = 0; x <= 255; ++x) {
      const ChannelTerms terms = model.terms(x / 255.0, radius / 255.0, kNode);
      for (std::size_t c = 0; c < 3; ++c) {
        total[c] += terms.mass[c];
      }
    }
    double all = 0.0;
    double uniform = 0.0;
    for (int v = 0; v <= 255; ++v) {
      const double p = law.probability(kNode, v);
      all += p;
      // Of a uniform amount, which need not be whole, half a level's worth lies between an end that it reaches and the
      // first half level; no whole level stands for that.
      const int ends = (v <= radius ? 1 : 0) + (v >= 255 - radius ? 1 : 0);
      uniform += p * (1.0 - 0.5 * ends / (2.0 * radius + 1.0));
    }
    EXPECT_NEAR(total[kUntouched], all, 1e-12) << radius;
    EXPECT_NEAR(total[kUniform], uniform, 1e-12) << radius;
    EXPECT_NEAR(total[kExtreme], all, 1e-12) << radius;
    EXPECT_NEAR(all, 1.0, 1e-6);  // 256 roundings to float
  }
}

TEST(Channel, TermsBetweenNodesAreLinearAndBeyondThemThoseOfTheLast) {
  const ChannelModel model(models::made_up_law());
  const double x = 60.0 / 255.0;
  const double radius = 20.0 / 255.0;
  const auto expect_equal = [](const ChannelTerms& a, const ChannelTerms& b) {
    EXPECT_EQ(a.mass, b.mass);
    EXPECT_EQ(a.moment, b.moment);
  };
  expect_equal(model.terms_at(x, radius, -30.0), model.terms(x, radius, 0));
  expect_equal(model.terms_at(x, radius, -8.0), model.terms(x, radius, 0));
  expect_equal(model.terms_at(x, radius, 30.0), model.terms(x, radius, 32));
  const ChannelTerms low = model.terms(x, radius, 20);
  const ChannelTerms high = model.terms(x, radius, 21);
  const ChannelTerms between = model.terms_at(x, radius, model.law().parameter(20) + 0.25 * model.law().spacing);
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(between.mass[c], 0.75 * low.mass[c] + 0.25 * high.mass[c], 1e-15);
    EXPECT_NEAR(between.moment[c], 0.75 * low.moment[c] + 0.25 * high.moment[c], 1e-15);
  }
}

TEST(Channel, OutputsThatAreNoNumbersGiveTermsThatAreNone) {
  const ChannelModel model(models::made_up_law());
  const ChannelTerms terms = model.terms_at(0.3, 0.1, std::nan(""));
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_TRUE(std::isnan(terms.mass[c]));
    EXPECT_TRUE(std::isnan(terms.moment[c]));
  }
}

TEST(Channel, PixelsOutsideTheRangeAreReadAsTheNearestInside) {
  const ChannelModel model(models::made_up_law());
  for (const double radius : {0.02, 0.1, 0.3}) {
    for (const double beyond : {1e-6, 0.05, 3.0, 1e30}) {
      EXPECT_EQ(model.terms(-beyond, radius, 9).mass, model.terms(0.0, radius, 9).mass);
      EXPECT_EQ(model.terms(1.0 + beyond, radius, 9).mass, model.terms(1.0, radius, 9).mass);
      EXPECT_EQ(model.terms(-beyond, radius, 9).moment, model.terms(0.0, radius, 9).moment);
      EXPECT_EQ(model.terms(1.0 + beyond, radius, 9).moment, model.terms(1.0, radius, 9).moment);
      EXPECT_EQ(model.level_key(-beyond, radius), model.level_key(0.0, radius));
      EXPECT_EQ(model.level_key(1.0 + beyond, radius), model.level_key(1.0, radius));
    }
  }
}

TEST(Channel, PixelsOfOneKeyHaveTheSameTerms) {
  const ChannelModel model(models::made_up_law());
  Stream stream(Key(2));
  for (const double radius : {3.0 / 255.0, 0.1, 51.0 / 255.0, 0.3}) {
    std::map<std::uint64_t, ChannelTerms> known;
    std::set<std::array<double, 3>> distinct;
    int repeated = 0;
    for (int i = 0; i < 20000; ++i) {
      // Whole levels, these a rounding off, and anything.
      const auto level = static_cast<double>(stream.below(256));
      const double off = i % 3 == 0 ? 0.0 : i % 3 == 1 ? 2e-6 * (stream.uniform() - 0.5) : stream.uniform() - 0.5;
      const double x = std::clamp(level / 255.0 + off, 0.0, 1.0);
      const ChannelTerms terms = model.terms(x, radius, 14);
      distinct.insert(terms.mass);
      const auto [at, fresh] = known.try_emplace(model.level_key(x, radius), terms);
      if (!fresh) {
        ++repeated;
        EXPECT_EQ(at->second.mass, terms.mass) << x << " " << radius;
        EXPECT_EQ(at->second.moment[kUniform], terms.moment[kUniform]);
        EXPECT_EQ(at->second.moment[kExtreme], terms.moment[kExtreme]);
      }
    }
    EXPECT_GT(repeated, 15000);  // so that a table a key spares work
    EXPECT_LE(distinct.size(), known.size());
  }
}

TEST(Channel, SharesOfASimulatedChannelAreFound) {
  const PixelLaw law = models::made_up_law();
  const ChannelModel model(law);
  const Channel truths[] = {{0.2, 0.1, 0.09, 0.81}, {0.2, 0.5, 0.05, 0.45}, {0.1, 0.9, 0.01, 0.09}};
  std::uint64_t seed = 0;
  for (const Channel& truth : truths) {
    const Channel channel{std::round(255.0 * truth.radius) / 255.0, truth.untouched, truth.uniform, truth.extreme};
    const Simulated data = simulate(law, channel, 20000, Key(3).fold(seed++));
    const Channel found = model.fit_shares(data.image, data.parameters, channel.radius);
    // Of 20,000 pixels a share is known to 0.004, were each pixel's fate seen. It is not: half the pixels that an
    // extreme step took stay where they are at an end. Eight rounds from equal shares are then still up to 0.09 on
    // their way.
    EXPECT_NEAR(found.untouched, channel.untouched, 0.1);
    EXPECT_NEAR(found.uniform, channel.uniform, 0.04);
    EXPECT_NEAR(found.extreme, channel.extreme, 0.1);
    EXPECT_NEAR(found.untouched + found.uniform + found.extreme, 1.0, 1e-12);
    EXPECT_EQ(found.radius, channel.radius);
  }
}

TEST(Channel, TheEvidenceIsTheSumOverPixelsOfTheMixedMass) {
  const PixelLaw law = models::made_up_law();
  const ChannelModel model(law);
  const double radius = 26.0 / 255.0;
  // Enough pixels for several logarithms of products.
  const Simulated data = simulate(law, {radius, 0.3, 0.2, 0.5}, 784, Key(4));
  double evidence = 0.0;
  const Channel found = model.fit_shares(data.image, data.parameters, radius, &evidence);
  double sum = 0.0;
  for (std::size_t i = 0; i < data.image.size(); ++i) {
    sum += std::log(mixed(found, model.terms_at(data.image[i], radius, data.parameters[i]).mass));
  }
  EXPECT_NEAR(evidence, sum, 1e-9 * std::abs(sum));
}

TEST(Channel, TheRadiusOfASimulatedAttackIsFound) {
  const PixelLaw law = models::made_up_law();
  const ChannelModel model(law);
  std::uint64_t seed = 0;
  for (const int level : {13, 26, 51, 76}) {
    for (const double untouched : {0.05, 0.4}) {
      const Channel channel{level / 255.0, untouched, 0.05, 0.95 - untouched};
      const Simulated data = simulate(law, channel, 784, Key(5).fold(seed++));
      EXPECT_DOUBLE_EQ(model.fit(data.image, data.parameters, 0.3).radius, channel.radius) << untouched;
    }
  }
}

TEST(Channel, AnImageLeftAloneIsSeenToBeUntouched) {
  const PixelLaw law = models::made_up_law();
  const ChannelModel model(law);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Simulated data = simulate(law, {}, 784, Key(6).fold(seed));
    EXPECT_GT(model.fit(data.image, data.parameters, 0.3).untouched, 0.8);
  }
}

TEST(Channel, TheExpectedImageOfAnImageLeftAloneIsItself) {
  const PixelLaw law = models::made_up_law();
  const ChannelModel model(law);
  std::vector<float> image(1000);
  std::vector<float> parameters(1000);
  fill_uniform(Key(7), 0.0F, 1.0F, image);
  fill_uniform(Key(8), -9.0F, 9.0F, parameters);
  std::vector<float> expected(1000);
  model.expected_image(image, parameters, {0.1, 1.0, 0.0, 0.0}, expected);
  EXPECT_EQ(expected, image);
}

TEST(Channel, TheExpectedImageLiesInTheBallAndNearerToTheTruth) {
  const PixelLaw law = models::made_up_law();
  const ChannelModel model(law);
  for (const int level : {5, 26, 76}) {
    const Channel channel{level / 255.0, 0.1, 0.1, 0.8};
    const Simulated data = simulate(law, channel, 784, Key(9));
    std::vector<float> expected(784);
    model.expected_image(data.image, data.parameters, channel, expected);
    double before = 0.0;
    double after = 0.0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_LE(std::abs(expected[i] - data.image[i]), channel.radius + 1e-6);  // some roundings of numbers up to 1
      EXPECT_GE(expected[i], 0.0F);
      EXPECT_LE(expected[i], 1.0F);
      before += std::pow(data.image[i] - data.truth[i], 2);
      after += std::pow(expected[i] - data.truth[i], 2);
    }
    EXPECT_LT(after, 0.8 * before);
  }
}

TEST(Channel, ExtremeMovesAreSharesOfTheMixedMass) {
  const PixelLaw law = models::made_up_law();
  const ChannelModel model(law);
  const Channel channel{26.0 / 255.0, 0.2, 0.1, 0.7};
  const Simulated data = simulate(law, channel, 784, Key(10));
  const auto moves = model.extreme_moves(data.image, data.parameters, channel);
  ASSERT_EQ(moves.size(), 784U);
  double wrong_way = 0.0;
  double told = 0.0;
  for (std::size_t i = 0; i < moves.size(); ++i) {
    const ChannelTerms terms = model.terms_at(data.image[i], channel.radius, data.parameters[i]);
    EXPECT_NEAR(moves[i].up + moves[i].down, channel.extreme * terms.mass[2] / mixed(channel, terms.mass), 1e-12);
    EXPECT_GE(moves[i].up, 0.0);
    EXPECT_GE(moves[i].down, 0.0);
    const double moved = data.image[i] - data.truth[i];
    if (std::abs(moved) > 0.9 * channel.radius) {
      told += moves[i].up + moves[i].down;
      wrong_way += moved > 0.0 ? moves[i].down : moves[i].up;
    }
  }
  // Half of it, did they not tell the way.
  EXPECT_LT(wrong_way, 0.35 * told);
}

TEST(Channel, AKnownWayBringsTheExpectedImageNearerToTheTruth) {
  const PixelLaw law = models::made_up_law();
  const ChannelModel model(law);
  Channel channel{26.0 / 255.0, 0.05, 0.05, 0.9};
  const Simulated data = simulate(law, channel, 784, Key(11));
  std::vector<float> expected(784);
  const auto error = [&] {
    model.expected_image(data.image, data.parameters, channel, expected);
    double sum = 0.0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      sum += std::pow(expected[i] - data.truth[i], 2);
    }
    return sum;
  };
  const double either_way = error();
  channel.up.assign(784, 0.5F);
  EXPECT_EQ(error(), either_way);
  for (std::size_t i = 0; i < 784; ++i) {
    channel.up[i] = data.image[i] > data.truth[i] ? 0.99F : data.image[i] < data.truth[i] ? 0.01F : 0.5F;
  }
  EXPECT_LT(error(), 0.5 * either_way);
}

TEST(Channel, WhereTheLawKnowsOneLevelThatIsExpected) {
  for (const std::int64_t level : {0, 80, 255}) {
    const ChannelModel model(models::law_of_one_level(level));
    const Channel channel{26.0 / 255.0, 0.2, 0.2, 0.6};
    for (const std::int64_t moved : {level - 26, level - 7, level, level + 11, level + 26}) {
      const float x = static_cast<float>(std::clamp<std::int64_t>(moved, 0, 255)) / 255.0F;
      const float parameter = 0.3F;
      float expected = -1.0F;
      model.expected_image({&x, 1}, {&parameter, 1}, channel, {&expected, 1});
      // All other levels together have less than 1e-5 of its mass.
      EXPECT_NEAR(expected, static_cast<float>(level) / 255.0F, 1e-5F) << moved;
    }
  }
}

TEST(Channel, BadLawsAndRadiiAreRefused) {
  PixelLaw law = models::made_up_law();
  law.probability(0, 0) = 0.0F;
  expect_misuse([&] { ChannelModel{law}; }, {"[energy.channel] a pixel law's probabilities must be finite and > 0"});
  const ChannelModel model(models::made_up_law());
  const std::vector<float> image(4, 0.5F);
  for (const double radius : {0.0, -0.1, 1.5, std::nan("")}) {
    expect_misuse([&] { static_cast<void>(model.fit(image, image, radius)); },
                  {"[energy.channel] the largest radius must be in (0, 1], got"});
  }
}

}  // namespace
}  // namespace vaeguard::energy
