// Estimates of the total correlation: log-sum-exps over a mini-batch, and their gradients by hand.
#include "vaeguard/training/total_correlation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/base/softmax.h"
#include "vaeguard/base/text.h"

namespace vaeguard::training {
namespace {

// Outer rows that one thread takes at a time. Part of the result: gradients are summed chunk by chunk.
constexpr std::int64_t kChunk = 16;

constexpr std::array kEstimators{TotalCorrelationEstimator::weighted, TotalCorrelationEstimator::stratified,
                                 TotalCorrelationEstimator::published};

// The contribution of one chunk of outer rows.
struct Part {
  double value = 0.0;
  std::vector<double> encoded_gradients;  // [B, 2 D]
  std::vector<double> latent_gradients;   // [B, D]
};

class Estimate {
 public:
  Estimate(const Matrix& encoded, const Matrix& latents, const TotalCorrelationOptions& options)
      : encoded_(encoded),
        latents_(latents),
        options_(options),
        rows_(latents.rows()),
        size_(latents.columns()),
        precision_(static_cast<std::size_t>(rows_ * size_)) {
    for (std::int64_t j = 0; j < rows_; ++j) {
      for (std::int64_t d = 0; d < size_; ++d) {
        precision_[index(j, d)] = std::exp(-static_cast<double>(encoded(j, size_ + d)));
      }
    }
  }

  // Outer rows are the samples whose q(z_i) is estimated, inner rows the components that are summed over; the published
  // estimator swaps them.
  void add_outer_row(std::int64_t outer, bool with_gradients, Part& part) const {
    thread_local std::vector<double> joint;      // [B]
    thread_local std::vector<double> marginals;  // [D, B]
    joint.resize(static_cast<std::size_t>(rows_));
    marginals.resize(static_cast<std::size_t>(size_ * rows_));
    for (std::int64_t inner = 0; inner < rows_; ++inner) {
      const auto [i, j] = pair(outer, inner);
      const double weight = log_weight(i, j);
      double sum = weight;
      for (std::int64_t d = 0; d < size_; ++d) {
        const double one = log_density(i, j, d);
        sum += one;
        marginals[static_cast<std::size_t>(d * rows_ + inner)] = weight + one;
      }
      joint[static_cast<std::size_t>(inner)] = sum;
    }
    part.value += softmax(std::span(joint));
    for (std::int64_t d = 0; d < size_; ++d) {
      const auto marginal =
          std::span(marginals).subspan(static_cast<std::size_t>(d * rows_), static_cast<std::size_t>(rows_));
      part.value -= softmax(std::span(marginal));
      if (with_gradients) {
        add_gradients(outer, d, joint, marginal, part);
      }
    }
  }

  [[nodiscard]] std::size_t index(std::int64_t row, std::int64_t d) const {
    return static_cast<std::size_t>(row * size_ + d);
  }

 private:
  struct Pair {
    std::int64_t sample;
    std::int64_t component;
  };

  [[nodiscard]] Pair pair(std::int64_t outer, std::int64_t inner) const {
    return options_.estimator == TotalCorrelationEstimator::published ? Pair{inner, outer} : Pair{outer, inner};
  }

  // log q(z_id|x_j) without -log(2 pi) / 2, which joint and marginals have D times each.
  [[nodiscard]] double log_density(std::int64_t i, std::int64_t j, std::int64_t d) const {
    const double gap = static_cast<double>(latents_(i, d)) - encoded_(j, d);
    return -0.5 * (gap * gap * precision_[index(j, d)] + encoded_(j, size_ + d));
  }

  [[nodiscard]] double log_weight(std::int64_t i, std::int64_t j) const {
    const auto batch = static_cast<double>(rows_);
    const auto images = static_cast<double>(options_.training_images);
    switch (options_.estimator) {
      case TotalCorrelationEstimator::weighted:
        return -std::log(images * batch);
      case TotalCorrelationEstimator::stratified: {
        const double others = batch - 1.0;
        return i == j                 ? -std::log(images)
               : j == (i + 1) % rows_ ? std::log((images - others) / (images * others))
                                      : -std::log(others);
      }
      case TotalCorrelationEstimator::published:
        return -std::log(batch);
    }
    return std::nan("");
  }

  // d(log-sum-exp)/d(log density) is the summand's share, so the derivative for log q(z_id|x_j) is joint minus marginal
  // share.
  void add_gradients(std::int64_t outer, std::int64_t d, std::span<const double> joint,
                     std::span<const double> marginal, Part& part) const {
    for (std::int64_t inner = 0; inner < rows_; ++inner) {
      const auto at = static_cast<std::size_t>(inner);
      const double share = joint[at] - marginal[at];
      const auto [i, j] = pair(outer, inner);
      const double gap = static_cast<double>(latents_(i, d)) - encoded_(j, d);
      const double pull = gap * precision_[index(j, d)];
      part.latent_gradients[index(i, d)] -= share * pull;
      const auto mean = static_cast<std::size_t>(2 * j * size_ + d);
      part.encoded_gradients[mean] += share * pull;
      part.encoded_gradients[mean + static_cast<std::size_t>(size_)] += share * 0.5 * (gap * pull - 1.0);
    }
  }

  const Matrix& encoded_;
  const Matrix& latents_;
  const TotalCorrelationOptions& options_;
  std::int64_t rows_;
  std::int64_t size_;
  std::vector<double> precision_;  // [B, D], of each component
};

void write(const std::vector<double>& values, std::int64_t rows, Matrix& matrix) {
  matrix.resize(rows, std::ssize(values) / rows);
  std::ranges::transform(values, matrix.flat().begin(), [](double value) { return static_cast<float>(value); });
}

void add(const std::vector<double>& more, std::vector<double>& sum) {
  std::ranges::transform(more, sum, sum.begin(), std::plus{});
}

}  // namespace

std::string_view name(TotalCorrelationEstimator estimator) {
  return estimator == TotalCorrelationEstimator::weighted     ? "mws"
         : estimator == TotalCorrelationEstimator::stratified ? "mss"
                                                              : "published";
}

TotalCorrelationEstimator total_correlation_estimator(std::string_view text) {
  std::vector<std::string> known;
  for (const auto estimator : kEstimators) {
    if (name(estimator) == text) {
      return estimator;
    }
    known.emplace_back(name(estimator));
  }
  unknown_name("training.total_correlation", "estimator", text, known);
}

double total_correlation(const Matrix& encoded, const Matrix& latents, const TotalCorrelationOptions& options,
                         Matrix* encoded_gradients, Matrix* latent_gradients) {
  const std::int64_t rows = latents.rows();
  const std::int64_t size = latents.columns();
  check_shape("training.total_correlation", "encoder outputs", encoded, rows, 2 * size);
  if (options.training_images < rows) {
    misuse("training.total_correlation", "training_images must be at least the {} of a mini-batch, got {}", rows,
           options.training_images);
  }
  const bool with_gradients = encoded_gradients != nullptr || latent_gradients != nullptr;
  const Part nothing{.encoded_gradients = std::vector<double>(static_cast<std::size_t>(2 * rows * size)),
                     .latent_gradients = std::vector<double>(static_cast<std::size_t>(rows * size))};
  std::vector<Part> parts(static_cast<std::size_t>((rows + kChunk - 1) / kChunk), with_gradients ? nothing : Part{});
  const Estimate estimate(encoded, latents, options);
  parallel_chunks(rows > 1 ? rows : 0, kChunk, options.threads, [&](std::int64_t first, std::int64_t count) {
    for (std::int64_t outer = first; outer < first + count; ++outer) {
      estimate.add_outer_row(outer, with_gradients, parts[static_cast<std::size_t>(first / kChunk)]);
    }
  });
  Part sum = nothing;
  for (const Part& part : parts) {
    sum.value += part.value;
    if (with_gradients) {
      add(part.encoded_gradients, sum.encoded_gradients);
      add(part.latent_gradients, sum.latent_gradients);
    }
  }
  if (encoded_gradients != nullptr) {
    write(sum.encoded_gradients, rows, *encoded_gradients);
  }
  if (latent_gradients != nullptr) {
    write(sum.latent_gradients, rows, *latent_gradients);
  }
  return sum.value;
}

}  // namespace vaeguard::training
