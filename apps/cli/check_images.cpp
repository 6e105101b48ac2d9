// Reads a few pictures of any source.
#include "apps/cli/check_images.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/base/npz_matrix.h"
#include "vaeguard/data/image_file.h"

namespace vaeguard::cli {
namespace {

constexpr std::int64_t kMost = 256;

bool is_picture(const std::filesystem::path& file) {
  constexpr std::array<std::string_view, 3> kEndings = {".png", ".jpg", ".jpeg"};
  return std::ranges::find(kEndings, file.extension().string()) != kEndings.end();
}

Matrix from_folder(const std::filesystem::path& folder, ImageShape shape) {
  if (shape.channels != 1 && shape.channels != 3) {
    misuse(folder.string(), "pictures have 1 or 3 channels, the model's images have {}: give an .npz", shape.channels);
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && is_picture(entry.path())) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  Matrix images(std::min<std::int64_t>(kMost, std::ssize(files)), shape.size());
  for (std::int64_t i = 0; i < images.rows(); ++i) {
    const auto& file = files[static_cast<std::size_t>(i)];
    const data::Picture picture = data::read_picture(file, shape.channels);
    data::fit_picture(picture, data::middle_box(picture.width, picture.height, shape), shape, file.string(),
                      images.row(i));
  }
  return images;
}

std::string array_of(const NpzArrays& arrays, const std::string& place) {
  if (arrays.size() == 1 || arrays.contains("x_ref")) {
    return arrays.size() == 1 ? arrays.begin()->first : "x_ref";
  }
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays) {
    names.push_back(name);
  }
  misuse(place, "say which array are images (--array): {}", fmt::join(names, ", "));
}

Matrix from_npz(const std::filesystem::path& file, const std::string& array, ImageShape shape) {
  const NpzArrays arrays = read_npz(file);
  const Matrix images =
      images_from(arrays, array.empty() ? array_of(arrays, file.string()) : array, shape, file.string());
  for (const float pixel : images.values()) {
    if (pixel < 0.0F || pixel > 1.0F) {
      misuse(file.string(), "pixels must be from 0 to 1, got {}", pixel);
    }
  }
  return images.slice(0, std::min(kMost, images.rows()));
}

}  // namespace

Matrix images_to_check(const std::filesystem::path& source, const std::string& array, ImageShape shape) {
  Matrix images = is_directory(source) ? from_folder(source, shape) : from_npz(source, array, shape);
  if (images.rows() < 2) {
    misuse(source.string(), "at least 2 pictures are needed, found {}", images.rows());
  }
  return images;
}

}  // namespace vaeguard::cli
