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
  if (const std::int64_t outputs = encoder.graph().output_size(); outputs != 2 * goal.latent_size()) {
    misuse("attacks.objective", "goal {} takes {} encoder outputs (means, log-variances), got an encoder of {}",
           goal.name(), 2 * goal.latent_size(), outputs);
  }
}

void Objective::evaluate(std::span<const std::int64_t> functions, const Matrix& points, std::span<double> values,
                         Matrix* gradients) const {
  check_shape("attacks.objective", "points", points, std::ssize(functions), dimension());
  if (values.size() != functions.size()) {
    misuse("attacks.objective", "{} functions need as many values, got {}", functions.size(), values.size());
  }
  std::vector<GoalRow> rows;
  for (const std::int64_t function : functions) {
    if (function < 0 || function >= size()) {
      misuse("attacks.objective", "functions must be in 0 .. {}, got {}", size() - 1, function);
    }
    rows.push_back({.reference = function / restarts_, .restart = function % restarts_});
  }
  auto tape = tapes_.borrow();
  Matrix outputs;
  encoder_.forward(points, outputs, *tape);
  Matrix output_gradients;
  goal_.evaluate(rows, outputs, values, gradients == nullptr ? nullptr : &output_gradients);
  if (gradients != nullptr) {
    encoder_.backward(output_gradients, *gradients, *tape);
  }
}

}  // namespace vaeguard::attacks
