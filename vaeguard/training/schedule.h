// Learning rates over a training: constant, halved on a plateau (the paper's), or one cycle of warm-up and cosine.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace vaeguard::training {

enum class ScheduleKind { constant, plateau, one_cycle };

std::string_view name(ScheduleKind kind);
/// Throws Misuse if there is no schedule of that name.
ScheduleKind schedule_kind(std::string_view name);

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::one_cycle;
  double learning_rate = 1.5e-3;  // the peak of one_cycle, the start of the others
  double factor = 0.5;            // of plateau
  int patience = 10;              // of plateau: epochs without improvement that are tolerated
  double threshold = 1e-4;        // of plateau: the relative improvement that counts
  double warmup = 0.05;           // of one_cycle: the share of steps that rise linearly from 1/25 of the peak
  double last = 1e-3;             // of one_cycle: the share of the peak at the end of the cosine

  void validate() const;
};

/// The state of a plateau schedule.
struct ScheduleState {
  double rate = 0.0;
  double best = std::numeric_limits<double>::infinity();
  int bad_epochs = 0;
  friend bool operator==(const ScheduleState&, const ScheduleState&) = default;
};

class Schedule {
 public:
  Schedule(ScheduleOptions options, std::int64_t total_steps);

  /// The rate of step 0, 1, ..., total_steps - 1.
  [[nodiscard]] double rate(std::int64_t step) const;
  /// Reports the loss on the validation images after an epoch; only plateau uses it.
  void epoch_finished(double validation_loss);

  [[nodiscard]] const ScheduleState& state() const { return state_; }
  void set_state(const ScheduleState& state) { state_ = state; }

 private:
  ScheduleOptions options_;
  std::int64_t total_steps_;
  ScheduleState state_;
};

}  // namespace vaeguard::training
