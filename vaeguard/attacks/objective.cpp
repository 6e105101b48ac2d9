// The goal's value and its gradient pulled back through the encoder to the pixels.
#include "vaeguard/attacks/objective.h"

#include "vaeguard/base/error.h"

namespace vaeguard::attacks {

Objective::Objective(const networks::Network& encoder, const Goal& goal, std::int64_t restarts)
    : encoder_(encoder), goal_(goal), restarts_(restarts), tapes_([&encoder] { return encoder.make_tape(); }) {
  if (restarts < 1) {
    misuse("attacks.objective", "restarts must be at least 1, got {}", restarts);
  }
  if (const std::int64_t outputs = encoder.graph().output().size(); outputs != 2 * goal.latent_size()) {
    misuse("attacks.objective", "goal {} takes {} encoder outputs (means, log-variances), got an encoder of {}",
           goal.name(), 2 * goal.latent_size(), outputs);
  }
}

void Objective::evaluate(std::int64_t first, const Matrix& points, std::span<double> values, Matrix* gradients) const {
  check_shape("attacks.objective", "points", points, -1, dimension());
  if (first < 0 || first + points.rows() > size() || static_cast<std::int64_t>(values.size()) != points.rows()) {
    misuse("attacks.objective", "rows {} to {} with {} values do not fit an objective of {} rows", first,
           first + points.rows(), values.size(), size());
  }
  auto tape = tapes_.borrow();
  Matrix outputs;
  encoder_.forward(points, outputs, *tape);
  Matrix output_gradients(gradients == nullptr ? 0 : outputs.rows(), outputs.columns());
  for (std::int64_t b = 0; b < points.rows(); ++b) {
    values[static_cast<std::size_t>(b)] = goal_.value(
        (first + b) / restarts_, outputs.row(b), gradients == nullptr ? std::span<float>() : output_gradients.row(b));
  }
  if (gradients != nullptr) {
    encoder_.backward(output_gradients, *gradients, *tape);
  }
}

}  // namespace vaeguard::attacks
