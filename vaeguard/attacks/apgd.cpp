// Auto-PGD: the step with momentum, and the schedule that each image keeps for itself.
#include "vaeguard/attacks/apgd.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "vaeguard/attacks/best.h"
#include "vaeguard/attacks/entry.h"
#include "vaeguard/attacks/pgd.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/scalar_field.h"

namespace vaeguard::attacks {
namespace {

/// One image's step size and progress since the last checkpoint.
class Pace {
 public:
  Pace(double step, double rho) : step_(step), rho_(rho) {}

  [[nodiscard]] double step() const { return step_; }
  void observe(double value) {
    rises_ += value > last_ ? 1 : 0;
    if (std::isfinite(value)) {
      last_ = value;
    }
  }
  /// After `steps` steps since the last checkpoint; true where the step was halved.
  bool checkpoint(std::int64_t steps, double best) {
    const bool few_rises = static_cast<double>(rises_) < rho_ * static_cast<double>(steps);
    const bool stuck = !halved_ && best == best_before_;
    halved_ = few_rises || stuck;
    best_before_ = best;
    rises_ = 0;
    if (halved_) {
      step_ /= 2.0;
      last_ = best;
    }
    return halved_;
  }
  /// The value at the start, and the best one there is at checkpoint 0.
  void start(double value) { last_ = best_before_ = value; }

 private:
  double step_;
  double rho_;
  double last_ = 0.0;
  double best_before_ = 0.0;
  std::int64_t rises_ = 0;
  bool halved_ = false;
};

/// The loop's state: each row's current, previous and best point.
struct Climb {
  Matrix points;
  Matrix previous;
  Matrix gradients;
  Matrix best_gradients;
  std::vector<double> values;
};

/// One step of row i; `direction` and `ahead` are scratch.
void step(const Threat& threat, std::span<const float> reference, double length, double weight, std::int64_t i,
          Climb& climb, std::span<float> direction, std::span<float> ahead) {
  const auto x = climb.points.row(i);
  const auto before = climb.previous.row(i);
  threat.steepest_direction_from(x, climb.gradients.row(i), direction);
  for (std::size_t j = 0; j < ahead.size(); ++j) {
    ahead[j] = static_cast<float>(x[j] + length * direction[j]);
  }
  threat.project(reference, ahead);
  for (std::size_t j = 0; j < ahead.size(); ++j) {
    const double momentum = static_cast<double>(x[j]) - before[j];
    before[j] = x[j];
    x[j] = static_cast<float>(x[j] + weight * (static_cast<double>(ahead[j]) - x[j]) + (1.0 - weight) * momentum);
  }
  threat.project(reference, x);
}

}  // namespace

const OptionSchema<ApgdOptions>& apgd_schema() {
  static const auto schema =
      loop_schema<ApgdOptions>()
          .number("momentum", &ApgdOptions::momentum, above_to(0.0, 1.0), "the weight of the new direction")
          .number("rho", &ApgdOptions::rho, from_to(0.0, 1.0),
                  "the step is halved where fewer than this share of steps went up");
  return schema;
}

void validate(const ApgdOptions& options) { apgd_schema().check("attacks.apgd", options); }

std::vector<std::int64_t> apgd_checkpoints(std::int64_t iterations) {
  std::vector<std::int64_t> result;
  double last = 0.0;
  for (double share = 0.22; share < 1.0;) {
    // 1e-9: 0.22 * 50 is 11 and not 12.
    result.push_back(static_cast<std::int64_t>(std::ceil(share * static_cast<double>(iterations) - 1e-9)));
    const double next = share + std::max(share - last - 0.03, 0.06);
    last = share;
    share = next;
  }
  return result;
}

Apgd::Apgd(const ApgdOptions& options) : options_(options) { validate(options); }

Matrix Apgd::maximise(Search& search) const {
  Climb climb{.points = random_starts(search), .previous = {}, .gradients = {}, .best_gradients = {}, .values = {}};
  climb.previous = climb.points;
  climb.best_gradients = Matrix(climb.points.rows(), climb.points.columns());
  Best best(climb.points);
  std::vector<std::int64_t> rows = consecutive(0, climb.points.rows());
  std::vector<Pace> paces;
  for (const std::int64_t i : rows) {
    paces.emplace_back(search.threat(i).radius * options_.first_step, options_.rho);
  }
  const std::vector<std::int64_t> checkpoints = apgd_checkpoints(options_.iterations);
  std::int64_t last_checkpoint = 0;
  std::vector<float> direction(static_cast<std::size_t>(climb.points.columns()));
  std::vector<float> ahead(direction.size());
  for (std::int64_t iteration = 0; iteration < options_.iterations && !rows.empty(); ++iteration) {
    search.evaluate(rows, climb.points, climb.values, &climb.gradients);
    for (const std::int64_t i : best.observe(rows, climb.points, climb.values)) {
      std::ranges::copy(climb.gradients.row(i), climb.best_gradients.row(i).begin());
    }
    rows = best.unfinished(options_.enough);
    const bool checkpoint = std::ranges::find(checkpoints, iteration) != checkpoints.end() && iteration > 0;
    for (const std::int64_t i : rows) {
      const auto row = static_cast<std::size_t>(i);
      if (iteration == 0) {
        paces[row].start(climb.values[row]);
      } else {
        paces[row].observe(climb.values[row]);
      }
      if (checkpoint && paces[row].checkpoint(iteration - last_checkpoint, best.values()[row])) {
        std::ranges::copy(best.points().row(i), climb.points.row(i).begin());
        std::ranges::copy(best.points().row(i), climb.previous.row(i).begin());
        std::ranges::copy(climb.best_gradients.row(i), climb.gradients.row(i).begin());
      }
      step(search.threat(i), search.references().row(i), paces[row].step(), iteration == 0 ? 1.0 : options_.momentum, i,
           climb, direction, ahead);
    }
    last_checkpoint = checkpoint ? iteration : last_checkpoint;
  }
  search.evaluate(rows, climb.points, climb.values, nullptr);
  best.observe(rows, climb.points, climb.values);
  return std::move(best).take();
}

OptimiserEntries apgd_entries() {
  return {optimiser_entry<ApgdOptions>(
      {.name = "apgd",
       .title = "Auto-PGD",
       .description = "Auto-PGD: halves its step and returns to its best point where it stops rising."},
      [](std::string_view) { return ApgdOptions{}; }, apgd_schema(),
      [](const ApgdOptions& options) { return std::make_unique<Apgd>(options); })};
}

}  // namespace vaeguard::attacks
