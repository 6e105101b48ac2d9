// A measurement as a table cell: its value, its interval, and whether it is better than its baseline.
#pragma once

#include "vaeguard/measures/record.h"
#include "vaeguard/metrics/intervals.h"
#include "vaeguard/reports/table.h"
#include "vaeguard/reports/words.h"

namespace vaeguard::reports {

/// The 95 % interval, cut to the metric's range: that keeps its coverage.
metrics::Interval interval_of(const metrics::Estimate& estimate, const MetricWords& words);
metrics::Interval interval_of(const measures::Measurement& m, const MetricWords& words);

/// "–" for null. Marked better or worse if its interval and that of `undefended` do not overlap.
TableCell metric_cell(const MetricWords& words, const measures::Measurement* measurement,
                      const measures::Measurement* undefended = nullptr);

}  // namespace vaeguard::reports
