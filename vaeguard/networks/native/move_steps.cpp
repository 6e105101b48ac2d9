// Runs of neighbouring values, copied in the forward pass and summed in the backward pass.
#include "vaeguard/networks/native/move_steps.h"

#include <algorithm>

#include "vaeguard/networks/layer_maps.h"

namespace vaeguard::networks::native {
namespace {

// `count` neighbouring values of a row, from a place of the source (-1: zeros) to one of the target.
struct Run {
  std::int32_t to;
  std::int32_t from;
  std::int32_t count;
};

// Both sides are stored as [position, channel].
std::vector<Run> runs_of(const Layer& layer) {
  const auto place = [](const ImageShape& shape, std::int64_t flat) {
    return static_cast<std::int32_t>(flat % shape.positions() * shape.channels + flat / shape.positions());
  };
  const std::vector<std::int64_t> sources = moves(layer);
  std::vector<std::int32_t> from(sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::int32_t to = place(layer.output, static_cast<std::int64_t>(i));
    from[static_cast<std::size_t>(to)] = sources[i] < 0 ? -1 : place(layer.input(), sources[i]);
  }
  std::vector<Run> runs;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const bool zeros = from[i] < 0;
    if (!runs.empty() &&
        (zeros ? runs.back().from < 0 : runs.back().from >= 0 && from[i] == runs.back().from + runs.back().count)) {
      ++runs.back().count;
    } else {
      runs.push_back({static_cast<std::int32_t>(i), from[i], 1});
    }
  }
  return runs;
}

class MoveStep : public LinearStep {
 public:
  explicit MoveStep(const Layer& layer) : runs_(runs_of(layer)), size_(layer.output.size()) {}

 private:
  void pull(const Group& group, const float* gradient, float* share) const override {
    for (std::int64_t row = 0; row < group.rows; ++row) {
      for (const Run& run : runs_) {
        for (std::int32_t i = 0; run.from >= 0 && i < run.count; ++i) {
          share[row * sources[0].size + run.from + i] += gradient[row * size_ + run.to + i];
        }
      }
    }
  }

  void push(const Group& group, const float* from, float* to) const override {
    for (std::int64_t row = 0; row < group.rows; ++row) {
      for (const Run& run : runs_) {
        float* values = to + row * size_ + run.to;
        if (run.from < 0) {
          std::fill_n(values, run.count, 0.0F);
        } else {
          std::copy_n(from + row * sources[0].size + run.from, run.count, values);
        }
      }
    }
  }

  const std::vector<Run> runs_;  // ordered by the target
  const std::int64_t size_;      // of the target
};

// At each position, the channels of one source after those of the other.
class ConcatenationStep : public Step {
 public:
  explicit ConcatenationStep(const Layer& layer)
      : positions_(layer.output.positions()), channels_(layer.output.channels) {
    for (const ImageShape& input : layer.inputs) {
      of_source_.push_back(input.channels);
    }
  }

  void forward(const Group& group) const override { join(group.rows, group.values); }

  void backward(const Group& group) const override {
    std::int64_t first = 0;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const std::int64_t channels = of_source_[i];
      if (group.gradients[sources[i].buffer] != nullptr) {
        float* share = group.scratch->require(group.rows * sources[i].size);
        for (std::int64_t p = 0; p < group.rows * positions_; ++p) {
          std::copy_n(group.gradients[target] + p * channels_ + first, channels, share + p * channels);
        }
        write_share(group, sources[i], share);
      }
      first += channels;
    }
  }

  void tangent(const Group& group) const override { join(group.rows, group.tangents); }

 private:
  void join(std::int64_t rows, std::span<float* const> buffers) const {
    std::int64_t first = 0;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const float* from = buffers[sources[i].buffer];
      for (std::int64_t p = 0; p < rows * positions_; ++p) {
        std::copy_n(from + p * of_source_[i], of_source_[i], buffers[target] + p * channels_ + first);
      }
      first += of_source_[i];
    }
  }

  const std::int64_t positions_;
  const std::int64_t channels_;
  std::vector<std::int64_t> of_source_;  // channels
};

}  // namespace

std::unique_ptr<Step> make_move_step(const Layer& layer) { return std::make_unique<MoveStep>(layer); }

std::unique_ptr<Step> make_concatenation_step(const Layer& layer) { return std::make_unique<ConcatenationStep>(layer); }

}  // namespace vaeguard::networks::native
