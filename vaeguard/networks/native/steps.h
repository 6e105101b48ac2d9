// The steps that a layer is lowered to: each reads buffers and writes one, forward, backward and along a tangent.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/networks/native/aligned_floats.h"
#include "vaeguard/networks/native/pass.h"

namespace vaeguard::networks::native {

/// The storage of one boundary, before or after its activation: [row][live position][channel]. Rows of bfloat16 fill
/// whole floats, since they have an even number of channels.
struct Buffer {
  Layout layout;
  std::int64_t channels = 0;
  bool rectified = false;  // written by a fused ReLU: steps that write its gradient zero it where the value is 0
  bool sloped = false;     // by another fused activation: they multiply it by the activation's derivatives
  Element values = Element::float32;  // of tangents too
  Element gradients = Element::float32;
  bool kept = false;  // whether a backward or tangent pass reads its values; others live for one group at a time

  [[nodiscard]] std::int64_t size() const { return layout.count * channels; }
  /// The number of floats that hold a row of its values, and of its gradients.
  [[nodiscard]] std::int64_t value_floats() const { return values == Element::float32 ? size() : size() / 2; }
  [[nodiscard]] std::int64_t gradient_floats() const { return gradients == Element::float32 ? size() : size() / 2; }
};

/// A few rows that pass through all steps together.
struct Group {
  std::int64_t rows = 0;
  std::span<float* const> values;     // of each buffer; two values in each float where it holds bfloat16
  std::span<float* const> gradients;  // of each buffer; null if not needed
  std::span<float* const> tangents;   // of each buffer
  std::span<float* const> slopes;     // of each buffer; null unless it is sloped
  AlignedFloats* scratch = nullptr;
};

Function function_of(const LayerOptions& options);

/// A buffer that a step reads. In the backward pass the last reader stores its share of the gradient, the others add
/// theirs.
struct Source {
  std::size_t buffer = 0;
  std::int64_t size = 0;   // values per row
  bool rectified = false;  // as for the buffer
  bool accumulate = false;
};

class Step {
 public:
  virtual ~Step() = default;
  virtual void forward(const Group& group) const = 0;
  /// From the gradient of the target to those of the sources.
  virtual void backward(const Group& group) const = 0;
  /// From the tangents of the sources to that of the target.
  virtual void tangent(const Group& group) const = 0;
  /// Whether backward or tangent read the values of the sources, and of the target.
  [[nodiscard]] virtual bool reads_sources() const { return false; }
  [[nodiscard]] virtual bool reads_target() const { return false; }
  std::vector<Source> sources;
  std::size_t target = 0;
};

/// A step from one source that is linear where the source's values choose no other path: its tangent pass is the
/// forward pass of tangents, its backward pass the transpose.
class LinearStep : public Step {
 public:
  void forward(const Group& group) const final;
  void backward(const Group& group) const final;
  void tangent(const Group& group) const final;

 private:
  /// `from` [row][size of the source] -> `to` [row][size of the target].
  virtual void push(const Group& group, const float* from, float* to) const = 0;
  /// Adds what the gradient at the target gives each value of the source to `share`.
  virtual void pull(const Group& group, const float* gradient, float* share) const = 0;
};

/// Stores or adds a share of the gradient at a source, [row][size], passed back through a fused activation.
void write_share(const Group& group, const Source& source, const float* share);

}  // namespace vaeguard::networks::native
