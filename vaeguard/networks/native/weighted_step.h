// A convolution or transposed convolution with its bias and activation.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/networks/layer_graph.h"
#include "vaeguard/networks/native/steps.h"

namespace vaeguard::networks::native {

class WeightedStep : public Step {
 public:
  /// `position_bias` [live position, channel] if constants were folded into it, else empty.
  WeightedStep(const LayerGraph& graph, std::size_t layer, const std::vector<Connection>& connections,
               const Buffer& from, const Buffer& to, const Kernels& kernels, std::vector<float> position_bias);
  void forward(const Group& group) const override;
  void backward(const Group& group) const override;
  void tangent(const Group& group) const override;
  void set_parameters(const LayerGraph& graph);

  /// What gradients of the weights need beside the two passes: before the functions below, once.
  void prepare_gradients(const std::vector<Connection>& connections);
  /// The number of floats of the weight gradient in the kernel's layout.
  [[nodiscard]] std::int64_t gradient_size() const;
  /// Adds a group's share to the weight gradient, in the kernel's layout, and to the bias gradient.
  void add_gradients(const Group& group, float* weight_gradient, std::span<float> parameter_gradients) const;
  /// Copies the weight gradient from the kernel's layout to the layer's own.
  void unpack_gradient(const float* weight_gradient, std::span<float> parameter_gradients) const;

 private:
  void make_unpacking(std::int64_t right);
  void make_depthwise_unpacking();

  const Layer layer_;
  const Buffer from_;
  const Buffer to_;
  const Kernels& kernels_;
  const Function function_;
  const bool depthwise_;  // each channel by itself
  const bool right_is_output_;
  Pass forward_;
  Pass backward_;
  std::vector<float> bias_;
  std::int64_t bias_stride_ = 0;
  std::vector<std::int32_t> first_pair_;
  std::vector<OuterTask::Pair> pairs_;
  // Channels of one group in the weight gradient; the side with more of them is the vectorised one and is padded.
  std::int64_t left_channels_ = 0;
  std::int64_t right_channels_ = 0;
  std::vector<std::int32_t> unpacking_;
};

}  // namespace vaeguard::networks::native
