// Goals of a batch by goals of rows, and the other way round.
#include "vaeguard/attacks/goal.h"

#include <algorithm>

namespace vaeguard::attacks {

void Goal::evaluate(std::span<const GoalRow> rows, const Matrix& outputs, std::span<double> values,
                    Matrix* gradients) const {
  if (gradients != nullptr) {
    gradients->resize(outputs.rows(), outputs.columns());
  }
  for (std::size_t b = 0; b < rows.size(); ++b) {
    const auto row = static_cast<std::int64_t>(b);
    values[b] =
        value(rows[b].reference, outputs.row(row), gradients == nullptr ? std::span<float>() : gradients->row(row));
  }
}

double Goal::evaluate_one(std::int64_t reference, std::span<const float> encoder_output,
                          std::span<float> gradient) const {
  const GoalRow row{.reference = reference, .restart = 0};
  Matrix output(1, std::ssize(encoder_output));
  std::ranges::copy(encoder_output, output.row(0).begin());
  Matrix gradients;
  double value = 0.0;
  evaluate({&row, 1}, output, {&value, 1}, gradient.empty() ? nullptr : &gradients);
  if (!gradient.empty()) {
    std::ranges::copy(gradients.row(0), gradient.begin());
  }
  return value;
}

}  // namespace vaeguard::attacks
