// Loops over [row][position][channel]; the innermost one runs over neighbouring values.
#include "vaeguard/networks/native/arithmetic_steps.h"

#include <algorithm>

#include "vaeguard/base/exponential.h"

namespace vaeguard::networks::native {
namespace {

// Two sources, of which one may have a single position that is broadcast over the positions of the other.
class BinaryStep : public Step {
 protected:
  explicit BinaryStep(const Layer& layer)
      : positions_(layer.output.positions()),
        channels_(layer.output.channels),
        whole_{layer.inputs[0] == layer.output, layer.inputs[1] == layer.output} {}

  // The channels of source `i` for position p of a row; `values` points to its first row.
  [[nodiscard]] const float* beside(std::size_t i, const float* values, std::int64_t row, std::int64_t p) const {
    return values + (whole_[i] ? row * positions_ + p : row) * channels_;
  }

  // to[row, p, c] = combine(one[c], other[c]) with the channels for each position.
  template <typename Combine>
  void combine(std::int64_t rows, const float* one, const float* other, float* to, Combine combine) const {
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t p = 0; p < positions_; ++p, to += channels_) {
        const float* a = beside(0, one, row, p);
        const float* b = beside(1, other, row, p);
        for (std::int64_t c = 0; c < channels_; ++c) {
          to[c] = combine(a[c], b[c]);
        }
      }
    }
  }

  // Passes a gradient [row][position][channel] to a source; if that has a single position, sums over positions first.
  void share_out(const Group& group, std::size_t i, const float* gradient) const {
    if (whole_[i]) {
      write_share(group, sources[i], gradient);
      return;
    }
    float* sums = sums_of(group);
    std::fill_n(sums, group.rows * channels_, 0.0F);
    for (std::int64_t row = 0; row < group.rows; ++row, sums += channels_) {
      for (std::int64_t p = 0; p < positions_; ++p, gradient += channels_) {
        for (std::int64_t c = 0; c < channels_; ++c) {
          sums[c] += gradient[c];
        }
      }
    }
    write_share(group, sources[i], sums_of(group));
  }

  // Scratch memory: channels for each position, then for each row.
  float* values_of(const Group& group) const {
    return group.scratch->require(group.rows * (positions_ + 1) * channels_);
  }
  float* sums_of(const Group& group) const { return values_of(group) + group.rows * positions_ * channels_; }

  const std::int64_t positions_;
  const std::int64_t channels_;
  const bool whole_[2];  // whether the source has every position
};

class AdditionStep : public BinaryStep {
 public:
  explicit AdditionStep(const Layer& layer) : BinaryStep(layer) {}

  void forward(const Group& group) const override { add(group.rows, group.values); }
  void backward(const Group& group) const override {
    for (std::size_t i = 0; i < 2; ++i) {
      if (group.gradients[sources[i].buffer] != nullptr) {
        share_out(group, i, group.gradients[target]);
      }
    }
  }
  void tangent(const Group& group) const override { add(group.rows, group.tangents); }

 private:
  void add(std::int64_t rows, std::span<float* const> buffers) const {
    combine(rows, buffers[sources[0].buffer], buffers[sources[1].buffer], buffers[target],
            [](float a, float b) { return a + b; });
  }
};

class ProductStep : public BinaryStep {
 public:
  explicit ProductStep(const Layer& layer) : BinaryStep(layer) {}
  [[nodiscard]] bool reads_sources() const override { return true; }

  void forward(const Group& group) const override {
    combine(group.rows, group.values[sources[0].buffer], group.values[sources[1].buffer], group.values[target],
            [](float a, float b) { return a * b; });
  }

  void backward(const Group& group) const override {
    for (std::size_t i = 0; i < 2; ++i) {
      if (group.gradients[sources[i].buffer] == nullptr) {
        continue;
      }
      const std::size_t other = 1 - i;
      const float* values = group.values[sources[other].buffer];
      const float* gradient = group.gradients[target];
      float* product = values_of(group);
      for (std::int64_t row = 0; row < group.rows; ++row) {
        for (std::int64_t p = 0; p < positions_; ++p, gradient += channels_, product += channels_) {
          const float* factor = beside(other, values, row, p);
          for (std::int64_t c = 0; c < channels_; ++c) {
            product[c] = gradient[c] * factor[c];
          }
        }
      }
      share_out(group, i, values_of(group));
    }
  }

  void tangent(const Group& group) const override {
    float* to = group.tangents[target];
    for (std::int64_t row = 0; row < group.rows; ++row) {
      for (std::int64_t p = 0; p < positions_; ++p, to += channels_) {
        const float* a = beside(0, group.values[sources[0].buffer], row, p);
        const float* b = beside(1, group.values[sources[1].buffer], row, p);
        const float* a_tangent = beside(0, group.tangents[sources[0].buffer], row, p);
        const float* b_tangent = beside(1, group.tangents[sources[1].buffer], row, p);
        for (std::int64_t c = 0; c < channels_; ++c) {
          to[c] = a_tangent[c] * b[c] + a[c] * b_tangent[c];
        }
      }
    }
  }
};

// y = exp(x - max x) / sum over the channels of each position; its Jacobian, y (dx - <y, dx>), is symmetric.
class SoftmaxStep : public Step {
 public:
  explicit SoftmaxStep(const Layer& layer) : positions_(layer.output.positions()), channels_(layer.output.channels) {}
  [[nodiscard]] bool reads_target() const override { return true; }

  void forward(const Group& group) const override {
    const float* x = group.values[sources[0].buffer];
    float* y = group.values[target];
    for (std::int64_t p = 0; p < group.rows * positions_; ++p, x += channels_, y += channels_) {
      const float most = *std::max_element(x, x + channels_);
      float sum = 0.0F;
      for (std::int64_t c = 0; c < channels_; ++c) {
        y[c] = exponential_of_negative(x[c] - most);
        sum += y[c];
      }
      for (std::int64_t c = 0; c < channels_; ++c) {
        y[c] /= sum;
      }
    }
  }

  void backward(const Group& group) const override {
    if (group.gradients[sources[0].buffer] != nullptr) {
      float* share = group.scratch->require(group.rows * sources[0].size);
      apply_jacobian(group, group.gradients[target], share);
      write_share(group, sources[0], share);
    }
  }

  void tangent(const Group& group) const override {
    apply_jacobian(group, group.tangents[sources[0].buffer], group.tangents[target]);
  }

 private:
  void apply_jacobian(const Group& group, const float* change, float* result) const {
    const float* y = group.values[target];
    for (std::int64_t p = 0; p < group.rows * positions_; ++p) {
      float mean = 0.0F;
      for (std::int64_t c = 0; c < channels_; ++c) {
        mean += y[c] * change[c];
      }
      for (std::int64_t c = 0; c < channels_; ++c) {
        result[c] = y[c] * (change[c] - mean);
      }
      y += channels_;
      change += channels_;
      result += channels_;
    }
  }

  const std::int64_t positions_;
  const std::int64_t channels_;
};

// From a buffer that no other step reads to a sloped one, whose gradient its readers have passed back through the
// activation.
class ActivationStep : public Step {
 public:
  ActivationStep(const LayerOptions& options, std::int64_t size, Activate* activate)
      : function_(function_of(options)), size_(size), activate_(activate) {}

  void forward(const Group& group) const override {
    activate_(function_, {.length = group.rows * size_}, group.values[sources[0].buffer], group.values[target],
              group.slopes[target]);
  }

  void backward(const Group& group) const override {
    if (group.gradients[sources[0].buffer] != nullptr) {
      std::copy_n(group.gradients[target], group.rows * size_, group.gradients[sources[0].buffer]);
    }
  }

  void tangent(const Group& group) const override {
    const float* from = group.tangents[sources[0].buffer];
    const float* slopes = group.slopes[target];
    float* to = group.tangents[target];
    for (std::int64_t i = 0; i < group.rows * size_; ++i) {
      to[i] = from[i] * slopes[i];
    }
  }

 private:
  const Function function_;
  const std::int64_t size_;
  Activate* const activate_;
};

}  // namespace

std::unique_ptr<Step> make_addition_step(const Layer& layer) { return std::make_unique<AdditionStep>(layer); }

std::unique_ptr<Step> make_product_step(const Layer& layer) { return std::make_unique<ProductStep>(layer); }

std::unique_ptr<Step> make_softmax_step(const Layer& layer) { return std::make_unique<SoftmaxStep>(layer); }

std::unique_ptr<Step> make_activation_step(const LayerOptions& options, std::int64_t size, const Kernels& kernels) {
  return std::make_unique<ActivationStep>(options, size, kernels.activate);
}

}  // namespace vaeguard::networks::native
