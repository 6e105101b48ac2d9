// The IDX container: unsigned bytes in 1 to 4 dimensions, plain or gzip, as MNIST is published.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/data/dataset.h"

namespace vaeguard::data {

/// An array of unsigned bytes; images are [count, height, width], labels [count].
struct IdxArray {
  std::vector<std::int64_t> dimensions;
  std::vector<std::uint8_t> values;  // row-major

  friend bool operator==(const IdxArray&, const IdxArray&) = default;
};

/// Reads an IDX array of exactly `rank` dimensions from `bytes` (plain or gzip). Throws Misuse that names the file
/// (`name`), what was expected and what was found: wrong magic number, truncated, impossible sizes, trailing bytes.
IdxArray parse_idx(std::string_view bytes, std::string_view name, int rank);
IdxArray read_idx(const std::filesystem::path& path, int rank);

/// The bytes of an IDX file; throws Misuse unless dimensions and values agree.
std::string encode_idx(const IdxArray& array);

/// The images at these indices with pixels / 255, and their labels. Throws Misuse unless images [N, H, W] and labels
/// [N] agree in number and every label is below `classes`. Errors call their source `name`.
Images select_images(const IdxArray& images, const IdxArray& labels, std::int64_t classes,
                     std::span<const std::int64_t> indices, std::string_view name);

}  // namespace vaeguard::data
