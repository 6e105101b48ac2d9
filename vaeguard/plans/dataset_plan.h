// A data set as data: a registered name, or the user's own pictures and how to prepare them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>

#include "vaeguard/base/option_reader.h"
#include "vaeguard/data/celeba.h"
#include "vaeguard/data/dataset.h"
#include "vaeguard/data/image_folder.h"
#include "vaeguard/data/synthetic.h"

namespace vaeguard::plans {

struct DatasetPlan {
  std::string name = "mnist";  // in records
  /// monostate: the registered data set of that name.
  std::variant<std::monostate, data::ImageFolderOptions, data::CelebaOptions, data::SyntheticOptions> pictures;
};

/// Reads the key `dataset` of a plan: a registered name, or a table with name, folder, layout ("classes" or "celeba"),
/// channels, size or height and width, crop, validation, test, most, attribute; with the layout "synthetic" name, size,
/// and the numbers of images train, validation and test. A relative folder is resolved against `folder`. Throws Misuse,
/// naming place, key, expectation and value.
DatasetPlan read_dataset(OptionReader& plan, const std::filesystem::path& folder);

/// For a command line: a registered name, or a TOML file that holds such a table as [dataset].
DatasetPlan dataset_plan(const std::string& name_or_file);

/// Loads the data set; a registered one from `data_folder`.
data::Dataset load_dataset(const DatasetPlan& plan, const std::filesystem::path& data_folder, int threads);

}  // namespace vaeguard::plans
