// One folder a class, in parts or to be split.
#include "vaeguard/data/image_folder.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/data/picture_parts.h"

namespace vaeguard::data {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPlace = "data.image_folder";
constexpr std::uint64_t kSplitKey = 0x5b0e7d4c19a3f286;
// Names of the parts, in the order of PictureParts.
constexpr std::array<std::array<std::string_view, 2>, 3> kPartNames = {
    {{"train", "training"}, {"validation", "val"}, {"test", "testing"}}};

// The folders of the parts, empty paths where there are none.
std::array<fs::path, 3> part_folders(const fs::path& folder) {
  std::array<fs::path, 3> found;
  for (std::size_t part = 0; part < found.size(); ++part) {
    for (const std::string_view name : kPartNames[part]) {
      if (fs::is_directory(folder / name)) {
        found[part] = folder / name;
      }
    }
  }
  return found;
}

std::vector<std::string> class_names(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::path& path : sorted_entries(folder, true)) {
    names.push_back(path.filename().string());
  }
  if (names.empty()) {
    misuse(kPlace, "{} must hold a folder for each class, or for each of train, validation and test, found none",
           folder.string());
  }
  return names;
}

// Pictures of every class, in parts.
std::pair<PictureParts, std::int64_t> class_parts(const ImageFolderOptions& options) {
  PictureParts parts;
  const auto folders = part_folders(options.folder);
  if (folders[0].empty()) {
    const auto names = class_names(options.folder);
    for (std::size_t c = 0; c < names.size(); ++c) {
      split(options, files_of_class(options.folder / names[c], static_cast<std::int64_t>(c)),
            Key(kSplitKey).fold(names[c]), parts);
    }
    return {parts, std::ssize(names)};
  }
  const auto names = class_names(folders[0]);
  for (std::size_t part = 0; part < folders.size(); ++part) {
    const fs::path& folder = folders[part];
    if (folder.empty() || class_names(folder) != names) {
      misuse(kPlace, "{} must have the {} classes of {}",
             folder.empty() ? (options.folder / kPartNames[part][0]).string() : folder.string(), names.size(),
             folders[0].string());
    }
    for (std::size_t c = 0; c < names.size(); ++c) {
      const auto files = files_of_class(folder / names[c], static_cast<std::int64_t>(c));
      parts[part].insert(parts[part].end(), files.begin(), files.end());
    }
  }
  return {parts, std::ssize(names)};
}

}  // namespace

void validate(const ImageFolderOptions& options) {
  if (options.shape.channels != 1 && options.shape.channels != 3) {
    misuse(kPlace, "channels must be 1 or 3, got {}", options.shape.channels);
  }
  if (options.shape.height < 1 || options.shape.width < 1) {
    misuse(kPlace, "height and width must be at least 1, got {} and {}", options.shape.height, options.shape.width);
  }
  if (!(options.validation > 0.0 && options.test > 0.0 && options.validation + options.test < 1.0)) {
    misuse(kPlace, "validation and test must be shares above 0 that leave some for training, got {} and {}",
           options.validation, options.test);
  }
  if (options.most < 0) {
    misuse(kPlace, "most must be at least 0, got {}", options.most);
  }
}

Dataset load_class_folders(const ImageFolderOptions& options) {
  validate(options);
  auto [parts, classes] = class_parts(options);
  return read_parts(options, std::move(parts), classes);
}

}  // namespace vaeguard::data
