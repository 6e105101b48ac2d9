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
  std::optional<Box> crop = {};  // of every picture before it is resized; else the middle one of the shape's sides
  double validation = 0.1;       // shares of the pictures, where the folder does not say which part they are of
  double test = 0.2;
  std::int64_t most = 0;  // the first so many pictures of each part in the order of their names; 0 for all
  int threads = 1;
};

/// Throws Misuse naming the option.
void validate(const ImageFolderOptions& options);

/// PNG and JPEG files (".png", ".jpg", ".jpeg"): `folder`/CLASS/*, with classes numbered in the order of their names
/// and each split by a fixed key, or `folder`/*, split likewise, for pictures without labels. With folders for the
/// parts train, validation (or val) and test, `folder`/PART/CLASS/* or `folder`/PART/*. A single class says nothing
/// about its pictures, so they have no labels then either. The digest is that of all names and contents. Throws Misuse
/// for a folder that has none of these layouts or holds pictures beside folders of classes, for a class that is not in
/// every part, and for a file that is no picture.
Dataset load_image_folder(const ImageFolderOptions& options);

}  // namespace vaeguard::data
