// The columns of measurements.csv in words.
#pragma once

#include <string_view>

#include "vaeguard/base/registry.h"

namespace vaeguard::metrics {

struct ColumnEntry {
  std::string_view name;
  std::string_view title;  // for table heads
  std::string_view description;
};

/// In the order of the file. Reports show some of them beside the metrics.
const Registry<ColumnEntry>& columns();

}  // namespace vaeguard::metrics
