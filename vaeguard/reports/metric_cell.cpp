// Numbers with intervals, cut to possible values.
#include "vaeguard/reports/metric_cell.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vaeguard::reports {
namespace {

Mark compare(const metrics::Interval& found, const metrics::Interval& undefended, Better better) {
  if (better == Better::neither) {
    return Mark::none;
  }
  const bool above = found.low > undefended.high;
  const bool below = found.high < undefended.low;
  if (above || below) {
    return above == (better == Better::higher) ? Mark::better : Mark::worse;
  }
  return Mark::none;
}

}  // namespace

metrics::Interval interval_of(const measures::Measurement& measurement, const MetricWords& words) {
  metrics::Interval interval = metrics::interval95(
      {.value = measurement.value, .standard_error = measurement.standard_error, .n = measurement.n}, words.proportion);
  if (words.within_unit && !std::isnan(interval.low)) {  // cutting to possible values keeps the coverage
    interval = {std::max(interval.low, 0.0), std::min(interval.high, 1.0)};
  }
  return interval;
}

TableCell metric_cell(const MetricWords& words, const measures::Measurement* measurement,
                      const measures::Measurement* undefended) {
  if (measurement == nullptr) {
    return {.text = "–"};
  }
  const metrics::Interval interval = interval_of(*measurement, words);
  TableCell cell{.text = number_words(measurement->value, words.digits),
                 .raw = fmt::format("{}", measurement->value),
                 .low = interval.low,
                 .high = interval.high};
  if (!std::isnan(interval.low) && !std::isnan(interval.high)) {
    cell.interval =
        fmt::format("[{}, {}]", number_words(interval.low, words.digits), number_words(interval.high, words.digits));
  }
  if (undefended != nullptr && undefended != measurement) {
    cell.mark = compare(interval, interval_of(*undefended, words), words.better);
  }
  return cell;
}

}  // namespace vaeguard::reports
