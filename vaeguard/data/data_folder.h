// Where data sets are kept.
#pragma once

#include <filesystem>
#include <string_view>

namespace vaeguard::data {

/// The folder with one subfolder per data set: `option` if not empty, else VAEGUARD_DATA, else ~/.cache/vaeguard/data.
std::filesystem::path data_folder(std::string_view option = {});

}  // namespace vaeguard::data
