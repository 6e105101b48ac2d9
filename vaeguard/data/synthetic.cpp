// Shapes as distances to strokes and circles, drawn with soft edges. Only + - * / sqrt, for the same bytes on every
// machine.
#include "vaeguard/data/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/data/idx_dataset.h"
#include "vaeguard/data/idx_file.h"

namespace vaeguard::data {
namespace {

constexpr std::int64_t kClasses = 10;

struct Point {
  double x = 0.0;
  double y = 0.0;
};

// A stroke from `a` to `b`; with a radius, the circle around `a` instead.
struct Stroke {
  Point a;
  Point b;
  double radius = 0.0;
};

// The shape of each class in the square [-1, 1]^2.
const std::array<std::vector<Stroke>, kClasses> kShapes = {{
    {{{0.0, 0.0}, {}, 0.6}},                                   // ring
    {{{0.0, -0.7}, {0.0, 0.7}}},                               // upright bar
    {{{-0.7, 0.0}, {0.7, 0.0}}},                               // flat bar
    {{{0.0, -0.6}, {0.0, 0.6}}, {{-0.6, 0.0}, {0.6, 0.0}}},    // cross
    {{{-0.5, -0.6}, {0.5, 0.6}}, {{-0.5, 0.6}, {0.5, -0.6}}},  // diagonal cross
    {{{-0.5, -0.5}, {0.5, -0.5}}, {{0.5, -0.5}, {0.5, 0.5}}, {{0.5, 0.5}, {-0.5, 0.5}}, {{-0.5, 0.5}, {-0.5, -0.5}}},
    {{{-0.6, 0.5}, {0.6, 0.5}}, {{0.6, 0.5}, {0.0, -0.6}}, {{0.0, -0.6}, {-0.6, 0.5}}},  // triangle
    {{{-0.4, -0.6}, {-0.4, 0.6}}, {{0.4, -0.6}, {0.4, 0.6}}},                            // two bars
    {{{-0.4, -0.6}, {-0.4, 0.6}}, {{-0.4, 0.6}, {0.5, 0.6}}},                            // corner
    {{{0.0, -0.4}, {}, 0.3}, {{0.0, 0.4}, {}, 0.3}},                                     // figure of eight
}};

double distance(const Stroke& stroke, Point p) {
  const Point along{stroke.b.x - stroke.a.x, stroke.b.y - stroke.a.y};
  const Point from{p.x - stroke.a.x, p.y - stroke.a.y};
  if (stroke.radius > 0.0) {
    return std::abs(std::sqrt(from.x * from.x + from.y * from.y) - stroke.radius);
  }
  const double length2 = along.x * along.x + along.y * along.y;
  const double t = std::clamp((from.x * along.x + from.y * along.y) / length2, 0.0, 1.0);
  const Point gap{from.x - t * along.x, from.y - t * along.y};
  return std::sqrt(gap.x * gap.x + gap.y * gap.y);
}

double between(Stream& stream, double low, double high) { return low + (high - low) * stream.uniform(); }

void draw(std::int64_t label, Key key, std::int64_t side, std::span<std::uint8_t> out) {
  Stream stream(key);
  const Point shift{between(stream, -0.15, 0.15), between(stream, -0.15, 0.15)};
  const double size = between(stream, 0.85, 1.15);
  const double slant = between(stream, -0.25, 0.25);
  const double thickness = between(stream, 0.09, 0.16);
  constexpr double kEdge = 0.07;  // an edge fades over one pixel of a 28 x 28 image
  for (std::int64_t row = 0; row < side; ++row) {
    for (std::int64_t column = 0; column < side; ++column) {
      const double y = (2.0 * static_cast<double>(row) + 1.0) / static_cast<double>(side) - 1.0 - shift.y;
      const double x = (2.0 * static_cast<double>(column) + 1.0) / static_cast<double>(side) - 1.0 - shift.x;
      const Point p{(x + slant * y) / size, y / size};
      double nearest = 4.0;
      for (const Stroke& stroke : kShapes[static_cast<std::size_t>(label)]) {
        nearest = std::min(nearest, distance(stroke, p));
      }
      const double cover = std::clamp(0.5 + (thickness - nearest) / kEdge, 0.0, 1.0);
      out[static_cast<std::size_t>(row * side + column)] = static_cast<std::uint8_t>(255.0 * cover + 0.5);
    }
  }
}

struct Part {
  IdxArray images;
  IdxArray labels;
};

Part draw_part(std::int64_t count, std::int64_t side, Key key) {
  const auto pixels = static_cast<std::size_t>(side * side);
  Part part{{{count, side, side}, std::vector<std::uint8_t>(static_cast<std::size_t>(count) * pixels)}, {{count}, {}}};
  for (std::int64_t i = 0; i < count; ++i) {
    // Each block of ten images has every class once, in an order of its own.
    const Key block = key.fold("order").fold(static_cast<std::uint64_t>(i / kClasses));
    const std::int64_t label = permutation(block, kClasses)[static_cast<std::size_t>(i % kClasses)];
    part.labels.values.push_back(static_cast<std::uint8_t>(label));
    draw(label, key.fold("image").fold(static_cast<std::uint64_t>(i)), side,
         std::span(part.images.values).subspan(static_cast<std::size_t>(i) * pixels, pixels));
  }
  return part;
}

IdxFiles draw_files(const SyntheticOptions& options, Key key) {
  options.validate();
  const Part training = draw_part(options.train + options.validation, options.side, key.fold("training file"));
  const Part test = draw_part(options.test, options.side, key.fold("test file"));
  return {{encode_idx(training.images), encode_idx(training.labels), encode_idx(test.images), encode_idx(test.labels)},
          "synthetic"};
}

IdxDatasetOptions dataset_options(const SyntheticOptions& options, Key key) {
  return {.name = "synthetic",
          .classes = kClasses,
          .validation = options.validation,
          .split_key = key.fold("synthetic split")};
}

}  // namespace

void SyntheticOptions::validate() const {
  if (train < 1 || validation < 1 || test < 1) {
    misuse("data.synthetic", "train, validation and test must each be at least 1, got {}, {} and {}", train, validation,
           test);
  }
  if (side < 8 || side > 256) {
    misuse("data.synthetic", "side must be 8 to 256, got {}", side);
  }
}

Key synthetic_key() { return Key(0).fold("synthetic"); }

Dataset synthetic(const SyntheticOptions& options, Key key) {
  return make_dataset(draw_files(options, key), dataset_options(options, key));
}

void write_synthetic_idx(const std::filesystem::path& folder, const SyntheticOptions& options, Key key) {
  const IdxFiles files = draw_files(options, key);
  for (std::size_t i = 0; i < kIdxFileNames.size(); ++i) {
    write_file_atomically(folder / kIdxFileNames[i], files.contents[i]);
  }
}

Dataset read_synthetic_idx(const std::filesystem::path& folder, const SyntheticOptions& options, Key key) {
  options.validate();
  return make_dataset(read_idx_files(folder, "write_synthetic_idx makes them."), dataset_options(options, key));
}

}  // namespace vaeguard::data
