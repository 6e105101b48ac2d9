// MNIST: 60,000 + 10,000 handwritten digits, verified against the published digests.
#pragma once

#include <filesystem>

#include "vaeguard/data/dataset.h"

namespace vaeguard::data {

/// Reads the four IDX files (plain or ".gz") in `folder`. Train 55,000 and validation 5,000 are the training file split
/// by a fixed key, test is the 10,000 of the test file. Throws Misuse if a file is missing (naming the command that
/// downloads it) or if its MD5 digest is not the published one.
Dataset load_mnist(const std::filesystem::path& folder);

}  // namespace vaeguard::data
