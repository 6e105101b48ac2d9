// Keyed permutations turned into parts and into references.
#include "vaeguard/data/split.h"

#include <algorithm>
#include <numeric>

#include "vaeguard/base/error.h"

namespace vaeguard::data {
namespace {

// The positions of each class in the key's order, last first so that they can be popped.
std::vector<std::vector<std::int64_t>> shuffled_by_class(std::span<const std::int64_t> labels, std::int64_t classes,
                                                         Key key) {
  std::vector<std::vector<std::int64_t>> members(static_cast<std::size_t>(classes));
  for (const std::int64_t i : permutation(key.fold("members"), static_cast<std::int64_t>(labels.size()))) {
    const std::int64_t label = labels[static_cast<std::size_t>(i)];
    if (label < 0 || label >= classes) {
      misuse("data.split", "labels must be 0 to {}, got {} at image {}", classes - 1, label, i);
    }
    members[static_cast<std::size_t>(label)].push_back(i);
  }
  return members;
}

}  // namespace

Split split_validation(std::int64_t count, std::int64_t validation, Key key) {
  if (validation < 0 || validation >= count) {
    misuse("data.split", "validation must be 0 to {} of {} images, got {}", count - 1, count, validation);
  }
  Split split;
  split.train = permutation(key, count);
  const auto first = split.train.end() - validation;
  split.validation.assign(first, split.train.end());
  split.train.erase(first, split.train.end());
  std::ranges::sort(split.train);
  std::ranges::sort(split.validation);
  return split;
}

std::vector<std::int64_t> stratified_references(std::span<const std::int64_t> labels, std::int64_t classes,
                                                std::int64_t count, Key key) {
  if (classes < 1 || count < 0 || count > static_cast<std::int64_t>(labels.size())) {
    misuse("data.split", "references must be 0 to {} of 1 or more classes, got {} of {} classes", labels.size(), count,
           classes);
  }
  auto members = shuffled_by_class(labels, classes, key);
  std::vector<std::int64_t> turns(members.size());
  std::iota(turns.begin(), turns.end(), 0);
  std::vector<std::int64_t> references;
  while (static_cast<std::int64_t>(references.size()) < count) {
    std::erase_if(turns, [&](std::int64_t label) { return members[static_cast<std::size_t>(label)].empty(); });
    const std::int64_t missing = count - static_cast<std::int64_t>(references.size());
    if (missing < static_cast<std::int64_t>(turns.size())) {
      auto chosen = permutation(key.fold("last round"), static_cast<std::int64_t>(turns.size()));
      chosen.resize(static_cast<std::size_t>(missing));
      std::ranges::sort(chosen);
      std::ranges::transform(chosen, chosen.begin(),
                             [&](std::int64_t position) { return turns[static_cast<std::size_t>(position)]; });
      turns = chosen;
    }
    for (const std::int64_t label : turns) {
      auto& waiting = members[static_cast<std::size_t>(label)];
      references.push_back(waiting.back());
      waiting.pop_back();
    }
  }
  return references;
}

std::vector<std::int64_t> choose_references(const Dataset& dataset, std::int64_t count, Key key) {
  if (dataset.labelled()) {
    return stratified_references(dataset.test.labels, dataset.classes, count, key);
  }
  const std::int64_t images = dataset.test.pixels.rows();
  if (count < 0 || count > images) {
    misuse("data.split", "references must be 0 to {} of the test images, got {}", images, count);
  }
  std::vector<std::int64_t> references = permutation(key, images);
  references.resize(static_cast<std::size_t>(count));
  return references;
}

}  // namespace vaeguard::data
