// Gaps between diagonal Gaussians and their gradients.
#include "vaeguard/attacks/encoder_goal.h"

#include <cmath>
#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

/// One dimension of a gap.
struct Part {
  double value = 0.0;
  double mean_slope = 0.0;
  double log_variance_slope = 0.0;
};

/// e^s - 1 - s, without the cancellation of the plain form for small s.
double excess(double s) { return std::expm1(s) - s; }

/// shift: of the mean; v and w: the log-variances of the output and of the other.
Part symmetric_kl(double shift, double v, double w) {
  const double spread = v - w;
  const double precision = std::exp(-v);
  const double both = precision + std::exp(-w);
  // sinh^2 avoids the cancellation of (e^s + e^-s) / 4 - 1/2 for small s.
  const double half = std::sinh(spread / 2.0);
  return {half * half + shift * shift * both / 4.0, shift * both / 2.0,
          std::sinh(spread) / 2.0 - shift * shift * precision / 4.0};
}

Part forward_kl(double shift, double v, double w) {
  const double precision = std::exp(-v);
  return {(excess(w - v) + shift * shift * precision) / 2.0, shift * precision,
          (-std::expm1(w - v) - shift * shift * precision) / 2.0};
}

Part reverse_kl(double shift, double v, double w) {
  const double precision = std::exp(-w);
  return {(excess(v - w) + shift * shift * precision) / 2.0, shift * precision, std::expm1(v - w) / 2.0};
}

Part wasserstein(double shift, double v, double w) {
  const double deviation = std::exp(v / 2.0);
  const double spread = deviation - std::exp(w / 2.0);
  return {shift * shift + spread * spread, 2.0 * shift, spread * deviation};
}

Part part(EncodingGap gap, double shift, double v, double w) {
  switch (gap) {
    case EncodingGap::symmetric_kl:
      return symmetric_kl(shift, v, w);
    case EncodingGap::forward_kl:
      return forward_kl(shift, v, w);
    case EncodingGap::reverse_kl:
      return reverse_kl(shift, v, w);
    case EncodingGap::means:
      return {shift * shift, 2.0 * shift, 0.0};
    case EncodingGap::wasserstein:
      return wasserstein(shift, v, w);
  }
  misuse("attacks.encoder_goal", "unknown gap {}", static_cast<int>(gap));
}

}  // namespace

double encoding_gap(EncodingGap gap, const models::Encoding& other, std::int64_t row,
                    std::span<const float> encoder_output, std::span<float> gradient) {
  const auto mean = other.mean.row(row);
  const auto log_variance = other.log_variance.row(row);
  const std::size_t latents = mean.size();
  double total = 0.0;
  for (std::size_t d = 0; d < latents; ++d) {
    const double shift = static_cast<double>(encoder_output[d]) - mean[d];
    const Part one = part(gap, shift, encoder_output[latents + d], log_variance[d]);
    total += one.value;
    if (!gradient.empty()) {
      gradient[d] = static_cast<float>(one.mean_slope);
      gradient[latents + d] = static_cast<float>(one.log_variance_slope);
    }
  }
  return total;
}

EncoderGoal::EncoderGoal(std::string_view name, EncodingGap gap, Direction direction, models::Encoding others)
    : name_(name), gap_(gap), direction_(direction), others_(std::move(others)) {
  check_shape("attacks.encoder_goal", "log-variances of the references", others_.log_variance, others_.mean.rows(),
              others_.mean.columns());
  check_finite("attacks.encoder_goal", "means of the references", others_.mean);
  check_finite("attacks.encoder_goal", "log-variances of the references", others_.log_variance);
}

double EncoderGoal::value(std::int64_t reference, std::span<const float> encoder_output,
                          std::span<float> gradient) const {
  const double gap = encoding_gap(gap_, others_, reference, encoder_output, gradient);
  if (direction_ == Direction::away) {
    return gap;
  }
  for (float& slope : gradient) {
    slope = -slope;
  }
  return -gap;
}

}  // namespace vaeguard::attacks
