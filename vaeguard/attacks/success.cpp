// Criteria as goals that are 0 or 1, and their share over draws.
#include "vaeguard/attacks/success.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "vaeguard/attacks/drawn_goal.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/scalar_field.h"

namespace vaeguard::attacks {
namespace {

/// 1 if another goal exceeds a level, else 0; NaN does not.
class Above : public Goal {
 public:
  Above(std::unique_ptr<Goal> goal, double level) : goal_(std::move(goal)), level_(level) {}
  [[nodiscard]] std::string_view name() const override { return goal_->name(); }
  [[nodiscard]] std::int64_t size() const override { return goal_->size(); }
  [[nodiscard]] std::int64_t latent_size() const override { return goal_->latent_size(); }
  double value(std::int64_t reference, std::span<const float> encoder_output,
               std::span<float> gradient) const override {
    return evaluate_one(reference, encoder_output, gradient);
  }
  void evaluate(std::span<const GoalRow> rows, const Matrix& outputs, std::span<double> values,
                Matrix* gradients) const override {
    goal_->evaluate(rows, outputs, values, nullptr);
    std::ranges::for_each(values, [&](double& value) { value = value > level_ ? 1.0 : 0.0; });
    if (gradients != nullptr) {
      *gradients = Matrix(outputs.rows(), outputs.columns());
    }
  }

 private:
  std::unique_ptr<Goal> goal_;
  double level_;
};

}  // namespace

void validate(const Success& success) {
  if (!std::isfinite(success.distance) || success.distance < 0.0) {
    misuse("attacks.success", "distance must be finite and >= 0, got {}", success.distance);
  }
}

std::unique_ptr<Goal> make_judge(const Success& success, const GoalInputs& inputs) {
  validate(success);
  GoalInputs of_mean = inputs;
  of_mean.draws = 0;
  const bool other_class = success.rule == Success::Rule::other_class;
  auto holds = std::make_unique<Above>(make_goal(other_class ? "classifier_margin" : "maximum_damage", of_mean),
                                       other_class ? 0.0 : success.distance);
  if (inputs.draws == 0) {
    return holds;
  }
  std::vector<Key> keys;
  for (const std::int64_t position :
       inputs.positions.empty() ? consecutive(0, inputs.references.mean.rows()) : inputs.positions) {
    keys.push_back(inputs.key.fold("judge draws").fold(static_cast<std::uint64_t>(position)));
  }
  return std::make_unique<DrawnGoal>(std::move(holds), std::move(keys), inputs.draws);
}

}  // namespace vaeguard::attacks
