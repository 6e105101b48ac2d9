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

metrics::Interval interval_of(const metrics::Estimate& estimate, const MetricWords& words) {
  const metrics::Interval whole = metrics::interval95(estimate, words.proportion);
  if (std::isnan(whole.low)) {
    return whole;
  }
  return {std::max(whole.low, words.range.least), std::min(whole.high, words.range.most)};
}

metrics::Interval interval_of(const measures::Measurement& m, const MetricWords& words) {
  return interval_of(metrics::Estimate{.value = m.value, .standard_error = m.standard_error, .n = m.n}, words);
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
