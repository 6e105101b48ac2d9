// The goal's value and its gradient pulled back through the encoder to the pixels.
#include "vaeguard/attacks/objective.h"

#include <vector>

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
  std::vector<GoalRow> rows(values.size());
  for (std::int64_t b = 0; b < points.rows(); ++b) {
    rows[static_cast<std::size_t>(b)] = {.reference = (first + b) / restarts_, .restart = (first + b) % restarts_};
  }
  Matrix output_gradients;
  goal_.evaluate(rows, outputs, values, gradients == nullptr ? nullptr : &output_gradients);
  if (gradients != nullptr) {
    encoder_.backward(output_gradients, *gradients, *tape);
  }
}

}  // namespace vaeguard::attacks
