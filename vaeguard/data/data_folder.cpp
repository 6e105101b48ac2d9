// The choice among option, environment and cache.
#include "vaeguard/data/data_folder.h"

#include "vaeguard/base/file.h"

namespace vaeguard::data {

std::filesystem::path data_folder(std::string_view option) {
  return option.empty() ? cache_folder("VAEGUARD_DATA", "data") : std::filesystem::path(option);
}

}  // namespace vaeguard::data
