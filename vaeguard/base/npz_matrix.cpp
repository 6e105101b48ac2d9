// Shapes of arrays that hold images.
#include "vaeguard/base/npz_matrix.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard {
namespace {

std::vector<float> values_of(const MatrixView& rows) {
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(rows.rows() * rows.columns()));
  for (std::int64_t i = 0; i < rows.rows(); ++i) {
    values.insert(values.end(), rows.row(i).begin(), rows.row(i).end());
  }
  return values;
}

}  // namespace

NpzArray rows_array(MatrixView rows) { return {{rows.rows(), rows.columns()}, values_of(rows)}; }

NpzArray images_array(MatrixView images, ImageShape shape) {
  check_shape("base.npz_matrix", "images", images, -1, shape.size());
  return {{images.rows(), shape.channels, shape.height, shape.width}, values_of(images)};
}

Matrix images_from(const NpzArrays& arrays, const std::string& name, ImageShape shape, std::string_view place) {
  const auto found = arrays.find(name);
  if (found == arrays.end()) {
    std::vector<std::string> names;
    std::ranges::transform(arrays, std::back_inserter(names), [](const auto& one) { return one.first; });
    misuse(place, "must have an array '{}', it has {}", name, fmt::join(names, ", "));
  }
  const auto* values = std::get_if<std::vector<float>>(&found->second.values);
  if (values == nullptr) {
    misuse(place, "the array '{}' must be float32, it holds integers", name);
  }
  const std::vector<std::int64_t>& extents = found->second.shape;
  const std::int64_t rows = extents.empty() ? 0 : extents.front();
  using Extents = std::vector<std::int64_t>;
  const bool agrees = extents == Extents{rows, shape.channels, shape.height, shape.width} ||
                      extents == Extents{rows, shape.size()} ||
                      (shape.channels == 1 && extents == Extents{rows, shape.height, shape.width});
  if (!agrees) {
    misuse(place, "the array '{}' must be images [any, {}, {}, {}] or flat [any, {}], got [{}]", name, shape.channels,
           shape.height, shape.width, shape.size(), fmt::join(extents, ", "));
  }
  Matrix images(rows, shape.size(), *values);
  check_finite(place, name, images);
  return images;
}

}  // namespace vaeguard
