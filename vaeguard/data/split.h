// Deterministic parts of a data set: training and validation, and reference points stratified by class.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/base/random.h"
#include "vaeguard/data/dataset.h"

namespace vaeguard::data {

/// Positions in the training file.
struct Split {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> validation;
};

/// Sets aside the last `validation` of the key's permutation of 0 .. count - 1; both parts are then in file order.
Split split_validation(std::int64_t count, std::int64_t validation, Key key);

/// `count` positions in `labels`, classes in turn (0, 1, .., 0, 1, ..), so that their counts differ by at most one
/// until a class runs out. Within a class, and for the last incomplete round, the key decides. Throws Misuse if there
/// are too few images or a label is not below `classes`.
std::vector<std::int64_t> stratified_references(std::span<const std::int64_t> labels, std::int64_t classes,
                                                std::int64_t count, Key key);

/// `count` of the test images to measure on: stratified by class, or the first of the key's permutation where the data
/// set has no labels. Throws Misuse if there are too few.
std::vector<std::int64_t> choose_references(const Dataset& dataset, std::int64_t count, Key key);

}  // namespace vaeguard::data
