// The goal's value and its gradient pulled back through the victim to the pixels.
#include "vaeguard/attacks/objective.h"

#include <utility>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard::attacks {

Objective::Objective(const Victim& victim, const Goal& goal, std::int64_t restarts, std::vector<Key> keys)
    : victim_(victim), goal_(goal), restarts_(restarts), keys_(std::move(keys)), tapes_([&victim] {
        return victim.make_tape();
      }) {
  if (restarts < 1) {
    misuse("attacks.objective", "restarts must be at least 1, got {}", restarts);
  }
  if (victim.latent_size() != goal.latent_size()) {
    misuse("attacks.objective", "goal {} reads encodings of {} latents, the victim gives {}", goal.name(),
           goal.latent_size(), victim.latent_size());
  }
  if (std::ssize(keys_) != (victim.random() ? size() : 0)) {
    misuse("attacks.objective", "a victim that is {}random needs {} keys, got {}", victim.random() ? "" : "not ",
           victim.random() ? size() : 0, keys_.size());
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
  std::vector<Key> row_keys;
  for (const std::int64_t function : keys_.empty() ? std::span<const std::int64_t>() : functions) {
    row_keys.push_back(keys_[static_cast<std::size_t>(function)]);
  }
  victim_.forward(points, row_keys, outputs, *tape);
  Matrix output_gradients;
  goal_.evaluate(rows, outputs, values, gradients == nullptr ? nullptr : &output_gradients);
  if (gradients != nullptr) {
    victim_.backward(output_gradients, *gradients, *tape);
  }
}

}  // namespace vaeguard::attacks
