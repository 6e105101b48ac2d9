// ColorMNIST: MNIST's digits in the seven bright corners of the RGB cube, labelled by digit or by colour.
#pragma once

#include <array>
#include <filesystem>
#include <string_view>

#include "vaeguard/base/random.h"
#include "vaeguard/data/dataset.h"

namespace vaeguard::data {

/// The colours in the order of their labels.
inline constexpr std::array<std::string_view, 7> kColorNames = {"blue",    "green",  "cyan", "red",
                                                                "magenta", "yellow", "white"};

/// Which of an image's two labels is used.
enum class ColorLabel { digit, color };

/// Three channels from the data set `grey` of one: each image in one colour, with its grey level in the channels where
/// the colour's corner has a 1, and 0 elsewhere. In each part the images of a class take the colours in turn, in an
/// order that `key` determines, so that no image is in two parts and digit and colour are independent. (The authors
/// show every digit in all seven colours and split afterwards, so their validation digits are among their training
/// digits.) The digest is that of `grey` with the label's name.
Dataset color_dataset(const Dataset& grey, ColorLabel label, Key key);

/// MNIST from `folder` in colours. Errors as load_mnist.
Dataset load_color_mnist(const std::filesystem::path& folder, ColorLabel label);

}  // namespace vaeguard::data
