// Multi-scale structural similarity with separable Gaussian filters in double; every pair is computed on its own.
#include "vaeguard/metrics/ms_ssim.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>

#include "vaeguard/base/error.h"

namespace vaeguard::metrics {
namespace {

// Wang et al. 2003, section 3.2, from human judgements.
constexpr std::array kWeights = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};
constexpr double kSigma = 1.5;

/// What differs between the two definitions, level by level.
struct Rules {
  std::int64_t window = 0;
  bool centre_on_pixel = false;    // centre at floor(size / 2), not at (size - 1) / 2
  bool keep_odd_edge = false;      // an odd edge is mirrored, not dropped, when a level halves
  bool guess_value_range = false;  // from the first image, not 1
};

constexpr Rules kKuzina22 = {.window = 14, .centre_on_pixel = true, .guess_value_range = true};
constexpr Rules kWang03 = {.window = 11, .keep_odd_edge = true};

/// The two images at one level of the pyramid, [C, H, W] each.
struct Pair {
  ImageShape shape;
  std::vector<double> a;
  std::vector<double> b;
};

/// Means over all positions and channels of one level.
struct Score {
  double ssim = 0.0;      // luminance * contrast * structure
  double contrast = 0.0;  // contrast * structure
};

std::vector<double> gaussian(std::int64_t size, bool centre_on_pixel) {
  const double centre = centre_on_pixel ? static_cast<double>(size / 2) : 0.5 * static_cast<double>(size - 1);
  std::vector<double> weights(static_cast<std::size_t>(size));
  for (std::int64_t i = 0; i < size; ++i) {
    const double distance = static_cast<double>(i) - centre;
    weights[static_cast<std::size_t>(i)] = std::exp(-distance * distance / (2.0 * kSigma * kSigma));
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) {
    weight /= sum;
  }
  return weights;
}

/// Correlates one channel [H, W] with the window along x, then y, where the window fits: [H - n + 1, W - n + 1].
void filter(const double* image, ImageShape shape, std::span<const double> window, std::vector<double>& scratch,
            std::vector<double>& out) {
  const auto n = static_cast<std::int64_t>(window.size());
  const std::int64_t width = shape.width - n + 1;
  const std::int64_t height = shape.height - n + 1;
  scratch.assign(static_cast<std::size_t>(shape.height * width), 0.0);
  out.assign(static_cast<std::size_t>(height * width), 0.0);
  for (std::int64_t y = 0; y < shape.height; ++y) {
    double* row = scratch.data() + y * width;
    for (std::int64_t k = 0; k < n; ++k) {
      const double* from = image + y * shape.width + k;
      const double weight = window[static_cast<std::size_t>(k)];
      for (std::int64_t x = 0; x < width; ++x) {
        row[x] += weight * from[x];
      }
    }
  }
  for (std::int64_t y = 0; y < height; ++y) {
    double* row = out.data() + y * width;
    for (std::int64_t k = 0; k < n; ++k) {
      const double* from = scratch.data() + (y + k) * width;
      const double weight = window[static_cast<std::size_t>(k)];
      for (std::int64_t x = 0; x < width; ++x) {
        row[x] += weight * from[x];
      }
    }
  }
}

double value_range(std::span<const double> image) {
  const auto [least, greatest] = std::ranges::minmax(image);
  return (greatest > 128.0 ? 255.0 : 1.0) - (least < -0.5 ? -1.0 : 0.0);
}

/// Scores pairs of images of one shape; keeps its buffers from pair to pair.
class Scorer {
 public:
  Scorer(Rules rules, ImageShape shape, std::size_t levels) : rules_(rules), shape_(shape), scores_(levels) {}

  /// One score per level.
  std::span<const Score> score(std::span<const float> a, std::span<const float> b) {
    pair_.shape = shape_;
    pair_.a.assign(a.begin(), a.end());
    pair_.b.assign(b.begin(), b.end());
    for (std::size_t level = 0; level < scores_.size(); ++level) {
      if (level > 0) {
        halve(pair_.a, half_.a);
        halve(pair_.b, half_.b);
        half_.shape = half_shape(pair_.shape);
        std::swap(pair_, half_);
      }
      scores_[level] = score_level();
    }
    return scores_;
  }

 private:
  [[nodiscard]] ImageShape half_shape(ImageShape shape) const {
    const std::int64_t extra = rules_.keep_odd_edge ? 1 : 0;
    return {shape.channels, (shape.height + extra) / 2, (shape.width + extra) / 2};
  }

  void halve(const std::vector<double>& image, std::vector<double>& out) const {
    const ImageShape from = pair_.shape;
    const ImageShape to = half_shape(from);
    out.resize(static_cast<std::size_t>(to.size()));
    for (std::int64_t c = 0; c < to.channels; ++c) {
      const double* channel = image.data() + c * from.positions();
      for (std::int64_t y = 0; y < to.height; ++y) {
        const double* upper = channel + 2 * y * from.width;
        const double* lower = channel + std::min(2 * y + 1, from.height - 1) * from.width;
        for (std::int64_t x = 0; x < to.width; ++x) {
          const std::int64_t left = 2 * x;
          const std::int64_t right = std::min(left + 1, from.width - 1);
          out[static_cast<std::size_t>(c * to.positions() + y * to.width + x)] =
              0.25 * (upper[left] + upper[right] + lower[left] + lower[right]);
        }
      }
    }
  }

  Score score_level() {
    const ImageShape shape = pair_.shape;
    const std::int64_t size = std::min({rules_.window, shape.height, shape.width});
    const std::vector<double> window = gaussian(size, rules_.centre_on_pixel);
    const double range = rules_.guess_value_range ? value_range(pair_.a) : 1.0;
    Score sum;
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      add_channel(pair_.a.data() + c * shape.positions(), pair_.b.data() + c * shape.positions(), window, range, sum);
    }
    const auto count = static_cast<double>(shape.channels) * static_cast<double>(mean_a_.size());
    return {sum.ssim / count, sum.contrast / count};
  }

  /// Adds the sums over positions of one channel. E[a^2] + E[b^2] is filtered as one image: only its sum is needed.
  void add_channel(const double* a, const double* b, std::span<const double> window, double range, Score& sum) {
    const ImageShape shape = pair_.shape;
    squares_.resize(static_cast<std::size_t>(shape.positions()));
    products_.resize(static_cast<std::size_t>(shape.positions()));
    for (std::int64_t i = 0; i < shape.positions(); ++i) {
      squares_[static_cast<std::size_t>(i)] = a[i] * a[i] + b[i] * b[i];
      products_[static_cast<std::size_t>(i)] = a[i] * b[i];
    }
    filter(a, shape, window, scratch_, mean_a_);
    filter(b, shape, window, scratch_, mean_b_);
    filter(squares_.data(), shape, window, scratch_, mean_squares_);
    filter(products_.data(), shape, window, scratch_, mean_products_);
    const double c1 = 0.01 * range * (0.01 * range);
    const double c2 = 0.03 * range * (0.03 * range);
    for (std::size_t i = 0; i < mean_a_.size(); ++i) {
      const double mean_product = mean_a_[i] * mean_b_[i];
      const double mean_square = mean_a_[i] * mean_a_[i] + mean_b_[i] * mean_b_[i];
      const double contrast = (2.0 * (mean_products_[i] - mean_product) + c2) / (mean_squares_[i] - mean_square + c2);
      sum.contrast += contrast;
      sum.ssim += (2.0 * mean_product + c1) / (mean_square + c1) * contrast;
    }
  }

  Rules rules_;
  ImageShape shape_;
  std::vector<Score> scores_;
  Pair pair_;
  Pair half_;
  std::vector<double> squares_, products_, scratch_;
  std::vector<double> mean_a_, mean_b_, mean_squares_, mean_products_;
};

/// base ^ exponent with negative bases counted as 0; NaN stays NaN.
double clamped_power(double base, double exponent) { return std::pow(base < 0.0 ? 0.0 : base, exponent); }

void check_images(std::string_view place, const MatrixView& a, const MatrixView& b, ImageShape shape,
                  std::int64_t least) {
  if (shape.channels < 1 || std::min(shape.height, shape.width) < least) {
    misuse(place, "images must have at least 1 channel and {0} x {0} pixels, got {1} x {2} x {3}", least,
           shape.channels, shape.height, shape.width);
  }
  check_shape(place, "a", a, -1, shape.size());
  check_shape(place, "b", b, a.rows(), shape.size());
}

}  // namespace

std::vector<double> ms_ssim_kuzina22(const MatrixView& a, const MatrixView& b, ImageShape shape) {
  check_images("metrics.ms_ssim_kuzina22", a, b, shape, 16);
  Scorer scorer(kKuzina22, shape, kWeights.size());
  std::vector<double> result;
  result.reserve(static_cast<std::size_t>(a.rows()));
  for (std::int64_t i = 0; i < a.rows(); ++i) {
    const std::span<const Score> scores = scorer.score(a.row(i), b.row(i));
    double product = 1.0;
    for (std::size_t level = 0; level + 1 < scores.size(); ++level) {
      product *=
          clamped_power(scores[level].contrast, kWeights[level]) * clamped_power(scores.back().ssim, kWeights.back());
    }
    result.push_back(product);
  }
  return result;
}

std::vector<double> ms_ssim_wang03(const MatrixView& a, const MatrixView& b, ImageShape shape) {
  check_images("metrics.ms_ssim_wang03", a, b, shape, 1);
  std::size_t levels = 1;
  for (std::int64_t side = std::min(shape.height, shape.width); side > 1 && levels < kWeights.size(); ++levels) {
    side = (side + 1) / 2;
  }
  // The five printed weights sum to 1.0001 and are used as printed; only a shorter pyramid is scaled.
  const double weight_sum =
      levels == kWeights.size() ? 1.0 : std::accumulate(kWeights.begin(), kWeights.begin() + levels, 0.0);
  Scorer scorer(kWang03, shape, levels);
  std::vector<double> result;
  result.reserve(static_cast<std::size_t>(a.rows()));
  for (std::int64_t i = 0; i < a.rows(); ++i) {
    const std::span<const Score> scores = scorer.score(a.row(i), b.row(i));
    double product = clamped_power(scores.back().ssim, kWeights[levels - 1] / weight_sum);
    for (std::size_t level = 0; level + 1 < levels; ++level) {
      product *= clamped_power(scores[level].contrast, kWeights[level] / weight_sum);
    }
    result.push_back(product);
  }
  return result;
}

}  // namespace vaeguard::metrics
