// The metrics of the records: words, digits, which direction is good for the defender, which values are possible.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/option_reader.h"
#include "vaeguard/base/registry.h"

namespace vaeguard::metrics {

struct MetricEntry {
  std::string_view name;
  std::string_view title;        // for table heads and axes
  std::string_view description;  // a sentence that says what it is, and what to make of it
  int digits = 3;                // that are shown after the decimal point
  bool higher_is_better = true;  // for the defender
  Range range = {};              // of its values
  bool proportion = false;       // of images or pairs of them: its interval is Wilson's
};

/// In the order in which tables and charts show them.
const Registry<MetricEntry>& catalogue();

}  // namespace vaeguard::metrics
