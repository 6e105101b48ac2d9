// Targets: of another class, the same in any order, spread over all candidates, and an error where there are none.
#include "vaeguard/attacks/targets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

std::vector<std::int64_t> classes_of(std::span<const std::int64_t> positions) {
  std::vector<std::int64_t> classes;
  for (const std::int64_t position : positions) {
    classes.push_back(position % 3);
  }
  return classes;
}

TEST(Targets, AreOfAnotherClassAndTheSameInAnyOrder) {
  std::vector<std::int64_t> positions;
  for (std::int64_t i = 0; i < 60; ++i) {
    positions.push_back(100 + 7 * i);
  }
  const auto order = permutation(Key(1), 60);
  std::vector<std::int64_t> shuffled;
  for (const std::int64_t i : order) {
    shuffled.push_back(positions[static_cast<std::size_t>(i)]);
  }
  const auto targets = choose_targets(classes_of(positions), positions, Key(2));
  const auto others = choose_targets(classes_of(shuffled), shuffled, Key(2));
  for (std::size_t k = 0; k < 60; ++k) {
    const auto own = static_cast<std::size_t>(order[k]);
    const std::int64_t target = positions[static_cast<std::size_t>(targets[own])];
    EXPECT_NE(target % 3, positions[own] % 3);
    EXPECT_EQ(shuffled[static_cast<std::size_t>(others[k])], target);
  }
  EXPECT_NE(choose_targets(classes_of(positions), positions, Key(3)), targets);
}

TEST(Targets, AreSpreadEvenlyOverCandidates) {
  // One reference of class 0 and four of class 1, under 4,000 keys: each is drawn 1,000 times, standard deviation 27.
  const std::vector<std::int64_t> positions{0, 1, 4, 7, 10};
  std::vector<int> counts(5);
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    ++counts[static_cast<std::size_t>(choose_targets(classes_of(positions), positions, Key(seed))[0])];
  }
  EXPECT_EQ(counts[0], 0);
  for (std::size_t k = 1; k < 5; ++k) {
    EXPECT_NEAR(counts[k], 1000, 6 * 27.4);
  }
}

TEST(Targets, WithoutClassesAnyOtherReferenceIsACandidate) {
  const std::vector<std::int64_t> positions{2, 5, 8, 11};
  std::vector<int> counts(4);
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const auto targets = choose_targets({}, positions, Key(seed));
    ++counts[static_cast<std::size_t>(targets[1])];
  }
  EXPECT_EQ(counts[1], 0) << "itself";
  for (const std::size_t other : {0U, 2U, 3U}) {
    EXPECT_NEAR(counts[other], 1000, 6 * 25.8);  // standard deviation of one in three of 3,000
  }
  EXPECT_THAT(
      [&] { choose_targets({}, std::vector<std::int64_t>{2}, Key(1)); },
      testing::ThrowsMessage<Misuse>("[attacks.targets] a targeted attack needs at least two references, got one"));
}

TEST(Targets, NoOtherClassIsNamed) {
  const std::vector<std::int64_t> positions{0, 3};
  EXPECT_THAT([&] { choose_targets(classes_of(positions), positions, Key(1)); },
              testing::ThrowsMessage<Misuse>("[attacks.targets] a targeted attack needs references of two classes, all "
                                             "2 are of class 0"));
}

}  // namespace
}  // namespace vaeguard::attacks
