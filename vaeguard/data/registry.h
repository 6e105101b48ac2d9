// Data sets by name.
#pragma once

#include <filesystem>
#include <string_view>

#include "vaeguard/base/registry.h"
#include "vaeguard/data/dataset.h"

namespace vaeguard::data {

struct DatasetEntry {
  std::string_view name;
  std::string_view title;
  std::string_view description;
  std::string_view folder;  // of its files in the data folder, which another set may share; empty where it needs none
  Dataset (*load)(const std::filesystem::path& folder);
};

const Registry<DatasetEntry>& datasets();

/// Loads a data set from its subfolder of `data_folder` ("synthetic" needs none: it is generated). Throws Misuse
/// for an unknown name, naming the nearest known one, and for files that are missing or wrong.
Dataset load_dataset(std::string_view name, const std::filesystem::path& data_folder);

}  // namespace vaeguard::data
