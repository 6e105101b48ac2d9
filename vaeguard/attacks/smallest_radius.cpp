// Bisection of radii, rows with equal radii together.
#include "vaeguard/attacks/smallest_radius.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "vaeguard/base/error.h"
#include "vaeguard/base/scalar_field.h"

namespace vaeguard::attacks {
namespace {

/// Some functions of a field.
class SomeFunctions : public ScalarField {
 public:
  SomeFunctions(const ScalarField& whole, std::span<const std::int64_t> of_whole)
      : whole_(whole), of_whole_(of_whole) {}
  [[nodiscard]] std::int64_t size() const override { return std::ssize(of_whole_); }
  [[nodiscard]] std::int64_t dimension() const override { return whole_.dimension(); }
  void evaluate(std::span<const std::int64_t> functions, const Matrix& points, std::span<double> values,
                Matrix* gradients) const override {
    std::vector<std::int64_t> renamed;
    for (const std::int64_t function : functions) {
      renamed.push_back(of_whole_[static_cast<std::size_t>(function)]);
    }
    whole_.evaluate(renamed, points, values, gradients);
  }

 private:
  const ScalarField& whole_;
  std::span<const std::int64_t> of_whole_;
};

/// The values that decide success: the judge's at the attacked images, or the attack's own objective.
std::vector<double> marks(const ScalarField* judge, const AttackResult& result, const Execution& execution) {
  return judge == nullptr ? result.objective : values_of(*judge, result.adversarial, execution.threads);
}

/// A radius that failed and one that succeeded.
struct Interval {
  double fails = 0.0;
  double succeeds = std::numeric_limits<double>::infinity();
};

}  // namespace

void validate(const SmallestRadiusOptions& options) {
  if (std::isnan(options.enough) || options.steps < 0) {
    misuse("attacks.smallest_radius", "enough must be a number and steps >= 0, got {} and {}", options.enough,
           options.steps);
  }
}

SmallestRadii smallest_radii(const Attack& attack, const ScalarField& objective, const Matrix& references,
                             const Threat& largest, std::span<const Key> keys, const SmallestRadiusOptions& options,
                             const Execution& execution) {
  validate(options);
  if (options.judge != nullptr && options.judge->size() != objective.size()) {
    misuse("attacks.smallest_radius", "the judge must have the objective's {} functions, got {}", objective.size(),
           options.judge->size());
  }
  AttackResult first = attack(objective, references, largest, keys, execution);
  const std::vector<double> first_marks = marks(options.judge, first, execution);
  SmallestRadii result{.radius = {},
                       .adversarial = std::move(first.adversarial),
                       .objective = std::move(first.objective),
                       .gradients = first.gradients};
  std::vector<Interval> intervals(keys.size());
  std::vector<std::int64_t> rows;
  for (const std::int64_t row : consecutive(0, references.rows())) {
    if (first_marks[static_cast<std::size_t>(row)] > options.enough) {
      intervals[static_cast<std::size_t>(row)].succeeds = largest.radius;
      rows.push_back(row);
    }
  }
  for (std::int64_t step = 0; step < options.steps; ++step) {
    std::map<double, std::vector<std::int64_t>> groups;
    for (const std::int64_t row : rows) {
      const Interval& interval = intervals[static_cast<std::size_t>(row)];
      groups[(interval.fails + interval.succeeds) / 2.0].push_back(row);
    }
    for (const auto& [radius, group] : groups) {
      Threat threat = largest;
      threat.radius = radius;
      std::vector<Key> group_keys;
      for (const std::int64_t row : group) {
        group_keys.push_back(keys[static_cast<std::size_t>(row)]);
      }
      const AttackResult found =
          attack(SomeFunctions(objective, group), references.gather(group), threat, group_keys, execution);
      result.gradients += found.gradients;
      std::optional<SomeFunctions> judge;
      if (options.judge != nullptr) {
        judge.emplace(*options.judge, group);
      }
      const std::vector<double> found_marks = marks(judge ? &*judge : nullptr, found, execution);
      for (std::size_t k = 0; k < group.size(); ++k) {
        const auto row = static_cast<std::size_t>(group[k]);
        if (!(found_marks[k] > options.enough)) {
          intervals[row].fails = radius;
          continue;
        }
        intervals[row].succeeds = radius;
        result.objective[row] = found.objective[k];
        std::ranges::copy(found.adversarial.row(static_cast<std::int64_t>(k)),
                          result.adversarial.row(group[k]).begin());
      }
    }
  }
  for (const Interval& interval : intervals) {
    result.radius.push_back(interval.succeeds);
  }
  return result;
}

}  // namespace vaeguard::attacks
