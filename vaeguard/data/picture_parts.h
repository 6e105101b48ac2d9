// Assigns picture files to training, validation and test, and reads them; for the sources of this folder only.
#pragma once

#include <array>
#include <filesystem>
#include <vector>

#include "vaeguard/base/random.h"
#include "vaeguard/data/image_folder.h"

namespace vaeguard::data {

struct PictureFile {
  std::filesystem::path path;
  std::int64_t label = 0;  // meaningless in a data set without classes
};
using PictureParts = std::array<std::vector<PictureFile>, 3>;  // train, validation, test

/// Whether the name has the extension of a PNG or JPEG.
bool is_picture(const std::filesystem::path& path);
/// Subfolders or pictures, in the order of their names, which does not depend on the file system.
std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder, bool folders);
/// The pictures of one folder, at least one, all with this label.
std::vector<PictureFile> files_of_class(const std::filesystem::path& folder, std::int64_t label);
/// Moves the shares of `all` that the options ask for, at least one picture each, to validation and test; the rest is
/// for training. The key determines which.
void split(const ImageFolderOptions& options, const std::vector<PictureFile>& all, Key key, PictureParts& parts);
/// Decodes the pictures of all parts; `classes` 0 for a data set without labels.
Dataset read_parts(const ImageFolderOptions& options, PictureParts parts, std::int64_t classes);

}  // namespace vaeguard::data
