// Products over gathered inputs, and the gradients of weights.
#include "vaeguard/networks/native/weighted_step.h"

#include <algorithm>

namespace vaeguard::networks::native {
namespace {

std::vector<OuterTask::Pair> pairs_by_tap(const Layer& layer, const std::vector<Connection>& connections,
                                          const Buffer& from, const Buffer& to, bool right_is_output,
                                          std::vector<std::int32_t>& first) {
  std::vector<std::vector<OuterTask::Pair>> taps(static_cast<std::size_t>(layer.taps()));
  for (const Connection& c : connections) {
    const std::int32_t i = from.layout.live[static_cast<std::size_t>(c.input)];
    const std::int32_t o = to.layout.live[static_cast<std::size_t>(c.output)];
    if (i >= 0 && o >= 0) {
      taps[static_cast<std::size_t>(c.tap)].push_back(right_is_output ? OuterTask::Pair{i, o} : OuterTask::Pair{o, i});
    }
  }
  std::vector<OuterTask::Pair> pairs;
  first = {0};
  for (const auto& tap : taps) {
    pairs.insert(pairs.end(), tap.begin(), tap.end());
    first.push_back(static_cast<std::int32_t>(pairs.size()));
  }
  return pairs;
}

}  // namespace

WeightedStep::WeightedStep(const LayerGraph& graph, std::size_t layer, const std::vector<Connection>& connections,
                           const Buffer& from, const Buffer& to, const Kernels& kernels,
                           std::vector<float> position_bias)
    : layer_(graph.layers[layer]),
      from_(from),
      to_(to),
      kernels_(kernels),
      function_(function_of(layer_)),
      depthwise_(layer_.depthwise() && layer_.groups > 1),
      right_is_output_(layer_.output.channels >= layer_.input().channels),
      forward_(layer_, Direction::forward, connections, from.layout, to.layout,
               {.input = from.values, .output = to.values, .mask = to.values}, kernels),
      backward_(layer_, Direction::backward, connections, to.layout, from.layout,
                {.input = to.gradients, .output = from.gradients, .mask = from.values}, kernels),
      bias_(std::move(position_bias)),
      bias_stride_(bias_.empty() ? 0 : layer_.output.channels) {
  set_parameters(graph);
}

void WeightedStep::prepare_gradients(const std::vector<Connection>& connections) {
  pairs_ = pairs_by_tap(layer_, connections, from_, to_, right_is_output_, first_pair_);
  const std::int64_t right = (right_is_output_ ? layer_.output : layer_.input()).channels / layer_.groups;
  left_channels_ = (right_is_output_ ? layer_.input() : layer_.output).channels / layer_.groups;
  right_channels_ = (right + kernels_.width - 1) / kernels_.width * kernels_.width;
  if (depthwise_) {
    right_channels_ = (layer_.groups + kernels_.width - 1) / kernels_.width * kernels_.width;
    make_depthwise_unpacking();
  } else {
    make_unpacking(right);
  }
}

void WeightedStep::set_parameters(const LayerGraph& graph) {
  forward_.pack(graph.weight(layer_));
  backward_.pack(graph.weight(layer_));
  if (bias_stride_ == 0) {
    const auto bias = graph.bias(layer_);
    bias_.assign(bias.begin(), bias.end());
  }
  // The kernel loads whole vectors starting at any channel.
  const auto values = static_cast<std::size_t>(bias_stride_ == 0 ? layer_.output.channels : to_.size());
  bias_.resize(values + static_cast<std::size_t>(kernels_.width * kernels_.vectors), 0.0F);
}

void WeightedStep::forward(const Group& group) const {
  forward_.run({.rows = group.rows,
                .input = group.values[sources[0].buffer],
                .output = group.values[target],
                .bias = bias_.data(),
                .bias_stride = bias_stride_,
                .relu = to_.rectified,
                .function = to_.sloped ? &function_ : nullptr,
                .derivatives = group.slopes[target]},
               *group.scratch);
}

void WeightedStep::backward(const Group& group) const {
  const std::size_t source = sources[0].buffer;
  if (group.gradients[source] != nullptr) {
    backward_.run({.rows = group.rows,
                   .input = group.gradients[target],
                   .output = group.gradients[source],
                   .mask = from_.rectified ? group.values[source] : nullptr,
                   .slopes = group.slopes[source],
                   .accumulate = sources[0].accumulate},
                  *group.scratch);
  }
}

// The forward products without the bias, times the activation's derivative.
void WeightedStep::tangent(const Group& group) const {
  forward_.run({.rows = group.rows,
                .input = group.tangents[sources[0].buffer],
                .output = group.tangents[target],
                .mask = to_.rectified ? group.values[target] : nullptr,
                .slopes = group.slopes[target]},
               *group.scratch);
}

// The index in the layer's own order of each value of the weight gradient in the kernel's layout; -1 is padding.
void WeightedStep::make_unpacking(std::int64_t right) {
  for (std::int64_t g = 0; g < layer_.groups; ++g) {
    for (std::int64_t t = 0; t < layer_.taps(); ++t) {
      for (std::int64_t a = g * left_channels_; a < (g + 1) * left_channels_; ++a) {
        for (std::int64_t b = g * right; b < g * right + right_channels_; ++b) {
          const bool padding = b >= (g + 1) * right;
          const std::int64_t index =
              padding ? -1 : layer_.weight_index(right_is_output_ ? b : a, right_is_output_ ? a : b, t);
          unpacking_.push_back(static_cast<std::int32_t>(index));
        }
      }
    }
  }
}

void WeightedStep::make_depthwise_unpacking() {
  for (std::int64_t t = 0; t < layer_.taps(); ++t) {
    for (std::int64_t c = 0; c < right_channels_; ++c) {
      unpacking_.push_back(c < layer_.groups ? static_cast<std::int32_t>(layer_.weight_index(c, c, t)) : -1);
    }
  }
}

std::int64_t WeightedStep::gradient_size() const { return static_cast<std::int64_t>(unpacking_.size()); }

void WeightedStep::add_gradients(const Group& group, float* weight_gradient,
                                 std::span<float> parameter_gradients) const {
  const float* output_gradient = group.gradients[target];
  const std::int64_t outputs = layer_.output.channels;
  float* bias = parameter_gradients.data() + layer_.bias_offset;
  for (std::int64_t i = 0; i < group.rows * to_.layout.count; ++i) {
    for (std::int64_t c = 0; c < outputs; ++c) {
      bias[c] += output_gradient[i * outputs + c];
    }
  }
  const float* input = group.values[sources[0].buffer];
  const Buffer& right_buffer = right_is_output_ ? to_ : from_;
  const Buffer& left_buffer = right_is_output_ ? from_ : to_;
  const float* right = right_is_output_ ? output_gradient : input;
  if (depthwise_) {
    kernels_.depthwise_outer({.rows = group.rows,
                              .taps = layer_.taps(),
                              .first_pair = first_pair_.data(),
                              .pairs = pairs_.data(),
                              .left_channels = left_channels_,
                              .right_channels = right_channels_,
                              .left = right_is_output_ ? input : output_gradient,
                              .left_row = left_buffer.size(),
                              .left_position = left_buffer.channels,
                              .right = right,
                              .right_row = right_buffer.size(),
                              .right_position = right_buffer.channels,
                              .gradient = weight_gradient});
    return;
  }
  const std::int64_t channels = right_buffer.channels / layer_.groups;
  const std::int64_t padded = right_channels_;
  for (std::int64_t g = 0; g < layer_.groups; ++g) {
    const float* vectors = right + g * channels;
    std::int64_t stride = right_buffer.channels;
    if (channels != padded) {
      const std::int64_t positions = group.rows * right_buffer.layout.count;
      float* copy = group.scratch->require(positions * padded);
      for (std::int64_t p = 0; p < positions; ++p) {
        std::copy_n(vectors + p * stride, channels, copy + p * padded);
        std::fill_n(copy + p * padded + channels, padded - channels, 0.0F);
      }
      vectors = copy;
      stride = padded;
    }
    kernels_.outer({.rows = group.rows,
                    .taps = layer_.taps(),
                    .first_pair = first_pair_.data(),
                    .pairs = pairs_.data(),
                    .left_channels = left_channels_,
                    .right_channels = padded,
                    .left = (right_is_output_ ? input : output_gradient) + g * left_channels_,
                    .left_row = left_buffer.size(),
                    .left_position = left_buffer.channels,
                    .right = vectors,
                    .right_row = right_buffer.layout.count * stride,
                    .right_position = stride,
                    .gradient = weight_gradient + g * gradient_size() / layer_.groups});
  }
}

void WeightedStep::unpack_gradient(const float* weight_gradient, std::span<float> parameter_gradients) const {
  float* weight = parameter_gradients.data() + layer_.weight_offset;
  for (std::size_t i = 0; i < unpacking_.size(); ++i) {
    if (unpacking_[i] >= 0) {
      weight[unpacking_[i]] += weight_gradient[i];
    }
  }
}

}  // namespace vaeguard::networks::native
