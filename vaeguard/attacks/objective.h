// A goal as a function of the pixels: goal(victim(x)), one scalar function per reference and restart.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/attacks/goal.h"
#include "vaeguard/attacks/victim.h"
#include "vaeguard/base/pool.h"
#include "vaeguard/base/random.h"
#include "vaeguard/base/scalar_field.h"

namespace vaeguard::attacks {

/// The field that attacks maximise. Function b belongs to reference b / restarts, the order of repeat_rows(references,
/// restarts).
class Objective : public ScalarField {
 public:
  /// `victim` and `goal` must outlive the objective. `keys`: one a function for a victim that draws random numbers,
  /// which are then the same at every evaluation; else none.
  Objective(const Victim& victim, const Goal& goal, std::int64_t restarts = 1, std::vector<Key> keys = {});

  [[nodiscard]] std::int64_t size() const override { return goal_.size() * restarts_; }
  [[nodiscard]] std::int64_t dimension() const override { return victim_.image_size(); }
  void evaluate(std::span<const std::int64_t> functions, const Matrix& points, std::span<double> values,
                Matrix* gradients) const override;

 private:
  const Victim& victim_;
  const Goal& goal_;
  std::int64_t restarts_;
  std::vector<Key> keys_;
  mutable Pool<networks::Tape> tapes_;
};

}  // namespace vaeguard::attacks
