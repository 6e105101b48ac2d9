// Parts and references: coverage, balance, and dependence on the key alone.
#include "vaeguard/data/split.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "tests/expect_misuse.h"

namespace vaeguard::data {
namespace {

std::vector<std::int64_t> counts_of(const std::vector<std::int64_t>& references,
                                    const std::vector<std::int64_t>& labels, std::size_t classes) {
  std::vector<std::int64_t> counts(classes);
  for (const std::int64_t reference : references) {
    ++counts[static_cast<std::size_t>(labels[static_cast<std::size_t>(reference)])];
  }
  return counts;
}

std::vector<std::int64_t> cyclic_labels(std::int64_t count, std::int64_t classes) {
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < count; ++i) {
    labels.push_back(i % classes);
  }
  return labels;
}

TEST(Split, PartsCoverEveryImageOnce) {
  const Split split = split_validation(1000, 100, Key(1));
  EXPECT_EQ(split.train.size(), 900U);
  EXPECT_EQ(split.validation.size(), 100U);
  EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end()));
  EXPECT_TRUE(std::is_sorted(split.validation.begin(), split.validation.end()));
  std::set<std::int64_t> all(split.train.begin(), split.train.end());
  all.insert(split.validation.begin(), split.validation.end());
  EXPECT_EQ(all.size(), 1000U);
  EXPECT_EQ(*all.begin(), 0);
  EXPECT_EQ(*all.rbegin(), 999);
}

TEST(Split, DependsOnTheKeyAlone) {
  EXPECT_EQ(split_validation(1000, 100, Key(1)).validation, split_validation(1000, 100, Key(1)).validation);
  EXPECT_NE(split_validation(1000, 100, Key(1)).validation, split_validation(1000, 100, Key(2)).validation);
}

TEST(Split, RefusesToLeaveNothingForTraining) {
  expect_misuse([] { split_validation(10, 10, Key(1)); }, {"0 to 9 of 10", "got 10"});
  expect_misuse([] { split_validation(10, -1, Key(1)); }, {"got -1"});
}

TEST(StratifiedReferences, TakesEachClassEquallyOften) {
  const auto labels = cyclic_labels(1000, 10);
  const auto references = stratified_references(labels, 10, 50, Key(3));
  EXPECT_EQ(std::set(references.begin(), references.end()).size(), 50U);
  EXPECT_THAT(counts_of(references, labels, 10), testing::Each(5));
  for (std::size_t i = 0; i < references.size(); ++i) {
    EXPECT_EQ(labels[static_cast<std::size_t>(references[i])], static_cast<std::int64_t>(i % 10));
  }
}

TEST(StratifiedReferences, SpreadsTheRestOverClassesByKey) {
  const auto labels = cyclic_labels(1000, 10);
  std::set<std::vector<std::int64_t>> seen;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto counts = counts_of(stratified_references(labels, 10, 13, Key(seed)), labels, 10);
    EXPECT_THAT(counts, testing::Each(testing::AnyOf(1, 2)));
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}), 13);
    seen.insert(counts);
  }
  EXPECT_GT(seen.size(), 1U);
}

TEST(StratifiedReferences, TakesMoreOfOthersWhenAClassRunsOut) {
  const std::vector<std::int64_t> labels = {0, 1, 1, 1, 1, 2, 2, 2};
  EXPECT_THAT(counts_of(stratified_references(labels, 3, 7, Key(1)), labels, 3), testing::ElementsAre(1, 3, 3));
  EXPECT_THAT(counts_of(stratified_references(labels, 3, 8, Key(1)), labels, 3), testing::ElementsAre(1, 4, 3));
}

TEST(StratifiedReferences, DependsOnTheKeyAlone) {
  const auto labels = cyclic_labels(1000, 10);
  EXPECT_EQ(stratified_references(labels, 10, 50, Key(3)), stratified_references(labels, 10, 50, Key(3)));
  EXPECT_NE(stratified_references(labels, 10, 50, Key(3)), stratified_references(labels, 10, 50, Key(4)));
}

TEST(StratifiedReferences, ALongerListBeginsWithTheShorter) {
  const auto labels = cyclic_labels(1000, 10);
  auto longer = stratified_references(labels, 10, 50, Key(3));
  longer.resize(20);
  EXPECT_EQ(longer, stratified_references(labels, 10, 20, Key(3)));
}

TEST(StratifiedReferences, RefusesWhatCannotBe) {
  const std::vector<std::int64_t> labels = {0, 1, 5};
  expect_misuse([&] { stratified_references(labels, 6, 4, Key(1)); }, {"0 to 3", "got 4"});
  expect_misuse([&] { stratified_references(labels, 5, 2, Key(1)); }, {"0 to 4", "got 5 at image 2"});
}

TEST(References, AreStratifiedWhereThereAreLabels) {
  Dataset dataset;
  dataset.classes = 3;
  dataset.test = {Matrix(30, 1), cyclic_labels(30, 3)};
  EXPECT_EQ(choose_references(dataset, 7, Key(1)), stratified_references(dataset.test.labels, 3, 7, Key(1)));
}

TEST(References, WithoutLabelsAreAnyImagesAndALongerListBeginsWithTheShorter) {
  Dataset dataset;
  dataset.test = {Matrix(30, 1), {}};
  const auto few = choose_references(dataset, 7, Key(1));
  auto all = choose_references(dataset, 30, Key(1));
  EXPECT_EQ(std::set(all.begin(), all.end()).size(), 30U);
  EXPECT_NE(choose_references(dataset, 7, Key(2)), few);
  all.resize(7);
  EXPECT_EQ(all, few);
  expect_misuse([&] { choose_references(dataset, 31, Key(1)); }, {"0 to 30", "got 31"});
}

}  // namespace
}  // namespace vaeguard::data
