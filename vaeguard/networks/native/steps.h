// What a layer becomes: steps that read buffers and write one, forward and backward.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "vaeguard/networks/layer_graph.h"
#include "vaeguard/networks/native/aligned_floats.h"
#include "vaeguard/networks/native/pass.h"

namespace vaeguard::networks::native {

/// Where values of one boundary, or of one before its activation, are kept: [row][live position][channel]. Rows of
/// bfloat16 fill whole floats: they have an even number of channels.
struct Buffer {
  Layout layout;
  std::int64_t channels = 0;
  bool rectified = false;  // written by a fused ReLU: whoever writes its gradient zeroes it where the value is 0
  Element values = Element::float32;
  Element gradients = Element::float32;

  [[nodiscard]] std::int64_t size() const { return layout.count * channels; }
  /// Floats that hold a row of its values, and of its gradients.
  [[nodiscard]] std::int64_t value_floats() const { return values == Element::float32 ? size() : size() / 2; }
  [[nodiscard]] std::int64_t gradient_floats() const { return gradients == Element::float32 ? size() : size() / 2; }
};

/// A few rows on their way through all steps.
struct Group {
  std::int64_t rows = 0;
  std::span<float* const> values;     // of each buffer; two values in each float where it holds bfloat16
  std::span<float* const> gradients;  // of each buffer; null where nobody needs it
  AlignedFloats* scratch = nullptr;
};

/// A buffer that a step reads. Backward, the last reader stores its share of the gradient, the others add theirs.
struct Source {
  std::size_t buffer = 0;
  bool accumulate = false;
};

class Step {
 public:
  virtual ~Step() = default;
  virtual void forward(const Group& group) const = 0;
  /// From the gradient of the target to those of the sources.
  virtual void backward(const Group& group) const = 0;
  std::vector<Source> sources;
  std::size_t target = 0;
};

/// A convolution of either kind with its bias and a fused ReLU.
class WeightedStep : public Step {
 public:
  /// `position_bias` [live position, channel] where constants were folded into it, else empty.
  WeightedStep(const LayerGraph& graph, std::size_t layer, const std::vector<Connection>& connections,
               const Buffer& from, const Buffer& to, const Kernels& kernels, std::vector<float> position_bias);
  void forward(const Group& group) const override;
  void backward(const Group& group) const override;
  void set_parameters(const LayerGraph& graph);

  /// Floats of the weight gradient as the kernel lays it out.
  [[nodiscard]] std::int64_t gradient_size() const;
  /// Adds a group's share to the weight gradient in the kernel's order and to the bias gradient.
  void add_gradients(const Group& group, float* weight_gradient, std::span<float> parameter_gradients) const;
  /// From the kernel's order to the layer's own.
  void unpack_gradient(const float* weight_gradient, std::span<float> parameter_gradients) const;

 private:
  void make_unpacking(std::int64_t right);

  const Layer layer_;
  const Buffer from_;
  const Buffer to_;
  const Kernels& kernels_;
  const bool right_is_output_;
  Pass forward_;
  Pass backward_;
  std::vector<float> bias_;
  std::int64_t bias_stride_ = 0;
  std::vector<std::int32_t> first_pair_;
  std::vector<OuterTask::Pair> pairs_;
  // Channels of one group in the weight gradient; the side with more of them lies in vectors and is padded.
  std::int64_t left_channels_ = 0;
  std::int64_t right_channels_ = 0;
  std::vector<std::int32_t> unpacking_;
};

/// Every activation but the fused ReLU.
class ActivationStep : public Step {
 public:
  ActivationStep(Activation activation, double slope, const Buffer& buffer)
      : activation_(activation), slope_(slope), size_(buffer.size()), mask_(buffer.rectified) {}
  void forward(const Group& group) const override;
  void backward(const Group& group) const override;

 private:
  const Activation activation_;
  const double slope_;
  const std::int64_t size_;
  const bool mask_;
};

class AdditionStep : public Step {
 public:
  AdditionStep(const Buffer& one, const Buffer& other) : size_(one.size()), masks_{one.rectified, other.rectified} {}
  void forward(const Group& group) const override;
  void backward(const Group& group) const override;

 private:
  const std::int64_t size_;
  const bool masks_[2];
};

/// Values that only change their place: upsampling, pixel shuffle, reshape.
class MoveStep : public Step {
 public:
  MoveStep(const Layer& layer, const Buffer& from);
  void forward(const Group& group) const override;
  void backward(const Group& group) const override;

 private:
  std::vector<std::int32_t> from_;  // of each value of the target, both as [position, channel]
  const std::int64_t from_size_;
  const bool mask_;
};

}  // namespace vaeguard::networks::native
