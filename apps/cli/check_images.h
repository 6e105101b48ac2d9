// The pictures that `vaeguard check --images` names.
#pragma once

#include <filesystem>
#include <string>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/base/matrix.h"

namespace vaeguard::cli {

/// The first few images of that shape in an .npz file or among the PNG and JPEG files below a folder, there cropped to
/// the middle and resized. `array` may be empty. Throws Misuse unless there are at least two.
Matrix images_to_check(const std::filesystem::path& source, const std::string& array, ImageShape shape);

}  // namespace vaeguard::cli
