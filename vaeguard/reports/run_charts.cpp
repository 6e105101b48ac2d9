// Collects items and curve points by scenario and defence, and draws them.
#include "vaeguard/reports/run_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "vaeguard/reports/columns.h"
#include "vaeguard/reports/histogram.h"
#include "vaeguard/reports/metric_cell.h"
#include "vaeguard/reports/scenario.h"
#include "vaeguard/reports/words.h"

namespace vaeguard::reports {
namespace {

using ByCell = std::map<std::string, std::vector<double>>;

/// Values of one metric by cell, of the estimate `preferred` where a cell has it, else of the first it has.
ByCell values_by_cell(const RunRecords& records, const std::string& metric, const std::string& preferred) {
  std::map<std::string, std::string> estimate;
  for (const auto& item : records.items) {
    if (item.metric == metric) {
      std::string& chosen = estimate.try_emplace(item.cell, item.estimate).first->second;
      chosen = item.estimate == preferred ? preferred : chosen;
    }
  }
  ByCell values;
  for (const auto& item : records.items) {
    if (item.metric == metric && item.estimate == estimate.at(item.cell)) {
      values[item.cell].push_back(item.value);
    }
  }
  return values;
}

std::string colour_of(const std::string& defence, const std::vector<std::string>& order) {
  return series_colour(static_cast<std::size_t>(std::ranges::find(order, defence) - order.begin()));
}

Curve read_curve(const RunRecords& records, const Cell& cell, const MetricWords& words, const std::string& estimate,
                 const std::string& colour) {
  Curve curve{.label = defence_words(cell.defence), .colour = colour, .dashed = estimate == "draw", .samples = {}};
  for (const auto& point : records.curves) {
    if (point.cell == cell.name && point.metric == words.name && point.estimate == estimate) {
      const metrics::Interval band = interval_of(
          metrics::Estimate{.value = point.value, .standard_error = point.standard_error, .n = point.n}, words);
      curve.samples.push_back({point.gradients, point.value, band.low, band.high});
    }
  }
  std::ranges::sort(curve.samples, {}, &CurveSample::x);
  return curve;
}

// The estimates of a cell that can be shown as one point, with the suffix of their labels.
constexpr std::pair<const char*, const char*> kPoints[] = {{"mean", ""}, {"reencoded", ", re-encoded"}};

// One point for each estimate of a cell, at x(measurement).
template <typename X>
std::vector<Curve> read_points(const RunRecords& records, const Cell& cell, const MetricWords& words,
                               const std::string& colour, X&& x) {
  std::vector<Curve> curves;
  for (const auto& [estimate, remark] : kPoints) {
    for (const auto& m : records.measurements) {
      if (m.cell == cell.name && m.metric == words.name && m.estimate == estimate && m.restarts == "mean") {
        const metrics::Interval band = interval_of(m, words);
        curves.push_back({.label = defence_words(cell.defence) + remark,
                          .colour = colour,
                          .dashed = false,
                          .samples = {{x(m), m.value, band.low, band.high}}});
      }
    }
  }
  return curves;
}

}  // namespace

std::vector<Chart> posterior_ratio_charts(const RunRecords& records) {
  const std::string ratio = "log_posterior_ratio";
  const auto values = values_by_cell(records, ratio, "draw");
  const std::vector<Scenario> all = scenarios(records);
  const std::vector<std::string> order = defences(all);
  std::vector<Chart> charts;
  for (const Scenario& scenario : all) {
    std::vector<Series> series;
    for (const Cell& cell : scenario.cells) {
      if (const auto found = values.find(cell.name); found != values.end() && !scenario.clean()) {
        series.push_back({defence_words(cell.defence), colour_of(cell.defence, order), found->second});
      }
    }
    if (!series.empty()) {
      charts.push_back(
          histogram_chart(fmt::format("ratio-{}-{}", charts.size(), scenario.name()), scenario.title(), series,
                          {.x_title = metric_words(ratio).title + " (nats)", .y_title = "attacked images"}));
    }
  }
  return charts;
}

std::vector<Chart> curve_charts(const RunRecords& records) {
  std::set<std::string> present;
  std::set<std::string> estimates;
  for (const auto& point : records.curves) {
    present.insert(point.metric);
    estimates.insert(point.estimate);
  }
  const std::vector<Scenario> all = scenarios(records);
  const std::vector<std::string> order = defences(all);
  std::vector<Chart> charts;
  for (const std::string& metric : in_known_order(std::move(present))) {
    const MetricWords words = metric_words(metric);
    for (const Scenario& scenario : all) {
      std::vector<Curve> curves;
      bool any_curve = false;
      for (const Cell& cell : scenario.cells) {
        const std::string colour = colour_of(cell.defence, order);
        bool has_curve = false;
        for (const std::string& estimate : estimates) {
          Curve curve = read_curve(records, cell, words, estimate, colour);
          if (!curve.samples.empty()) {
            curves.push_back(std::move(curve));
            has_curve = true;
          }
        }
        any_curve = any_curve || has_curve;
        // Defences without a curve are shown as a point, and so are estimates that only a finished defence has.
        for (Curve& point : read_points(records, cell, words, colour, [](const auto& m) { return m.gradients; })) {
          if (!has_curve || point.label != defence_words(cell.defence)) {
            curves.push_back(std::move(point));
          }
        }
      }
      if (any_curve) {
        charts.push_back(curve_chart(fmt::format("curve-{}-{}", charts.size(), scenario.name()), scenario.title(),
                                     curves, {.x_title = number_column("gradients").title, .y_title = words.title}));
        charts.back().group = words.title;
      }
    }
  }
  return charts;
}

std::vector<Chart> cost_charts(const RunRecords& records) {
  std::map<std::string, double> images;
  for (const auto& item : records.items) {
    images[item.cell] += item.metric == "agreement" && item.estimate == "mean" ? 1.0 : 0.0;
  }
  const auto milliseconds = [&](const measures::Measurement& m) {
    const auto found = images.find(m.cell);
    return found == images.end() || found->second == 0.0 ? std::nan("") : 1e3 * m.seconds / found->second;
  };
  const std::vector<Scenario> all = scenarios(records);
  const std::vector<std::string> order = defences(all);
  std::vector<Chart> charts;
  for (const char* metric : {"ms_ssim_kuzina22", "agreement"}) {
    const MetricWords words = metric_words(metric);
    for (const Scenario& scenario : all) {
      std::vector<Curve> points;
      for (const Cell& cell : scenario.cells) {
        std::ranges::move(read_points(records, cell, words, colour_of(cell.defence, order), milliseconds),
                          std::back_inserter(points));
      }
      std::erase_if(points, [](const Curve& point) { return !(point.samples.front().x > 0.0); });
      if (points.size() > 1) {
        charts.push_back(curve_chart(fmt::format("cost-{}-{}", charts.size(), scenario.name()), scenario.title(),
                                     points,
                                     {.x_title = "milliseconds per image, all threads", .y_title = words.title}));
        charts.back().group = words.title + " against time";
      }
    }
  }
  return charts;
}

std::vector<Chart> chain_charts(const RunRecords& records) {
  const std::vector<Scenario> all = scenarios(records);
  const std::vector<std::string> order = defences(all);
  std::vector<Chart> charts;
  for (const std::string metric : {"acceptance", "step_size"}) {
    const auto values = values_by_cell(records, metric, "draw");
    std::vector<Series> series;
    for (const std::string& defence : order) {
      Series pooled{.label = defence_words(defence), .colour = colour_of(defence, order)};
      for (const Scenario& scenario : all) {
        for (const Cell& cell : scenario.cells) {
          if (const auto found = values.find(cell.name); cell.defence == defence && found != values.end()) {
            pooled.values.insert(pooled.values.end(), found->second.begin(), found->second.end());
          }
        }
      }
      if (!pooled.values.empty()) {
        series.push_back(std::move(pooled));
      }
    }
    if (!series.empty()) {
      const MetricWords words = metric_words(metric);
      charts.push_back(
          histogram_chart("chain-" + metric, words.title + ", all scenarios", series,
                          {.x_title = words.title, .y_title = "chains", .logarithmic = metric == "step_size"}));
    }
  }
  return charts;
}

namespace {

constexpr const char* kDivergences = "divergences";
// Of each chain, then of each image, with the estimate under which records have them.
constexpr std::pair<const char*, const char*> kSpreads[] = {
    {"acceptance", "draw"},       {"step_size", "draw"}, {"rhat", "mean"},
    {"bulk_ess", "mean"},         {"e_bfmi", "mean"},    {"reconstruction_error", "mean"},
    {"probability_error", "vote"}};

std::size_t count_of(const ByCell& values, const std::string& cell) {
  return values.contains(cell) ? values.at(cell).size() : 0;
}

TableCell spread(const ByCell& values, const std::string& cell, int digits) {
  const auto found = values.find(cell);
  if (found == values.end()) {
    return {.text = "–"};
  }
  const double middle = quantile(found->second, 0.5);
  const double low = quantile(found->second, 0.05);
  const double high = quantile(found->second, 0.95);
  return {.text = number_words(middle, digits),
          .interval = fmt::format("[{}, {}]", number_words(low, digits), number_words(high, digits)),
          .raw = fmt::format("{}", middle),
          .low = low,
          .high = high};
}

// Their sum, and how many are not 0.
std::array<TableCell, 2> totals(const ByCell& values, const std::string& cell) {
  const auto found = values.find(cell);
  if (found == values.end()) {
    return {{{.text = "–"}, {.text = "–"}}};
  }
  const double sum = std::accumulate(found->second.begin(), found->second.end(), 0.0);
  const auto any = std::ranges::count_if(found->second, [](double value) { return value > 0.0; });
  return {{{.text = count_words(sum), .raw = fmt::format("{}", sum)},
           {.text = count_words(static_cast<double>(any)), .raw = fmt::format("{}", any)}}};
}

// The notes of the records about a cell's chains.
std::string notes_on(const RunRecords& records, const std::string& cell) {
  std::string text;
  for (const measures::Note& note : records.notes) {
    text += note.cell == cell ? fmt::format("{}{}", text.empty() ? "" : " ", note.sentence) : "";
  }
  return text.empty() ? "–" : text;
}

}  // namespace

std::optional<Table> chain_table(const RunRecords& records) {
  const auto divergences = values_by_cell(records, kDivergences, "draw");
  std::vector<std::pair<std::string, ByCell>> spreads;
  Table table;
  table.caption = "Chains: median and central 90 % over images, and proposals that diverged";
  table.columns = {{.title = "Scenario", .key = "scenario", .number = false, .heads_rows = true},
                   word_column("defence"),
                   {.title = "Chains", .key = "chains"}};
  for (const auto& [metric, estimate] : kSpreads) {
    table.columns.push_back(metric_column(metric));
    spreads.emplace_back(metric, values_by_cell(records, metric, estimate));
  }
  table.columns.push_back(metric_column(kDivergences));
  table.columns.back().has_interval = false;
  table.columns.push_back({.title = "Chains with any", .key = "chains_with_divergences"});
  table.columns.push_back({.title = "What to do", .key = "notes", .number = false});
  for (const Scenario& scenario : scenarios(records)) {
    for (const Cell& cell : scenario.cells) {
      const std::size_t chains = std::max({count_of(spreads[0].second, cell.name),
                                           count_of(spreads[1].second, cell.name), count_of(divergences, cell.name)});
      if (chains == 0) {
        continue;
      }
      std::vector<TableCell> row = {{.text = scenario.title(), .raw = scenario.name()},
                                    {.text = defence_words(cell.defence), .raw = cell.defence},
                                    {.text = count_words(static_cast<double>(chains))}};
      for (const auto& [metric, values] : spreads) {
        row.push_back(spread(values, cell.name, metric_words(metric).digits));
      }
      std::ranges::move(totals(divergences, cell.name), std::back_inserter(row));
      row.push_back({.text = notes_on(records, cell.name)});
      table.rows.push_back(std::move(row));
    }
  }
  return table.rows.empty() ? std::nullopt : std::optional(table);
}

}  // namespace vaeguard::reports
