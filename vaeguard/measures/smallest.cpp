// Quantiles of radii over references.
#include "vaeguard/measures/smallest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/metrics/intervals.h"
#include "vaeguard/metrics/quantile.h"

namespace vaeguard::measures {
namespace {

std::vector<double> least_of_restarts(const std::vector<double>& radii, std::int64_t restarts) {
  std::vector<double> result;
  for (auto from = radii.begin(); from != radii.end(); from += restarts) {
    result.push_back(*std::min_element(from, from + restarts));
  }
  return result;
}

}  // namespace

CellRecords measure_smallest(const plans::SmallestPlan& plan, const attacks::SmallestRadii& found,
                             Measurement prototype) {
  CellRecords records;
  prototype.attack = plan.attack.name;
  prototype.norm = vaeguard::name(plan.attack.norm);
  prototype.radius = plan.search.largest;
  prototype.estimate = "mean";
  prototype.restarts = "worst";
  const std::vector<double> radii = least_of_restarts(found.radius, plan.attack.restarts);
  const auto add = [&](std::string quantile, std::string metric, const metrics::Estimate& estimate) {
    Measurement m = prototype;
    m.quantile = std::move(quantile);
    m.metric = std::move(metric);
    m.value = estimate.value;
    m.standard_error = estimate.standard_error;
    m.n = estimate.n;
    records.measurements.push_back(std::move(m));
  };
  const auto add_radius = [&](std::string quantile, double value) {
    add(std::move(quantile), "smallest_radius", {value, std::nan(""), std::ssize(radii)});
  };
  const metrics::Quantile median = metrics::quantile(radii, 0.5);
  add_radius("median", median.value);
  add_radius("median_low", std::max(median.interval.low, 0.0));
  add_radius("median_high", median.interval.high);
  add_radius("lower_quartile", metrics::quantile(radii, 0.25).value);
  add_radius("upper_quartile", metrics::quantile(radii, 0.75).value);
  std::vector<double> reached;
  std::ranges::transform(radii, std::back_inserter(reached),
                         [](double radius) { return std::isfinite(radius) ? 1.0 : 0.0; });
  add("", "radius_reached", metrics::estimate_by_reference(reached, 1, metrics::Restarts::mean, false));
  if (plan.search.success && plan.search.success->rule == attacks::Success::Rule::reconstruction) {
    add("", "success_distance", {plan.search.success->distance, 0.0, std::ssize(radii)});
  }
  if (plan.attack.draws > 0) {
    add("", "success_draws", {static_cast<double>(plan.attack.draws), 0.0, std::ssize(radii)});
  }
  for (std::size_t row = 0; row < found.radius.size(); ++row) {
    const auto at = static_cast<std::int64_t>(row);
    records.items.push_back({prototype.cell, "mean", "smallest_radius", at / plan.attack.restarts,
                             at % plan.attack.restarts, found.radius[row]});
  }
  return records;
}

}  // namespace vaeguard::measures
