// Lists of (output position, input position), walked with all channels side by side.
#include "vaeguard/networks/native/window_steps.h"

#include <algorithm>

#include "vaeguard/networks/layer_maps.h"

namespace vaeguard::networks::native {
namespace {

class AverageStep : public LinearStep {
 public:
  explicit AverageStep(const Layer& layer)
      : terms_(position_terms(layer)), channels_(layer.output.channels), size_(layer.output.size()) {}

 private:
  void pull(const Group& group, const float* gradient, float* share) const override {
    for (std::int64_t row = 0; row < group.rows; ++row) {
      for (const PositionTerm& term : terms_) {
        add(gradient + row * size_ + term.output * channels_, term,
            share + row * sources[0].size + term.input * channels_);
      }
    }
  }

  void push(const Group& group, const float* from, float* to) const override {
    std::fill_n(to, group.rows * size_, 0.0F);
    for (std::int64_t row = 0; row < group.rows; ++row) {
      for (const PositionTerm& term : terms_) {
        add(from + row * sources[0].size + term.input * channels_, term, to + row * size_ + term.output * channels_);
      }
    }
  }

  void add(const float* from, const PositionTerm& term, float* to) const {
    const auto weight = static_cast<float>(term.weight);
    for (std::int64_t c = 0; c < channels_; ++c) {
      to[c] += weight * from[c];
    }
  }

  const std::vector<PositionTerm> terms_;
  const std::int64_t channels_;
  const std::int64_t size_;  // of the target
};

class MaxPoolingStep : public LinearStep {
 public:
  explicit MaxPoolingStep(const Layer& layer) : channels_(layer.output.channels), size_(layer.output.size()) {
    windows_.resize(static_cast<std::size_t>(layer.output.positions()));
    for (const Connection& c : connections(layer)) {
      windows_[static_cast<std::size_t>(c.output)].push_back(c.input);
    }
  }

  [[nodiscard]] bool reads_sources() const override { return true; }

 private:
  void pull(const Group& group, const float* gradient, float* share) const override {
    visit_largest(group, [&](std::int64_t row, std::int64_t output, std::int64_t input) {
      share[row * sources[0].size + input] += gradient[row * size_ + output];
    });
  }

  void push(const Group& group, const float* from, float* to) const override {
    visit_largest(group, [&](std::int64_t row, std::int64_t output, std::int64_t input) {
      to[row * size_ + output] = from[row * sources[0].size + input];
    });
  }

  // Calls visit(row, output, input) with the index of the largest value of each window, the first on a tie.
  template <typename Visit>
  void visit_largest(const Group& group, Visit visit) const {
    for (std::int64_t row = 0; row < group.rows; ++row) {
      const float* x = group.values[sources[0].buffer] + row * sources[0].size;
      for (std::size_t o = 0; o < windows_.size(); ++o) {
        for (std::int64_t c = 0; c < channels_; ++c) {
          std::int64_t best = windows_[o].front() * channels_ + c;
          for (const std::int32_t position : windows_[o]) {
            const std::int64_t i = position * channels_ + c;
            best = x[i] > x[best] ? i : best;
          }
          visit(row, static_cast<std::int64_t>(o) * channels_ + c, best);
        }
      }
    }
  }

  std::vector<std::vector<std::int32_t>> windows_;  // of each output position
  const std::int64_t channels_;
  const std::int64_t size_;  // of the target
};

}  // namespace

std::unique_ptr<Step> make_average_step(const Layer& layer) { return std::make_unique<AverageStep>(layer); }

std::unique_ptr<Step> make_max_pooling_step(const Layer& layer) { return std::make_unique<MaxPoolingStep>(layer); }

}  // namespace vaeguard::networks::native
