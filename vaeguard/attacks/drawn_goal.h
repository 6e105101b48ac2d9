// A goal of codes drawn from the encoder instead of its means, with noise that stays the same for a whole attack.
#pragma once

#include <memory>
#include <vector>

#include "vaeguard/attacks/goal.h"
#include "vaeguard/base/random.h"

namespace vaeguard::attacks {

/// The mean of another goal over draws z_k = m + e^(v / 2) noise_k, k = 1 .. draws. The noise is fixed by reference,
/// restart and k, so the goal stays differentiable; restarts see different noise. For goals that read only the code,
/// since z_k takes the place of the means.
class DrawnGoal : public Goal {
 public:
  /// keys[r] is for reference r; draws >= 1.
  DrawnGoal(std::unique_ptr<Goal> goal, std::vector<Key> keys, std::int64_t draws);

  [[nodiscard]] std::string_view name() const override { return goal_->name(); }
  [[nodiscard]] std::int64_t size() const override { return goal_->size(); }
  [[nodiscard]] std::int64_t latent_size() const override { return goal_->latent_size(); }
  double value(std::int64_t reference, std::span<const float> encoder_output,
               std::span<float> gradient) const override {
    return evaluate_one(reference, encoder_output, gradient);
  }
  void evaluate(std::span<const GoalRow> rows, const Matrix& outputs, std::span<double> values,
                Matrix* gradients) const override;

 private:
  std::unique_ptr<Goal> goal_;
  std::vector<Key> keys_;
  std::int64_t draws_;
};

}  // namespace vaeguard::attacks
