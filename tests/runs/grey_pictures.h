// A folder of grey pictures without classes, for runs from pictures to the report.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "vaeguard/base/file.h"
#include "vaeguard/reports/png_image.h"

namespace vaeguard::runs {

/// Forty pictures of one grey level each, from black to nearly white. Makes the folder.
inline void write_grey_pictures(const std::filesystem::path& folder, int height, int width) {
  create_directories(folder);
  for (int i = 0; i < 40; ++i) {
    reports::PngImage picture(width, height);
    std::ranges::fill(picture.rgba, static_cast<std::uint8_t>(6 * i));
    for (std::size_t alpha = 3; alpha < picture.rgba.size(); alpha += 4) {
      picture.rgba[alpha] = 255;
    }
    write_file_atomically(folder / fmt::format("{:02}.png", i), reports::encode_png(picture, ""));
  }
}

}  // namespace vaeguard::runs
