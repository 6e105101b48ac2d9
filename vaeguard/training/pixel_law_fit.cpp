// Counting and smoothing of pixel laws.
#include "vaeguard/training/pixel_law_fit.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "vaeguard/base/error.h"

namespace vaeguard::training {
namespace {

constexpr std::int64_t kLevels = models::PixelLaw::kLevels;
constexpr std::int64_t kImagesAtOnce = 500;
// Levels that never occurred in training stay possible.
constexpr double kLeastProbability = 1e-9;

using Counts = std::vector<std::vector<double>>;  // [nodes][levels]

// exp(-q^2 / (2 width^2)) for q = -reach .. reach
std::vector<double> kernel(double width) {
  const int reach = static_cast<int>(std::ceil(2.5 * width));
  std::vector<double> weights;
  for (int q = -reach; q <= reach; ++q) {
    weights.push_back(std::exp(-0.5 * q * q / (width * width)));
  }
  return weights;
}

// Each pixel is shared by the two nodes around its parameter.
void count(const models::PixelLaw& law, const Matrix& images, const Matrix& parameters, Counts& counts) {
  for (std::size_t i = 0; i < images.values().size(); ++i) {
    const double position = law.position(parameters.values()[i]);
    const auto node = std::min(static_cast<std::size_t>(position), counts.size() - 2);
    const double share = position - static_cast<double>(node);
    const auto level = static_cast<std::size_t>(
        std::clamp<long>(std::lround(images.values()[i] * static_cast<float>(kLevels - 1)), 0, kLevels - 1));
    counts[node][level] += 1.0 - share;
    counts[node + 1][level] += share;
  }
}

std::vector<double> smooth_levels(const std::vector<double>& counts, const std::vector<double>& weights) {
  std::vector<double> result = counts;
  const auto reach = static_cast<std::int64_t>(weights.size() / 2);
  for (std::int64_t v = 1; v < kLevels - 1; ++v) {
    double sum = 0.0;
    double total = 0.0;
    for (std::int64_t q = std::max(-reach, 1 - v); q <= std::min(reach, kLevels - 2 - v); ++q) {
      const double w = weights[static_cast<std::size_t>(q + reach)];
      sum += w * counts[static_cast<std::size_t>(v + q)];
      total += w;
    }
    result[static_cast<std::size_t>(v)] = sum / total;
  }
  return result;
}

Counts smooth_nodes(const Counts& counts, const std::vector<double>& weights) {
  Counts result(counts.size(), std::vector<double>(kLevels));
  const auto reach = static_cast<std::int64_t>(weights.size() / 2);
  const auto last = static_cast<std::int64_t>(counts.size()) - 1;
  for (std::int64_t node = 0; node <= last; ++node) {
    for (std::int64_t q = -reach; q <= reach; ++q) {
      const auto& from = counts[static_cast<std::size_t>(std::clamp<std::int64_t>(node + q, 0, last))];
      for (std::size_t v = 0; v < from.size(); ++v) {
        result[static_cast<std::size_t>(node)][v] += weights[static_cast<std::size_t>(q + reach)] * from[v];
      }
    }
  }
  return result;
}

double sum_of(std::span<const double> values) {
  double sum = 0.0;
  for (const double value : values) {
    sum += value;
  }
  return sum;
}

// Rows of `probability` from counts. From the middle outwards each node begins with `prior_pixels` pseudo-counts of its
// inner neighbour's distribution, so that outputs that are rare in training get that of the nearest frequent ones; the
// middle begins with the histogram of all pixels.
void fill(const Counts& counts, const std::vector<double>& histogram, double prior_pixels, Matrix& probability) {
  const auto nodes = static_cast<std::int64_t>(counts.size());
  const std::int64_t middle = nodes / 2;
  const auto fill_node = [&](std::int64_t node, std::span<const double> prior) {
    std::vector<double> law = counts[static_cast<std::size_t>(node)];
    const double scale = prior_pixels / sum_of(prior);
    std::ranges::transform(law, prior, law.begin(), [&](double n, double p) { return n + scale * p; });
    const double all = sum_of(law);
    for (std::size_t v = 0; v < law.size(); ++v) {
      law[v] = (law[v] / all + kLeastProbability) / (1.0 + kLevels * kLeastProbability);
      probability.row(node)[v] = static_cast<float>(law[v]);
    }
    return law;
  };
  const std::vector<double> centre = fill_node(middle, histogram);
  std::vector<double> inner = centre;
  for (std::int64_t node = middle + 1; node < nodes; ++node) {
    inner = fill_node(node, inner);
  }
  inner = centre;
  for (std::int64_t node = middle - 1; node >= 0; --node) {
    inner = fill_node(node, inner);
  }
}

}  // namespace

models::PixelLaw fit_pixel_law(const models::Vae& vae, const Matrix& images, Key key,
                               const PixelLawFitOptions& options) {
  check_shape("training.pixel_law_fit", "images", images, -1, vae.image().size());
  const std::int64_t total = std::min(options.images, images.rows());
  if (total < 1 || options.nodes < 4) {
    misuse("training.pixel_law_fit", "images and nodes must number at least 1 and 4, got {} and {}", total,
           options.nodes);
  }
  const models::ParameterRange range = vae.likelihood().usual_parameters();
  models::PixelLaw law;
  law.first = range.first;
  law.spacing = (range.last - range.first) / static_cast<double>(options.nodes - 1);
  law.probability = Matrix(options.nodes, kLevels);
  Counts counts(static_cast<std::size_t>(options.nodes), std::vector<double>(kLevels));
  for (std::int64_t first = 0; first < total; first += kImagesAtOnce) {
    const Matrix some = images.slice(first, std::min(kImagesAtOnce, total - first));
    std::vector<Key> keys;
    for (std::int64_t row = 0; row < some.rows(); ++row) {
      keys.push_back(key.fold(static_cast<std::uint64_t>(first + row)));
    }
    const Matrix latents = vae.sample(some, vae.encode(some, options.threads), keys);
    count(law, some, models::forward_all(vae.generative(), latents, options.threads), counts);
  }
  std::vector<double> histogram(kLevels);
  for (const auto& node : counts) {
    law.weight.push_back(sum_of(node) / static_cast<double>(total * images.columns()));
    std::ranges::transform(node, histogram, histogram.begin(), std::plus<>{});
  }
  counts = smooth_nodes(counts, kernel(options.node_width));
  const auto level_kernel = kernel(options.level_width);
  for (auto& node : counts) {
    node = smooth_levels(node, level_kernel);
  }
  fill(counts, histogram, options.prior_pixels, law.probability);
  return law;
}

}  // namespace vaeguard::training
