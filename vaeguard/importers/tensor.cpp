// Index arithmetic on small constants.
#include "vaeguard/importers/tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::importers {
namespace {

constexpr const char* kPlace = "importers.tensor";
constexpr std::int64_t kMostValues = std::int64_t{1} << 40;

// How far apart neighbours along each axis lie.
Extents strides(const Extents& shape) {
  Extents result(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) {
    result[axis - 1] = result[axis] * shape[axis];
  }
  return result;
}

// A file of a few bytes could ask for any number of values.
void check_held(const Extents& shape) {
  constexpr std::int64_t kMostHeld = 1 << 28;
  if (count(shape) > kMostHeld) {
    misuse(kPlace, "a constant may have at most 2^28 values, got {}", text(shape));
  }
}

// The values at positions `step` apart along each axis of `shape`, from the first on.
template <typename Value>
std::vector<Value> gathered(const std::vector<Value>& from, const Extents& shape, const Extents& step) {
  check_held(shape);
  std::vector<Value> result(static_cast<std::size_t>(count(shape)));
  Extents position(shape.size(), 0);
  std::int64_t offset = 0;
  for (Value& value : result) {
    value = from[static_cast<std::size_t>(offset)];
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      offset += step[axis];
      if (++position[axis] < shape[axis]) {
        break;
      }
      offset -= step[axis] * shape[axis];
      position[axis] = 0;
    }
  }
  return result;
}

Tensor viewed(const Tensor& tensor, const Extents& shape, const Extents& step) {
  return std::visit([&](const auto& values) { return Tensor::of(shape, gathered(values, shape, step)); },
                    tensor.values);
}

// The products of the extents before and after an axis.
struct Around {
  std::int64_t outer = 1;
  std::int64_t inner = 1;
};

Around around(const Extents& shape, std::int64_t axis) {
  Around result;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(shape.size()); ++i) {
    (i < axis ? result.outer : result.inner) *= i == axis ? 1 : shape[static_cast<std::size_t>(i)];
  }
  return result;
}

template <typename Value>
Value calculated(Value one, Value other, Arithmetic arithmetic) {
  if constexpr (std::is_integral_v<Value>) {
    constexpr Value kFar = std::numeric_limits<std::int32_t>::max();  // no overflow below it
    if (std::max(one, other) > kFar || std::min(one, other) < -kFar) {
      misuse(kPlace, "it computes with the size of the batch, or with integers beyond 32 bits");
    }
    if (arithmetic == Arithmetic::divide && other == 0) {
      misuse(kPlace, "it divides an integer by 0");
    }
  }
  switch (arithmetic) {
    case Arithmetic::add:
      return one + other;
    case Arithmetic::subtract:
      return one - other;
    case Arithmetic::multiply:
      return one * other;
    default:
      return one / other;
  }
}

template <typename Value>
std::vector<Value> calculated(const std::vector<Value>& one, const std::vector<Value>& other, Arithmetic arithmetic) {
  std::vector<Value> result(one.size());
  std::ranges::transform(one, other, result.begin(),
                         [&](Value a, Value b) { return calculated<Value>(a, b, arithmetic); });
  return result;
}

}  // namespace

std::int64_t Tensor::size() const {
  return std::visit([](const auto& held) { return static_cast<std::int64_t>(held.size()); }, values);
}

const std::vector<std::int64_t>& Tensor::integers() const {
  if (!integral()) {
    misuse(kPlace, "it must be given integers, got real numbers");
  }
  return std::get<1>(values);
}

std::vector<float> Tensor::reals() const {
  if (!integral()) {
    return std::get<0>(values);
  }
  std::vector<float> result;
  for (const std::int64_t value : std::get<1>(values)) {
    if (value == kBatch) {
      misuse(kPlace, "it computes with the size of the batch, which must stay open");
    }
    result.push_back(static_cast<float>(value));
  }
  return result;
}

std::int64_t count(const Extents& shape) {
  std::int64_t product = 1;  // of those above 0, so that products of some of them are small too
  for (const std::int64_t extent : shape) {
    if (extent < 0 || (extent > 0 && product > kMostValues / extent)) {
      misuse(kPlace, "a shape must have extents of at least 0 and at most 2^40 values in all, got {}", text(shape));
    }
    product *= std::max<std::int64_t>(extent, 1);
  }
  return std::ranges::find(shape, 0) == shape.end() ? product : 0;
}

std::string text(const Extents& shape) {
  std::string result = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    result += i == 0 ? "" : ", ";
    result += shape[i] == kBatch ? std::string("N") : fmt::format("{}", shape[i]);
  }
  return result + "]";
}

std::int64_t axis_from_front(std::int64_t axis, std::int64_t rank) {
  if (axis < -rank || axis >= rank) {
    misuse(kPlace, "an axis of {} must be from {} to {}, got {}", rank, -rank, rank - 1, axis);
  }
  return axis < 0 ? axis + rank : axis;
}

Tensor transposed(const Tensor& tensor, std::span<const std::int64_t> order) {
  const Extents apart = strides(tensor.shape);
  Extents shape;
  Extents step;
  for (const std::int64_t axis : order) {
    shape.push_back(tensor.shape.at(static_cast<std::size_t>(axis)));
    step.push_back(apart[static_cast<std::size_t>(axis)]);
  }
  if (shape.size() != tensor.shape.size()) {
    misuse(kPlace, "a transposition of {} needs as many axes, got {}", text(tensor.shape), order.size());
  }
  return viewed(tensor, shape, step);
}

Tensor taken(const Tensor& tensor, std::int64_t axis, std::span<const std::int64_t> indices) {
  const Around sides = around(tensor.shape, axis);
  const std::int64_t extent = tensor.shape[static_cast<std::size_t>(axis)];
  Extents shape = tensor.shape;
  shape[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(indices.size());
  check_held(shape);
  return std::visit(
      [&](const auto& values) {
        std::remove_cvref_t<decltype(values)> result;
        for (std::int64_t o = 0; o < sides.outer; ++o) {
          for (const std::int64_t index : indices) {
            if (index < -extent || index >= extent) {
              misuse(kPlace, "an index into an axis of {} must be from {} to {}, got {}", extent, -extent, extent - 1,
                     index);
            }
            const auto first = values.begin() + (o * extent + (index < 0 ? index + extent : index)) * sides.inner;
            result.insert(result.end(), first, first + sides.inner);
          }
        }
        return Tensor::of(shape, std::move(result));
      },
      tensor.values);
}

Tensor concatenated(std::span<const Tensor> parts, std::int64_t axis) {
  Tensor result = parts.front();
  const auto along = static_cast<std::size_t>(axis);
  for (const Tensor& part : parts.subspan(1)) {
    Extents expected = result.shape;
    expected.at(along) = part.shape.size() == expected.size() ? part.shape[along] : 0;
    if (part.shape != expected || part.integral() != result.integral()) {
      misuse(kPlace, "constants of one kind and of equal shapes but for axis {} can be concatenated, got {} and {}",
             axis, text(result.shape), text(part.shape));
    }
    const std::int64_t outer = around(result.shape, axis).outer;
    expected[along] += result.shape[along];
    check_held(expected);
    std::visit(
        [&](auto& values) {
          using Values = std::remove_reference_t<decltype(values)>;
          const auto& more = std::get<Values>(part.values);
          Values joined;
          for (std::int64_t o = 0; o < outer; ++o) {
            const auto slab = [&](const Values& from) {
              const auto length = static_cast<std::int64_t>(from.size()) / outer;
              joined.insert(joined.end(), from.begin() + o * length, from.begin() + (o + 1) * length);
            };
            slab(values);
            slab(more);
          }
          values = std::move(joined);
        },
        result.values);
    result.shape = std::move(expected);
  }
  return result;
}

Tensor broadcast(const Tensor& tensor, const Extents& shape) {
  const Extents apart = strides(tensor.shape);
  Extents step(shape.size(), 0);
  const auto missing = static_cast<std::int64_t>(shape.size()) - static_cast<std::int64_t>(tensor.shape.size());
  for (std::size_t axis = 0; axis < tensor.shape.size(); ++axis) {
    const auto target = missing + static_cast<std::int64_t>(axis);
    const bool fits =
        target >= 0 && (tensor.shape[axis] == 1 || tensor.shape[axis] == shape[static_cast<std::size_t>(target)]);
    if (!fits) {
      misuse(kPlace, "a constant of shape {} cannot be repeated to {}", text(tensor.shape), text(shape));
    }
    step[static_cast<std::size_t>(target)] = tensor.shape[axis] == 1 ? 0 : apart[axis];
  }
  return viewed(tensor, shape, step);
}

Extents common_shape(const Extents& one, const Extents& other) {
  Extents result = one.size() < other.size() ? other : one;
  const Extents& shorter = one.size() < other.size() ? one : other;
  const std::size_t missing = result.size() - shorter.size();
  for (std::size_t axis = 0; axis < shorter.size(); ++axis) {
    std::int64_t& extent = result[missing + axis];
    if (extent != shorter[axis] && extent != 1 && shorter[axis] != 1) {
      misuse(kPlace, "shapes {} and {} do not fit together", text(one), text(other));
    }
    extent = extent == 1 ? shorter[axis] : extent;
  }
  return result;
}

Tensor combined(const Tensor& one, const Tensor& other, Arithmetic arithmetic) {
  const Extents shape = common_shape(one.shape, other.shape);
  const Tensor a = broadcast(one, shape);
  const Tensor b = broadcast(other, shape);
  if (a.integral() && b.integral()) {
    return Tensor::of(shape, calculated(a.integers(), b.integers(), arithmetic));
  }
  return Tensor::of(shape, calculated(a.reals(), b.reals(), arithmetic));
}

}  // namespace vaeguard::importers
