// Fashion-MNIST: 60,000 + 10,000 pieces of clothing in MNIST's format, verified against the published digests.
#pragma once

#include <filesystem>

#include "vaeguard/data/dataset.h"

namespace vaeguard::data {

/// Where Debian's package dataset-fashion-mnist puts the files.
inline constexpr const char* kFashionMnistPackageFolder = "/usr/share/datasets/fashion-mnist";

/// Reads the four IDX files (plain or ".gz") in `folder`, or in the package's folder where that does not exist. The
/// split is as MNIST's: train 55,000, validation 5,000, test 10,000. Errors as load_mnist. (Xiao et al. 2017)
Dataset load_fashion_mnist(const std::filesystem::path& folder);

}  // namespace vaeguard::data
