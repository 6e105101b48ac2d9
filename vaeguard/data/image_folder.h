// Data sets from the user's own pictures, with one folder per class or without classes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "vaeguard/data/dataset.h"
#include "vaeguard/data/image_file.h"

namespace vaeguard::data {

struct ImageFolderOptions {
  std::string name = "images";  // in records
  std::filesystem::path folder = {};
  ImageShape shape{.channels = 3, .height = 64, .width = 64};  // 1 or 3 channels
  std::optional<Box> crop = {};  // of every picture before it is resized; by default the largest centred one
  double validation = 0.1;       // shares of the pictures, if the folder does not assign them to parts
  double test = 0.2;
  std::int64_t most = 0;  // the first so many pictures of each part in the order of their names; 0 for all
  int threads = 1;
};

/// Throws Misuse naming the option.
void validate(const ImageFolderOptions& options);

/// PNG and JPEG files (".png", ".jpg", ".jpeg"): `folder`/CLASS/*, with classes numbered in the order of their names
/// and each split by a fixed key, or `folder`/*, split likewise, for pictures without labels. With folders for the
/// parts train, validation (or val) and test, `folder`/PART/CLASS/* or `folder`/PART/*. Pictures of a single class have
/// no labels either. The digest is that of all names and contents. Throws Misuse for a folder that has none of these
/// layouts or holds pictures beside folders of classes, for a class that is missing in a part, and for a file that is
/// not a picture.
Dataset load_image_folder(const ImageFolderOptions& options);

}  // namespace vaeguard::data
