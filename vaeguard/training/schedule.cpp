// The three learning-rate schedules.
#include "vaeguard/training/schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::training {
namespace {

constexpr std::array<std::pair<ScheduleKind, std::string_view>, 3> kNames{
    {{ScheduleKind::constant, "constant"}, {ScheduleKind::plateau, "plateau"}, {ScheduleKind::one_cycle, "one_cycle"}}};
constexpr double kFirstShare = 1.0 / 25.0;  // of the peak, where one_cycle begins

}  // namespace

std::string_view name(ScheduleKind kind) {
  return std::ranges::find(kNames, kind, &std::pair<ScheduleKind, std::string_view>::first)->second;
}

ScheduleKind schedule_kind(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name, &std::pair<ScheduleKind, std::string_view>::second);
  if (found == kNames.end()) {
    misuse("training.schedule", "schedule must be constant, plateau or one_cycle, got '{}'", name);
  }
  return found->first;
}

void ScheduleOptions::validate() const {
  if (!(learning_rate > 0.0) || !std::isfinite(learning_rate)) {
    misuse("training.schedule", "learning_rate must be finite and > 0, got {}", learning_rate);
  }
  if (!(factor > 0.0 && factor < 1.0) || patience < 0 || !(threshold >= 0.0)) {
    misuse("training.schedule", "factor must be in (0, 1), patience and threshold >= 0, got {}, {} and {}", factor,
           patience, threshold);
  }
  if (!(warmup >= 0.0 && warmup < 1.0) || !(last >= 0.0 && last <= 1.0)) {
    misuse("training.schedule", "warmup must be in [0, 1) and last in [0, 1], got {} and {}", warmup, last);
  }
}

Schedule::Schedule(ScheduleOptions options, std::int64_t total_steps)
    : options_(options), total_steps_(total_steps), state_{.rate = options.learning_rate} {
  options_.validate();
  if (total_steps < 1) {
    misuse("training.schedule", "total_steps must be at least 1, got {}", total_steps);
  }
}

double Schedule::rate(std::int64_t step) const {
  if (options_.kind != ScheduleKind::one_cycle) {
    return state_.rate;
  }
  const double peak = options_.learning_rate;
  const double rise = options_.warmup * static_cast<double>(total_steps_);
  const auto now = static_cast<double>(step);
  if (now < rise) {
    return peak * (kFirstShare + (1.0 - kFirstShare) * now / rise);
  }
  const double fall = std::max(1.0, static_cast<double>(total_steps_ - 1) - rise);
  const double share = std::min(1.0, (now - rise) / fall);
  return peak * (options_.last + (1.0 - options_.last) * 0.5 * (1.0 + std::cos(std::numbers::pi * share)));
}

void Schedule::epoch_finished(double validation_loss) {
  if (options_.kind != ScheduleKind::plateau) {
    return;
  }
  const bool improved = validation_loss < state_.best - options_.threshold * std::abs(state_.best);
  if (improved || std::isinf(state_.best)) {
    state_.best = validation_loss;
    state_.bad_epochs = 0;
  } else if (++state_.bad_epochs > options_.patience) {
    state_.rate *= options_.factor;
    state_.bad_epochs = 0;
  }
}

}  // namespace vaeguard::training
