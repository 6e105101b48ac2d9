// Term tables, packed weights and calls of the gather kernel.
#include "vaeguard/networks/native/pass.h"

#include <algorithm>
#include <map>

#include "vaeguard/networks/native/bfloat16.h"

namespace vaeguard::networks::native {
namespace {

std::int64_t round_up(std::int64_t value, std::int64_t unit) { return (value + unit - 1) / unit * unit; }

float value_at(const void* values, Element element, std::int64_t i) {
  return element == Element::float32 ? static_cast<const float*>(values)[i]
                                     : to_float(static_cast<const Half*>(values)[i]);
}

}  // namespace

Layout Layout::all(std::int64_t positions) {
  Layout layout;
  layout.count = positions;
  for (std::int64_t p = 0; p < positions; ++p) {
    layout.live.push_back(static_cast<std::int32_t>(p));
  }
  return layout;
}

Pass::Pass(const Layer& layer, Direction direction, const std::vector<Connection>& connections, const Layout& from,
           const Layout& to, const Elements& elements, const Kernels& kernels)
    : layer_(layer),
      direction_(direction),
      elements_(elements),
      kernels_(kernels),
      from_positions_(from.count),
      to_positions_(to.count) {
  const bool forward = direction == Direction::forward;
  const bool transposed = layer.operation == Operation::transposed_convolution;
  flipped_ = forward == transposed;
  depthwise_ = layer.depthwise() && layer.groups > 1;
  from_channels_ = (forward ? layer.input() : layer.output).channels / layer.groups;
  to_channels_ = (forward ? layer.output : layer.input()).channels / layer.groups;
  std::vector<std::vector<Gathered>> by_position(static_cast<std::size_t>(to.count));
  std::int64_t pairs = 0;
  for (const Connection& c : connections) {
    const std::int32_t in = from.live[static_cast<std::size_t>(forward ? c.input : c.output)];
    const std::int32_t out = to.live[static_cast<std::size_t>(forward ? c.output : c.input)];
    if (in >= 0 && out >= 0) {
      const auto tap = flipped_ ? static_cast<std::int32_t>(layer.taps()) - 1 - c.tap : c.tap;
      by_position[static_cast<std::size_t>(out)].push_back({out, in, tap});
      ++pairs;
    }
  }
  for (auto& entries : by_position) {
    std::ranges::sort(entries, {}, [](const Gathered& g) { return std::pair(g.from, g.tap); });
  }
  const std::int64_t direct = pairs * from_channels_ * round_up(to_channels_, kernels.width);
  const std::int64_t through_products =
      from.count * from_channels_ * round_up(layer.taps() * to_channels_, kernels.width) + 2 * pairs * to_channels_;
  products_ = layer.groups == 1 && layer.taps() > 1 && through_products < direct;
  columns_ = products_ ? layer.taps() * to_channels_ : depthwise_ ? layer.groups : to_channels_;
  if (products_) {
    make_products(from.count);
    first_sum_.push_back(0);
    for (const auto& entries : by_position) {
      sums_.insert(sums_.end(), entries.begin(), entries.end());
      first_sum_.push_back(static_cast<std::int32_t>(sums_.size()));
    }
  } else {
    make_classes(by_position);
  }
  make_packing();
}

// Taps whose inputs are contiguous in memory become one term. Positions with equal terms form a class.
void Pass::make_classes(const std::vector<std::vector<Gathered>>& by_position) {
  const auto stride = static_cast<std::int32_t>(from_channels_ * layer_.groups);
  const auto depth = static_cast<std::int32_t>(from_channels_);
  struct Members {
    std::vector<std::int32_t> positions;
    std::vector<std::int32_t> offsets;
  };
  // Where the terms lie from the first one on matters to the depthwise kernel alone.
  using Distances = std::vector<std::int32_t>;
  std::map<std::pair<std::vector<std::pair<std::int32_t, std::int32_t>>, Distances>, Members> classes;
  for (std::size_t p = 0; p < by_position.size(); ++p) {
    std::vector<std::pair<std::int32_t, std::int32_t>> terms;
    std::vector<std::int32_t> offsets;
    const Gathered* before = nullptr;
    for (const Gathered& g : by_position[p]) {
      if (layer_.groups == 1 && before != nullptr && g.from == before->from + 1 && g.tap == before->tap + 1) {
        terms.back().second += depth;
      } else {
        terms.emplace_back(g.tap * depth, depth);
        offsets.push_back(g.from * stride);
      }
      before = &g;
    }
    Distances distances;
    for (std::size_t j = 0; depthwise_ && j < offsets.size(); ++j) {
      distances.push_back(offsets[j] - offsets[0]);
    }
    Members& members = classes[{terms, distances}];
    members.positions.push_back(static_cast<std::int32_t>(p));
    members.offsets.insert(members.offsets.end(), offsets.begin(), offsets.end());
  }
  for (const auto& [key, members] : classes) {
    const auto& terms = key.first;
    classes_.push_back({.first_term = static_cast<std::int32_t>(terms_.size()),
                        .terms = static_cast<std::int32_t>(terms.size()),
                        .first_position = static_cast<std::int32_t>(positions_.size()),
                        .positions = static_cast<std::int32_t>(members.positions.size()),
                        .first_offset = static_cast<std::int32_t>(offsets_.size())});
    for (const auto& [row, length] : terms) {
      terms_.push_back({row, length});
    }
    positions_.insert(positions_.end(), members.positions.begin(), members.positions.end());
    offsets_.insert(offsets_.end(), members.offsets.begin(), members.offsets.end());
  }
}

// One class: every input position is its own output position.
void Pass::make_products(std::int64_t from_positions) {
  classes_.push_back({.terms = 1, .positions = static_cast<std::int32_t>(from_positions)});
  terms_.push_back({0, static_cast<std::int32_t>(from_channels_)});
  for (std::int64_t p = 0; p < from_positions; ++p) {
    positions_.push_back(static_cast<std::int32_t>(p));
    offsets_.push_back(static_cast<std::int32_t>(p * from_channels_));
  }
}

// The index in the layer's weights of each packed value; -1 pads the last vector.
void Pass::make_packing() {
  const std::int64_t taps = layer_.taps();
  depth_ = products_ ? from_channels_ : taps * from_channels_;
  const std::int64_t padded = round_up(columns_, kernels_.width);
  const std::int64_t block = kernels_.width * kernels_.vectors;
  const std::int64_t together = elements_.input == Element::bfloat16 ? 2 : 1;  // rows that are interleaved
  const auto source = [&](std::int64_t group, std::int64_t row, std::int64_t column) {
    const std::int64_t packed_tap = products_ ? column / to_channels_ : row / from_channels_;
    const std::int64_t tap = flipped_ ? taps - 1 - packed_tap : packed_tap;
    const std::int64_t from = depthwise_ ? column : group * from_channels_ + row % from_channels_;
    const std::int64_t to = depthwise_ ? column : group * to_channels_ + column % to_channels_;
    const bool forward = direction_ == Direction::forward;
    return static_cast<std::int32_t>(layer_.weight_index(forward ? to : from, forward ? from : to, tap));
  };
  const std::int64_t groups = depthwise_ ? 1 : layer_.groups;
  packing_.reserve(static_cast<std::size_t>(groups * padded * round_up(depth_, together)));
  for (std::int64_t g = 0; g < groups; ++g) {
    for (std::int64_t first = 0; first < padded; first += block) {
      for (std::int64_t row = 0; row < depth_; row += together) {
        for (std::int64_t column = first; column < std::min(first + block, padded); ++column) {
          for (std::int64_t k = row; k < row + together; ++k) {
            packing_.push_back(column < columns_ ? source(g, k, column) : -1);
          }
        }
      }
    }
  }
}

void Pass::pack(std::span<const float> weight) {
  float* packed = weights_.require(static_cast<std::int64_t>(packing_.size()));
  auto* halves = reinterpret_cast<Half*>(packed);
  for (std::size_t i = 0; i < packing_.size(); ++i) {
    const float value = packing_[i] < 0 ? 0.0F : weight[static_cast<std::size_t>(packing_[i])];
    if (elements_.input == Element::bfloat16) {
      halves[i] = to_bfloat16(value);
    } else {
      packed[i] = value;
    }
  }
}

GatherTask Pass::task(const PassData& data) const {
  const std::int64_t from = from_channels_ * layer_.groups;
  const std::int64_t to = to_channels_ * layer_.groups;
  return {.rows = data.rows,
          .classes = static_cast<std::int64_t>(classes_.size()),
          .first_class = classes_.data(),
          .terms = terms_.data(),
          .positions = positions_.data(),
          .offsets = offsets_.data(),
          .depth = depth_,
          .channels = columns_,
          .bias = data.bias,
          .bias_stride = data.bias_stride,
          .input = data.input,
          .input_stride = from_positions_ * from,
          .output = data.output,
          .output_element = elements_.output,
          .output_stride = to_positions_ * to,
          .position_stride = to,
          .relu = data.relu,
          .mask = data.mask,
          .mask_element = elements_.mask,
          .slopes = data.slopes,
          .accumulate = data.accumulate,
          .function = data.function,
          .activate = kernels_.activate,
          .derivatives = data.derivatives};
}

void Pass::gather(const GatherTask& task) const {
  (elements_.input == Element::bfloat16 ? kernels_.gather_bfloat16 : kernels_.gather)(task);
}

void Pass::run(const PassData& data, AlignedFloats& scratch) const {
  if (to_positions_ == 0) {
    return;  // what it writes has no live position, and so no memory: all that it reads is padding
  }
  if (!products_ && columns_ % kernels_.width == 0) {
    return run_product(data);
  }
  PassData sums = data;  // the kernel applies a function to whole vectors only
  sums.function = nullptr;
  products_ ? run_products(sums, scratch) : run_product(sums);
  if (data.function != nullptr) {
    auto* output = static_cast<float*>(data.output);
    kernels_.activate(*data.function, {.length = data.rows * to_positions_ * to_channels_ * layer_.groups}, output,
                      output, data.derivatives);
  }
}

void Pass::run_product(const PassData& data) const {
  GatherTask first = task(data);
  first.weights = weights_.data();
  if (depthwise_) {
    kernels_.depthwise(first);
    return;
  }
  if (layer_.groups == 1) {
    gather(first);
    return;
  }
  for (std::int64_t g = 0; g < layer_.groups; ++g) {  // of floats
    GatherTask group = first;
    group.weights = weights_.data() + g * static_cast<std::int64_t>(packing_.size()) / layer_.groups;
    group.input = static_cast<const float*>(data.input) + g * from_channels_;
    group.output = static_cast<float*>(data.output) + g * to_channels_;
    group.bias = data.bias == nullptr ? nullptr : data.bias + g * to_channels_;
    group.mask = data.mask == nullptr ? nullptr : static_cast<const float*>(data.mask) + g * to_channels_;
    group.slopes = data.slopes == nullptr ? nullptr : data.slopes + g * to_channels_;
    group.derivatives = data.derivatives == nullptr ? nullptr : data.derivatives + g * to_channels_;
    gather(group);
  }
}

void Pass::run_products(const PassData& data, AlignedFloats& scratch) const {
  GatherTask products = task({.rows = data.rows, .input = data.input});
  float* all = scratch.require(data.rows * from_positions_ * columns_);
  products.output = all;
  products.output_element = Element::float32;
  products.output_stride = from_positions_ * columns_;
  products.position_stride = columns_;
  products.weights = weights_.data();
  gather(products);
  for (std::int64_t row = 0; row < data.rows; ++row) {
    const float* values = all + row * products.output_stride;
    for (std::int64_t p = 0; p < to_positions_; ++p) {
      for (std::int64_t c = 0; c < to_channels_; ++c) {
        float sum = data.bias == nullptr ? 0.0F : data.bias[p * data.bias_stride + c];
        for (auto s = first_sum_[static_cast<std::size_t>(p)]; s < first_sum_[static_cast<std::size_t>(p) + 1]; ++s) {
          const Gathered& g = sums_[static_cast<std::size_t>(s)];
          sum += values[g.from * columns_ + g.tap * to_channels_ + c];
        }
        const std::int64_t at = (row * to_positions_ + p) * to_channels_ + c;
        const bool silent =
            (data.relu && !(sum > 0.0F)) || (data.mask != nullptr && !(value_at(data.mask, elements_.mask, at) > 0.0F));
        const float value = silent ? 0.0F : data.slopes == nullptr ? sum : sum * data.slopes[at];
        if (elements_.output == Element::bfloat16) {
          static_cast<Half*>(data.output)[at] = to_bfloat16(value);
        } else {
          float* output = static_cast<float*>(data.output) + at;
          *output = data.accumulate ? *output + value : value;
        }
      }
    }
  }
}

}  // namespace vaeguard::networks::native
