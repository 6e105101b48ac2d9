// A goal as a function of the pixels: goal(encoder(x)), one scalar function per reference and restart.
#pragma once

#include <cstdint>
#include <span>

#include "vaeguard/attacks/goal.h"
#include "vaeguard/base/pool.h"
#include "vaeguard/base/scalar_field.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::attacks {

/// The field that attacks climb. Function b belongs to reference b / restarts: rows lie as repeat_rows(references,
/// restarts) puts them.
class Objective : public ScalarField {
 public:
  /// `encoder` and `goal` must outlive the objective.
  Objective(const networks::Network& encoder, const Goal& goal, std::int64_t restarts = 1);

  [[nodiscard]] std::int64_t size() const override { return goal_.size() * restarts_; }
  [[nodiscard]] std::int64_t dimension() const override { return encoder_.graph().input_size(); }
  void evaluate(std::span<const std::int64_t> functions, const Matrix& points, std::span<double> values,
                Matrix* gradients) const override;

 private:
  const networks::Network& encoder_;
  const Goal& goal_;
  std::int64_t restarts_;
  mutable Pool<networks::Tape> tapes_;
};

}  // namespace vaeguard::attacks
