// Constants of an imported graph: numbers with a shape, and the little arithmetic that exporters leave in files.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace vaeguard::importers {

using Extents = std::vector<std::int64_t>;  // sizes of axes, outermost first

/// The size of a batch among integers: graphs are imported for any number of images, so it has no value. No file means
/// this number by itself.
constexpr std::int64_t kBatch = std::numeric_limits<std::int64_t>::min() + 4711;

/// Real numbers or integers, the last axis fastest.
struct Tensor {
  Extents shape{};
  std::variant<std::vector<float>, std::vector<std::int64_t>> values{};

  static Tensor of(Extents shape, std::vector<float> values) { return {std::move(shape), std::move(values)}; }
  static Tensor of(Extents shape, std::vector<std::int64_t> values) { return {std::move(shape), std::move(values)}; }

  [[nodiscard]] bool integral() const { return values.index() == 1; }
  [[nodiscard]] std::int64_t size() const;
  /// Its integers; throws Misuse if it holds real numbers.
  [[nodiscard]] const std::vector<std::int64_t>& integers() const;
  /// Its numbers, integers as real ones; throws Misuse if the batch's size is among them.
  [[nodiscard]] std::vector<float> reals() const;

  friend bool operator==(const Tensor&, const Tensor&) = default;
};

/// How many values a shape holds; throws Misuse if that is more than 2^40, or an extent is negative.
std::int64_t count(const Extents& shape);
/// "[2, 3]", with N for the batch.
std::string text(const Extents& shape);

/// The axis counted from the front; throws Misuse unless it is from -rank to rank - 1.
std::int64_t axis_from_front(std::int64_t axis, std::int64_t rank);

/// Of each output position, outermost axis first, the position in the input whose axis i is output axis `order`^-1(i):
/// output axis i is input axis order[i].
Tensor transposed(const Tensor& tensor, std::span<const std::int64_t> order);
/// Positions `indices` of `axis`, in that order.
Tensor taken(const Tensor& tensor, std::int64_t axis, std::span<const std::int64_t> indices);
/// One after the other along `axis`.
Tensor concatenated(std::span<const Tensor> parts, std::int64_t axis);
/// Repeated along axes of extent 1 (and missing outer ones) until it has `shape`; throws Misuse if that cannot be.
Tensor broadcast(const Tensor& tensor, const Extents& shape);
/// The shape that both are repeated to when they are combined; throws Misuse if there is none.
Extents common_shape(const Extents& one, const Extents& other);

/// one + other and so on, with broadcasting. Integers stay integers, and their division rounds towards zero.
enum class Arithmetic { add, subtract, multiply, divide };
Tensor combined(const Tensor& one, const Tensor& other, Arithmetic arithmetic);

}  // namespace vaeguard::importers
