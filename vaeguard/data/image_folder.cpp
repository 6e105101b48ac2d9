// Pictures by class or without, in parts or to be split.
#include "vaeguard/data/image_folder.h"

#include <fmt/ranges.h>

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

// The pictures of a folder: its own, or those of its folders, one for each class.
struct Classes {
  std::vector<std::string> names;               // empty for pictures without classes
  std::vector<std::vector<PictureFile>> files;  // of each class, or all in one
};

Classes classes_in(const fs::path& folder) {
  Classes found;
  for (const fs::path& path : sorted_entries(folder, true)) {
    const std::int64_t label = std::ssize(found.names);
    found.names.push_back(path.filename().string());
    found.files.push_back(files_of_class(path, label));
  }
  const std::size_t pictures = sorted_entries(folder, false).size();
  if (found.names.empty() && pictures == 0) {
    misuse(kPlace,
           "{} must hold PNG or JPEG files, or a folder for each class, or for each of train, validation and test, "
           "found none",
           folder.string());
  }
  if (!found.names.empty() && pictures > 0) {
    misuse(kPlace, "{} must hold pictures without classes or a folder for each class, found {} pictures beside {}",
           folder.string(), pictures, fmt::join(found.names, ", "));
  }
  if (found.names.empty()) {
    found.files.push_back(files_of_class(folder, 0));
  }
  return found;
}

// Pictures in parts, and the number of classes.
std::pair<PictureParts, std::int64_t> labelled_parts(const ImageFolderOptions& options) {
  PictureParts parts;
  const auto folders = part_folders(options.folder);
  const bool parted = !folders[0].empty();
  const Classes first = classes_in(parted ? folders[0] : options.folder);
  const std::int64_t classes = first.names.size() < 2 ? 0 : std::ssize(first.names);
  if (!parted) {
    for (std::size_t c = 0; c < first.files.size(); ++c) {
      split(options, first.files[c], Key(kSplitKey).fold(first.names.empty() ? "" : first.names[c]), parts);
    }
    return {parts, classes};
  }
  for (std::size_t part = 0; part < folders.size(); ++part) {
    const fs::path& folder = folders[part];
    const Classes own = folder.empty() ? Classes{} : classes_in(folder);
    if (folder.empty() || own.names != first.names) {
      misuse(kPlace, "{} must have {}",
             folder.empty() ? (options.folder / kPartNames[part][0]).string() : folder.string(),
             first.names.empty() ? fmt::format("pictures, without classes, like {}", folders[0].string())
                                 : fmt::format("the {} classes of {}", first.names.size(), folders[0].string()));
    }
    for (const auto& files : own.files) {
      parts[part].insert(parts[part].end(), files.begin(), files.end());
    }
  }
  return {parts, classes};
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

Dataset load_image_folder(const ImageFolderOptions& options) {
  validate(options);
  auto [parts, classes] = labelled_parts(options);
  return read_parts(options, std::move(parts), classes);
}

}  // namespace vaeguard::data
