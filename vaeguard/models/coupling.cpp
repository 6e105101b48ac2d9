// Affine couplings forward, inverted and backward, around the network that determines how far each dimension moves.
#include "vaeguard/models/coupling.h"

#include <cmath>

namespace vaeguard::models {

CouplingHalves::CouplingHalves(std::int64_t latents, std::size_t coupling)
    : first_kept(static_cast<std::int64_t>(coupling % 2)),
      first_moved(1 - first_kept),
      kept((latents - first_kept + 1) / 2),
      moved(latents - kept) {}

// Fills the outputs and log scales from the kept part of the points.
void Coupling::run_network(std::span<const double> points, CouplingTape& tape) const {
  const std::int64_t count = rows(points);
  if (tape.network == nullptr) {
    tape.network = network_->make_tape();
  }
  tape.kept.resize(count, halves_.kept);
  for (std::int64_t b = 0; b < count; ++b) {
    const double* point = points.data() + b * latents_ + halves_.first_kept;
    for (std::int64_t i = 0; i < halves_.kept; ++i) {
      tape.kept(b, i) = static_cast<float>(point[2 * i]);
    }
  }
  network_->forward(tape.kept, tape.outputs, *tape.network);
  tape.log_scale.resize(static_cast<std::size_t>(count * halves_.moved));
  for (std::int64_t b = 0; b < count; ++b) {
    for (std::int64_t i = 0; i < halves_.moved; ++i) {
      tape.log_scale[static_cast<std::size_t>(b * halves_.moved + i)] = bound_ * std::tanh(tape.outputs(b, i) / bound_);
    }
  }
}

void Coupling::forward(std::span<double> points, std::span<double> log_determinants, CouplingTape& tape) const {
  run_network(points, tape);
  tape.scaled.resize(tape.log_scale.size());
  for (std::int64_t b = 0; b < rows(points); ++b) {
    double* point = points.data() + b * latents_ + halves_.first_moved;
    double& log_determinant = log_determinants[static_cast<std::size_t>(b)];
    for (std::int64_t i = 0; i < halves_.moved; ++i) {
      const auto at = static_cast<std::size_t>(b * halves_.moved + i);
      tape.scaled[at] = point[2 * i] * std::exp(tape.log_scale[at]);
      point[2 * i] = tape.scaled[at] + tape.outputs(b, halves_.moved + i);
      log_determinant += tape.log_scale[at];
    }
  }
}

void Coupling::inverse(std::span<double> points, CouplingTape& tape) const {
  run_network(points, tape);
  for (std::int64_t b = 0; b < rows(points); ++b) {
    double* point = points.data() + b * latents_ + halves_.first_moved;
    for (std::int64_t i = 0; i < halves_.moved; ++i) {
      const auto at = static_cast<std::size_t>(b * halves_.moved + i);
      point[2 * i] = (point[2 * i] - tape.outputs(b, halves_.moved + i)) * std::exp(-tape.log_scale[at]);
    }
  }
}

void Coupling::begin_backward(double weight, std::span<double> gradient, CouplingTape& tape) const {
  const std::int64_t count = rows(gradient);
  tape.output_gradients.resize(count, 2 * halves_.moved);
  for (std::int64_t b = 0; b < count; ++b) {
    double* moved = gradient.data() + b * latents_ + halves_.first_moved;
    for (std::int64_t i = 0; i < halves_.moved; ++i) {
      const auto at = static_cast<std::size_t>(b * halves_.moved + i);
      const double slope = 1.0 - std::pow(tape.log_scale[at] / bound_, 2);  // ds/da
      tape.output_gradients(b, i) = static_cast<float>((moved[2 * i] * tape.scaled[at] - weight) * slope);
      tape.output_gradients(b, halves_.moved + i) = static_cast<float>(moved[2 * i]);
      moved[2 * i] *= std::exp(tape.log_scale[at]);
    }
  }
}

void Coupling::end_backward(std::span<double> gradient, const CouplingTape& tape) const {
  for (std::int64_t b = 0; b < rows(gradient); ++b) {
    double* kept = gradient.data() + b * latents_ + halves_.first_kept;
    for (std::int64_t i = 0; i < halves_.kept; ++i) {
      kept[2 * i] += tape.kept_gradients(b, i);
    }
  }
}

}  // namespace vaeguard::models
