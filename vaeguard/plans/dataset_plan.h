// A data set as data: a registered name, or the user's own pictures and what is to be made of them.
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
/// channels, size or height and width, crop, validation, test, most, attribute; with the layout "synthetic" name,
/// train, validation and test, numbers of images, and size. A relative folder is sought from `folder`. Throws Misuse
/// that names place, key, expectation and finding.
DatasetPlan read_dataset(OptionReader& plan, const std::filesystem::path& folder);

/// For a command line: a registered name, or a TOML file that holds such a table as [dataset].
DatasetPlan dataset_plan(const std::string& name_or_file);

/// Loads it; a registered one from `data_folder`.
data::Dataset load_dataset(const DatasetPlan& plan, const std::filesystem::path& data_folder, int threads);

}  // namespace vaeguard::plans
