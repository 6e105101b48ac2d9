// One direction of one weighted layer, prepared for the gather kernel.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/networks/layer_graph.h"
#include "vaeguard/networks/layer_maps.h"
#include "vaeguard/networks/native/aligned_floats.h"
#include "vaeguard/networks/native/kernels.h"

namespace vaeguard::networks::native {

/// Which positions of a feature map are kept in memory: the compact index of each, -1 for one that is not (its values
/// are constants that were folded into biases).
struct Layout {
  std::vector<std::int32_t> live;
  std::int64_t count = 0;

  static Layout all(std::int64_t positions);
};

enum class Direction { forward, backward };

/// The storage types of the values that a pass reads, writes and is masked by.
struct Elements {
  Element input = Element::float32;
  Element output = Element::float32;
  Element mask = Element::float32;
};

/// What a pass reads and writes; values are stored as [row][live position][channel].
struct PassData {
  std::int64_t rows = 0;
  const void* input = nullptr;
  void* output = nullptr;
  const float* bias = nullptr;  // [channels], or [live position, channels] if bias_stride is not 0
  std::int64_t bias_stride = 0;
  bool relu = false;
  const void* mask = nullptr;
  const float* slopes = nullptr;
  bool accumulate = false;
  const Function* function = nullptr;  // with its `derivatives`, as for GatherTask
  float* derivatives = nullptr;
};

/// The product of gathered inputs with the layer's weights. With few output channels most of a vector would be idle;
/// then each input position's products with all taps are formed first, taps and channels side by side, and summed
/// later.
class Pass {
 public:
  Pass(const Layer& layer, Direction direction, const std::vector<Connection>& connections, const Layout& from,
       const Layout& to, const Elements& elements, const Kernels& kernels);
  /// Packs the layer's weights, given in the layer's own order, for the kernel.
  void pack(std::span<const float> weight);
  void run(const PassData& data, AlignedFloats& scratch) const;

 private:
  struct Gathered {
    std::int32_t to;
    std::int32_t from;
    std::int32_t tap;  // in the order in which taps are packed
  };
  void make_classes(const std::vector<std::vector<Gathered>>& by_position);
  void make_products(std::int64_t from_positions);
  void make_packing();
  [[nodiscard]] GatherTask task(const PassData& data) const;
  void run_product(const PassData& data) const;
  void gather(const GatherTask& task) const;
  void run_products(const PassData& data, AlignedFloats& scratch) const;

  const Layer layer_;
  const Direction direction_;
  const Elements elements_;
  const Kernels& kernels_;
  bool flipped_;                    // taps are packed last to first, so that they increase with the input position
  bool products_ = false;           // form all products first, then sum
  bool depthwise_ = false;          // each channel by itself
  std::int64_t from_channels_ = 0;  // of one group
  std::int64_t to_channels_ = 0;
  std::int64_t from_positions_ = 0;
  std::int64_t to_positions_ = 0;
  std::int64_t columns_ = 0;  // of the product
  std::int64_t depth_ = 0;    // rows of the packed weights
  std::vector<PositionClass> classes_;
  std::vector<Term> terms_;
  std::vector<std::int32_t> positions_;
  std::vector<std::int32_t> offsets_;
  std::vector<Gathered> sums_;  // of the products, ordered by output position
  std::vector<std::int32_t> first_sum_;
  std::vector<std::int32_t> packing_;
  AlignedFloats weights_;  // of each group, in the kernel's layout
};

}  // namespace vaeguard::networks::native
