// A data set from four IDX files, the format of MNIST and Fashion-MNIST.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "vaeguard/base/random.h"
#include "vaeguard/data/dataset.h"

namespace vaeguard::data {

/// The names of the four files, which may end in ".gz" too.
inline constexpr std::array<std::string_view, 4> kIdxFileNames = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                                                  "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

/// The four files' bytes, decompressed, in the order of kIdxFileNames, and the folder they are from, for errors.
struct IdxFiles {
  std::array<std::string, 4> contents;
  std::string origin;
};

struct IdxDatasetOptions {
  std::string name;
  std::int64_t classes = 10;
  std::int64_t validation = 0;  // images of the training file set aside by split_validation
  Key split_key{0};
};

/// Reads the four files. Throws Misuse that names those that are missing and ends with `advice`.
IdxFiles read_idx_files(const std::filesystem::path& folder, std::string_view advice);

/// The MD5 digests of the uncompressed files as published, in the order of kIdxFileNames.
using PublishedDigests = std::array<std::string_view, 4>;

/// Throws Misuse, with `advice`, for the first file whose digest is not the published one.
void check_digests(const IdxFiles& files, const PublishedDigests& published, std::string_view advice);

/// The data set; its digest is the SHA-256 of the MD5 digests of the four files, one per line.
Dataset make_dataset(const IdxFiles& files, const IdxDatasetOptions& options);

}  // namespace vaeguard::data
