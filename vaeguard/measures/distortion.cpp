// Means of curves over references.
#include "vaeguard/measures/distortion.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "vaeguard/metrics/intervals.h"

namespace vaeguard::measures {
namespace {

constexpr int kPlaces = 20;

}  // namespace

CellRecords measure_distortion(const plans::AttackPlan& attack, std::span<const attacks::DistortionCurve> curves,
                               Measurement prototype) {
  CellRecords records;
  prototype.attack = attack.name;
  prototype.norm = "l2_share";
  prototype.estimate = "mean";
  const auto add = [&](std::string_view metric, double share, const std::vector<double>& values) {
    for (const auto& [name, restarts] :
         {std::pair("mean", metrics::Restarts::mean), std::pair("worst", metrics::Restarts::worst)}) {
      const metrics::Estimate estimate = metrics::estimate_by_reference(values, attack.restarts, restarts, true);
      Measurement m = prototype;
      m.restarts = name;
      m.metric = metric;
      m.radius = share;
      m.value = estimate.value;
      m.standard_error = estimate.standard_error;
      m.n = estimate.n;
      records.measurements.push_back(std::move(m));
    }
  };
  std::vector<double> values(curves.size());
  std::ranges::transform(curves, values.begin(), &attacks::DistortionCurve::area);
  add("auddc", 1.0, values);
  for (std::size_t row = 0; row < values.size(); ++row) {
    const auto at = static_cast<std::int64_t>(row);
    records.items.push_back({prototype.cell, "mean", "auddc", at / attack.restarts, at % attack.restarts, values[row]});
  }
  for (int place = 0; place <= kPlaces; ++place) {
    const double share = static_cast<double>(place) / kPlaces;
    std::ranges::transform(curves, values.begin(), [share](const auto& curve) { return curve.remaining(share); });
    add("remaining_distance", share, values);
  }
  return records;
}

}  // namespace vaeguard::measures
