// Picture files that tests write.
#pragma once

#include <gtest/gtest.h>
#include <stb_image_write.h>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace vaeguard::data {

/// A fresh folder of this name.
inline std::filesystem::path fresh_pictures(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("pictures-" + name);
  remove_all(folder);
  create_directories(folder);
  return folder;
}

/// Levels [row, column, channel], 0 .. 255.
struct Levels {
  int width = 1;
  int height = 1;
  int channels = 1;
  std::vector<std::uint8_t> values;
};

/// A picture of one level everywhere.
inline Levels flat(int width, int height, int channels, std::uint8_t level) {
  return {width, height, channels,
          std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * channels), level)};
}

/// PNG or, for the extension ".jpg", JPEG of quality 95. Makes the folder.
inline void write_picture(const std::filesystem::path& file, const Levels& levels) {
  create_directories(file.parent_path());
  const int done =
      file.extension() == ".jpg"
          ? stbi_write_jpg(file.c_str(), levels.width, levels.height, levels.channels, levels.values.data(), 95)
          : stbi_write_png(file.c_str(), levels.width, levels.height, levels.channels, levels.values.data(),
                           levels.width * levels.channels);
  ASSERT_NE(done, 0);
}

}  // namespace vaeguard::data
