// Data sets by name.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/data/dataset.h"

namespace vaeguard::data {

/// The known names, in the order of their listing: "mnist", "fashion_mnist", "color_mnist",
/// "color_mnist_colors", "synthetic".
std::vector<std::string> dataset_names();

/// One sentence about a known data set; throws Misuse for an unknown name.
std::string dataset_description(std::string_view name);

/// Its subfolder of the data folder, which another set may share; empty for a generated set.
std::string dataset_folder(std::string_view name);

/// Loads a data set from its subfolder of `data_folder` ("synthetic" needs none: it is generated). Throws Misuse for an
/// unknown name, naming the nearest known one, and for files that are missing or wrong.
Dataset load_dataset(std::string_view name, const std::filesystem::path& data_folder);

}  // namespace vaeguard::data
