// Colours for grey images.
#include "vaeguard/data/color_mnist.h"

#include <algorithm>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/data/checksum.h"
#include "vaeguard/data/mnist.h"

namespace vaeguard::data {
namespace {

constexpr std::int64_t kColors = kColorNames.size();
// Red, green and blue of each colour.
constexpr std::array<std::array<float, 3>, kColors> kCorners = {
    {{0, 0, 1}, {0, 1, 0}, {0, 1, 1}, {1, 0, 0}, {1, 0, 1}, {1, 1, 0}, {1, 1, 1}}};
// A number, for the reason that mnist.cpp gives.
constexpr std::uint64_t kColorKey = 0x2f6d1c83e05ab974;

std::vector<std::int64_t> colors_of(const Images& images, std::int64_t classes, Key key) {
  std::vector<std::int64_t> next(static_cast<std::size_t>(classes));
  std::vector<std::int64_t> colors(images.labels.size());
  for (const std::int64_t i : permutation(key, std::ssize(images.labels))) {
    auto& turn = next[static_cast<std::size_t>(images.labels[static_cast<std::size_t>(i)])];
    colors[static_cast<std::size_t>(i)] = turn++ % kColors;
  }
  return colors;
}

Images in_color(const Images& grey, std::int64_t classes, ColorLabel label, Key key) {
  const std::int64_t pixels = grey.pixels.columns();
  std::vector<std::int64_t> colors = colors_of(grey, classes, key);
  Images result{Matrix(grey.pixels.rows(), 3 * pixels), grey.labels};
  for (std::int64_t i = 0; i < grey.pixels.rows(); ++i) {
    const auto& corner = kCorners[static_cast<std::size_t>(colors[static_cast<std::size_t>(i)])];
    float* to = result.pixels.row(i).data();
    for (const float share : corner) {
      to = std::ranges::transform(grey.pixels.row(i), to, [&](float level) { return share * level; }).out;
    }
  }
  if (label == ColorLabel::color) {
    result.labels = std::move(colors);
  }
  return result;
}

}  // namespace

Dataset color_dataset(const Dataset& grey, ColorLabel label, Key key) {
  if (grey.shape.channels != 1) {
    misuse("data.color_mnist", "images must have one channel to be coloured, got {}", grey.shape.channels);
  }
  const bool digits = label == ColorLabel::digit;
  const auto part = [&](const Images& images, std::string_view name) {
    return in_color(images, grey.classes, label, key.fold(name));
  };
  return {.name = digits ? "color_mnist" : "color_mnist_colors",
          .shape = {3, grey.shape.height, grey.shape.width},
          .classes = digits ? grey.classes : kColors,
          .digest = sha256(grey.digest + (digits ? " color digits" : " color colors")),
          .train = part(grey.train, "train"),
          .validation = part(grey.validation, "validation"),
          .test = part(grey.test, "test")};
}

Dataset load_color_mnist(const std::filesystem::path& folder, ColorLabel label) {
  return color_dataset(load_mnist(folder), label, Key(kColorKey));
}

}  // namespace vaeguard::data
