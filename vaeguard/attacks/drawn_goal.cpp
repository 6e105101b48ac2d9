// Reparametrised draws and the means of values and gradients over them.
#include "vaeguard/attacks/drawn_goal.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::attacks {

DrawnGoal::DrawnGoal(std::unique_ptr<Goal> goal, std::vector<Key> keys, std::int64_t draws)
    : goal_(std::move(goal)), keys_(std::move(keys)), draws_(draws) {
  if (draws_ < 1 || std::ssize(keys_) != goal_->size()) {
    misuse("attacks.drawn_goal", "draws must be at least 1 and each of {} references needs a key, got {} and {} keys",
           goal_->size(), draws_, keys_.size());
  }
}

void DrawnGoal::evaluate(std::span<const GoalRow> rows, const Matrix& outputs, std::span<double> values,
                         Matrix* gradients) const {
  const std::int64_t latents = latent_size();
  const double share = 1.0 / static_cast<double>(draws_);
  std::ranges::fill(values, 0.0);
  std::vector<double> totals(gradients == nullptr ? 0 : outputs.values().size(), 0.0);
  std::vector<double> drawn_values(rows.size());
  Matrix noise(outputs.rows(), latents);
  Matrix codes = outputs;
  Matrix slopes;
  for (std::int64_t draw = 0; draw < draws_; ++draw) {
    for (std::int64_t b = 0; b < outputs.rows(); ++b) {
      const GoalRow& row = rows[static_cast<std::size_t>(b)];
      fill_normal(keys_[static_cast<std::size_t>(row.reference)]
                      .fold(static_cast<std::uint64_t>(row.restart))
                      .fold(static_cast<std::uint64_t>(draw)),
                  noise.row(b));
      for (std::int64_t d = 0; d < latents; ++d) {
        const double deviation = std::exp(outputs(b, latents + d) / 2.0);
        codes(b, d) = static_cast<float>(outputs(b, d) + deviation * noise(b, d));
      }
    }
    goal_->evaluate(rows, codes, drawn_values, gradients == nullptr ? nullptr : &slopes);
    for (std::size_t b = 0; b < rows.size(); ++b) {
      values[b] += share * drawn_values[b];
    }
    for (std::int64_t b = 0; b < (gradients == nullptr ? 0 : outputs.rows()); ++b) {
      double* total = totals.data() + b * outputs.columns();
      for (std::int64_t d = 0; d < latents; ++d) {
        const double deviation = std::exp(outputs(b, latents + d) / 2.0);
        total[d] += share * slopes(b, d);
        total[latents + d] += share * (slopes(b, latents + d) + slopes(b, d) * 0.5 * deviation * noise(b, d));
      }
    }
  }
  if (gradients != nullptr) {
    gradients->resize(outputs.rows(), outputs.columns());
    std::ranges::transform(totals, gradients->data(), [](double total) { return static_cast<float>(total); });
  }
}

}  // namespace vaeguard::attacks
