// Keys and streams: published vectors, independence of folds, and the distributions drawn from them.
#include "vaeguard/base/random.h"

#include <Random123/philox.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

namespace vaeguard {
namespace {

using Words = std::array<std::uint32_t, 4>;

Words philox(const Words& counter, std::array<std::uint32_t, 2> key) {
  const auto words = r123::Philox4x32{}({{counter[0], counter[1], counter[2], counter[3]}}, {{key[0], key[1]}});
  return {words[0], words[1], words[2], words[3]};
}

Words four_of(Stream& stream) { return {stream.bits(), stream.bits(), stream.bits(), stream.bits()}; }

// The three known answers that Random123 publishes for philox4x32 with 10 rounds.
TEST(Random, GeneratorGivesThePublishedAnswers) {
  constexpr std::uint32_t kOnes = 0xFFFFFFFF;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, StreamOfKeyZeroBeginsWithThePublishedAnswer) {
  Stream stream{Key(0)};
  EXPECT_EQ(four_of(stream), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
}

TEST(Random, StreamCountsBlocksUnderItsKey) {
  Stream stream{Key(0x299f31d0a4093822ULL)};
  for (std::uint32_t block = 0; block < 3; ++block) {
    EXPECT_EQ(four_of(stream), philox({block, 0, 0, 0}, {0xa4093822, 0x299f31d0}));
  }
}

TEST(Random, EqualKeysGiveEqualNumbers) {
  std::vector<float> one(7);
  std::vector<float> other(7);
  fill_normal(Key(3).fold("chain").fold(5), one);
  fill_normal(Key(3).fold("chain").fold(5), other);
  EXPECT_EQ(one, other);
}

TEST(Random, BeginningDoesNotDependOnHowMuchIsDrawn) {
  std::vector<float> few(6);
  std::vector<float> many(60);
  fill_normal(Key(3), few);
  fill_normal(Key(3), many);
  many.resize(few.size());
  EXPECT_EQ(few, many);
}

TEST(Random, FoldsOfOneKeyAllDiffer) {
  std::set<std::uint64_t> values;
  const Key key(1);
  values.insert(key.value());
  for (std::uint64_t number = 0; number < 1000; ++number) {
    values.insert(key.fold(number).value());
    values.insert(key.fold(number).fold(0).value());
    values.insert(key.fold("image" + std::to_string(number)).value());
  }
  EXPECT_EQ(values.size(), 3001U);
}

TEST(Random, OrderOfFoldsMatters) {
  EXPECT_NE(Key(1).fold(2).fold(3).value(), Key(1).fold(3).fold(2).value());
  EXPECT_NE(Key(1).fold("warmup").fold(2).value(), Key(1).fold(2).fold("warmup").value());
  EXPECT_NE(Key(1).fold("ab").value(), Key(1).fold("ba").value());
  EXPECT_NE(Key(1).fold("ab").value(), Key(1).fold("a").fold("b").value());
  EXPECT_NE(Key(1).fold("").value(), Key(1).value());
}

// The correlation of n independent pairs is normal with deviation 1/sqrt(n); 6.1 of them are passed once in 1e9 runs.
TEST(RandomStatistical, NeighbouringKeysAreUncorrelated) {
  constexpr int kCount = 100'000;
  std::vector<float> one(kCount);
  std::vector<float> other(kCount);
  fill_normal(Key(1).fold(0), one);
  fill_normal(Key(1).fold(1), other);
  const double product = std::inner_product(one.begin(), one.end(), other.begin(), 0.0) / kCount;
  EXPECT_LT(std::abs(product), 6.1 / std::sqrt(kCount));
}

// Kolmogorov-Smirnov distance to a distribution function, bounded by Dvoretzky, Kiefer and Wolfowitz:
// sqrt(ln(2 / 1e-9) / (2 n)) is passed at most once in 1e9 runs.
template <typename Distribution>
void expect_distribution(std::vector<float> draws, Distribution&& distribution) {
  std::sort(draws.begin(), draws.end());
  const auto n = static_cast<double>(draws.size());
  double distance = 0.0;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const double expected = distribution(static_cast<double>(draws[i]));
    distance = std::max({distance, std::abs(expected - static_cast<double>(i) / n),
                         std::abs(expected - static_cast<double>(i + 1) / n)});
  }
  EXPECT_LT(distance, std::sqrt(std::log(2.0 / 1e-9) / (2.0 * n)));
}

TEST(RandomStatistical, NormalsAreNormal) {
  std::vector<float> draws(200'000);
  fill_normal(Key(11), draws);
  expect_distribution(draws, [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); });
}

TEST(RandomStatistical, UniformsAreUniform) {
  std::vector<float> draws(200'000);
  fill_uniform(Key(12), -2.0F, 3.0F, draws);
  expect_distribution(draws, [](double x) { return std::clamp((x + 2.0) / 5.0, 0.0, 1.0); });
}

TEST(Random, NormalsFillAnOddNumberToo) {
  std::vector<float> odd(5);
  std::vector<float> even(6);
  fill_normal(Key(4), odd);
  fill_normal(Key(4), even);
  even.pop_back();
  EXPECT_EQ(odd, even);
}

TEST(Random, UniformsStayInTheirInterval) {
  Stream stream{Key(5)};
  for (int i = 0; i < 100'000; ++i) {
    const double value = stream.uniform();
    ASSERT_GT(value, 0.0);
    ASSERT_LT(value, 1.0);
  }
}

// Each of 3 values is expected 30,000 times, deviation sqrt(n p (1 - p)) = 141; 6.2 of them: once in 1e9 runs.
TEST(RandomStatistical, NumbersBelowABoundAreEquallyLikely) {
  Stream stream{Key(6)};
  std::array<int, 3> counts{};
  for (int i = 0; i < 90'000; ++i) {
    ++counts[stream.below(3)];
  }
  EXPECT_THAT(counts, testing::Each(testing::AllOf(testing::Gt(30'000 - 880), testing::Lt(30'000 + 880))));
}

TEST(Random, BelowOneIsAlwaysZero) {
  Stream stream{Key(7)};
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(stream.below(1), 0U);
  }
}

TEST(Random, PermutationHasEveryNumberOnce) {
  auto order = permutation(Key(8), 1000);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  std::vector<std::int64_t> expected(1000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
  EXPECT_TRUE(permutation(Key(8), 0).empty());
}

// All 6 orders of 3: each expected 10,000 times, deviation 91; 6.3 of them: once in 1e9 runs.
TEST(RandomStatistical, PermutationsAreEquallyLikely) {
  std::array<int, 6> counts{};
  for (std::uint64_t i = 0; i < 60'000; ++i) {
    const auto order = permutation(Key(9).fold(i), 3);
    ++counts[static_cast<std::size_t>(2 * order[0] + (order[1] > order[2] ? 1 : 0))];
  }
  EXPECT_THAT(counts, testing::Each(testing::AllOf(testing::Gt(10'000 - 580), testing::Lt(10'000 + 580))));
}

}  // namespace
}  // namespace vaeguard
