// The metrics of the records: meaning, which direction is good for the defender, whether it is a proportion.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vaeguard::metrics {

struct MetricEntry {
  std::string_view name;
  std::string_view meaning;
  bool higher_is_better = true;  // for the defender
  bool proportion = false;
};

const std::vector<MetricEntry>& catalogue();
/// Throws Misuse that names the nearest known metric.
const MetricEntry& find_metric(std::string_view name);

}  // namespace vaeguard::metrics
