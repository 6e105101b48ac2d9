// A small generated data set of ten drawn shapes, in MNIST's format, for tests and first trials.
#pragma once

#include <cstdint>
#include <filesystem>

#include "vaeguard/base/random.h"
#include "vaeguard/data/dataset.h"

namespace vaeguard::data {

struct SyntheticOptions {
  std::int64_t train = 2000;
  std::int64_t validation = 200;
  std::int64_t test = 500;
  std::int64_t side = 28;  // height and width in pixels

  /// Throws Misuse unless every part has at least one image and the side is 8 to 256.
  void validate() const;
};

/// The key of the registered set, which has the default options.
Key synthetic_key();

/// Grey images of 10 equally frequent classes (ring, bars, cross, ...), each image with its own shift, size, slant and
/// thickness. Test image i depends only on the key and i; so does image i of those that are split into training and
/// validation.
Dataset synthetic(const SyntheticOptions& options, Key key);

/// Writes the same images as four IDX files named like MNIST's; validation images are among the training file's.
void write_synthetic_idx(const std::filesystem::path& folder, const SyntheticOptions& options, Key key);

/// Reads what write_synthetic_idx wrote with these options and key: equals synthetic(options, key).
Dataset read_synthetic_idx(const std::filesystem::path& folder, const SyntheticOptions& options, Key key);

}  // namespace vaeguard::data
