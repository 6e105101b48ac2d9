// Forward and backward through the decoder, and the values at its output.
#include "vaeguard/attacks/decoder_goal.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard::attacks {

DecoderGoal::DecoderGoal(std::string_view name, const models::Vae& vae, Matrix images)
    : name_(name), vae_(vae), images_(std::move(images)), tapes_([&vae] { return vae.generative().make_tape(); }) {
  check_shape("attacks.decoder_goal", "images to compare with", images_, -1, vae.image().size());
  check_finite("attacks.decoder_goal", "images to compare with", images_);
}

void DecoderGoal::evaluate(std::span<const GoalRow> rows, const Matrix& outputs, std::span<double> values,
                           Matrix* gradients) const {
  const std::int64_t latents = latent_size();
  Matrix codes(outputs.rows(), latents);
  for (std::int64_t b = 0; b < codes.rows(); ++b) {
    std::ranges::copy(outputs.row(b).first(static_cast<std::size_t>(latents)), codes.row(b).begin());
  }
  auto tape = tapes_.borrow();
  Matrix decoded;
  vae_.generative().forward(codes, decoded, {}, *tape);
  Matrix slopes(gradients == nullptr ? 0 : decoded.rows(), decoded.columns());
  for (std::int64_t b = 0; b < codes.rows(); ++b) {
    const auto row = static_cast<std::size_t>(b);
    values[row] =
        output_value(rows[row].reference, decoded.row(b), gradients == nullptr ? std::span<float>() : slopes.row(b));
  }
  if (gradients == nullptr) {
    return;
  }
  Matrix code_gradients;
  vae_.generative().backward(slopes, code_gradients, *tape);
  *gradients = Matrix(outputs.rows(), outputs.columns());  // log-variances do not matter: 0
  for (std::int64_t b = 0; b < codes.rows(); ++b) {
    std::ranges::copy(code_gradients.row(b), gradients->row(b).begin());
  }
}

double ReconstructionDistance::output_value(std::int64_t reference, std::span<const float> decoder_output,
                                            std::span<float> gradient) const {
  const std::span<const float> other = image(reference);
  std::vector<float> mean(decoder_output.size());
  likelihood().mean(decoder_output, mean);
  double squares = 0.0;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    const double change = static_cast<double>(mean[i]) - other[i];
    squares += change * change;
  }
  const double distance = std::sqrt(squares);
  const double sign = sign_ == Sign::away ? 1.0 : -1.0;
  if (!gradient.empty()) {
    std::vector<double> slopes(mean.size());
    for (std::size_t i = 0; distance > 0.0 && i < mean.size(); ++i) {
      slopes[i] = sign * (static_cast<double>(mean[i]) - other[i]) / distance;
    }
    likelihood().pull_mean(mean, slopes, gradient);
  }
  return sign * distance;
}

double TargetLikelihood::output_value(std::int64_t reference, std::span<const float> decoder_output,
                                      std::span<float> gradient) const {
  const double value = likelihood().negative_log(image(reference), decoder_output, gradient);
  for (float& slope : gradient) {
    slope = -slope;
  }
  return -value;
}

}  // namespace vaeguard::attacks
