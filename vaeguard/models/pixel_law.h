// The pixel law: the distribution of a pixel's grey level given the decoder's output, counted on training images.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "vaeguard/base/matrix.h"

namespace vaeguard::models {

/// p(v | a): the probability of grey level v / 255 given the decoder's output a (a logit for Bernoulli, a mean for
/// Gaussian). A Bernoulli likelihood on grey values ranks latent codes but is no distribution of pixels; this is.
/// Tabulated at equidistant outputs, the nodes, and constant beyond the first and last.
struct PixelLaw {
  static constexpr std::int64_t kLevels = 256;

  double first = 0.0;          // the parameter of node 0
  double spacing = 1.0;        // between nodes
  Matrix probability;          // [nodes, kLevels]; positive, each row sums to 1
  std::vector<double> weight;  // [nodes], share of the training pixels near each node

  [[nodiscard]] std::int64_t nodes() const { return probability.rows(); }
  [[nodiscard]] double parameter(std::int64_t node) const { return first + spacing * static_cast<double>(node); }
  /// The position of a parameter among the nodes, in 0 .. nodes - 1.
  [[nodiscard]] double position(double parameter) const;
};

/// The histogram alone: the same p(v) whatever the decoder's output.
PixelLaw histogram_alone(const PixelLaw& counted);

/// The share of training pixels whose grey level the decoder's output decides, one level having more than half of the
/// probability: those of black and white backgrounds. About 0.8 for digits, 0.5 for clothes, 0 for photographs.
double certain_share(const PixelLaw& law);

/// Throws Misuse that names `place` unless there are at least 4 nodes, spacing > 0 and all probabilities are finite
/// and positive.
void validate(const PixelLaw& law, std::string_view place);

}  // namespace vaeguard::models
