// Gathers the cells of distortion curves by attack and model.
#include "vaeguard/reports/distortion_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "vaeguard/reports/columns.h"
#include "vaeguard/reports/html.h"
#include "vaeguard/reports/metric_cell.h"
#include "vaeguard/reports/words.h"

namespace vaeguard::reports {
namespace {

using measures::Measurement;

// The attacker keeps the best of the restarts.
constexpr std::string_view kRestarts = "worst";
constexpr std::string_view kArea = "auddc";
constexpr std::string_view kDistance = "remaining_distance";
constexpr double kShown[] = {0.1, 0.25, 0.5, 1.0};

/// The measurements of one cell of those restarts.
struct CurveRecords {
  std::string model;
  std::string attack;
  const Measurement* area = nullptr;
  std::vector<const Measurement*> places;  // shares rising
};

std::vector<CurveRecords> gather(const RunRecords& records) {
  std::vector<std::string> cells;
  std::vector<CurveRecords> result;
  for (const Measurement& m : records.measurements) {
    if (m.kind != measures::CellKind::distortion || m.restarts != kRestarts) {
      continue;
    }
    const auto at = static_cast<std::size_t>(std::ranges::find(cells, m.cell) - cells.begin());
    if (at == cells.size()) {
      cells.push_back(m.cell);
      result.push_back({m.model, m.attack, nullptr, {}});
    }
    if (m.metric == kArea) {
      result[at].area = &m;
    } else if (m.metric == kDistance) {
      result[at].places.push_back(&m);
    }
  }
  for (CurveRecords& one : result) {
    std::ranges::sort(one.places, {}, &Measurement::radius);
  }
  return result;
}

TableCell cell_of(const Measurement* m) {
  return m == nullptr ? TableCell{.text = "–"} : metric_cell(metric_words(m->metric), m);
}

}  // namespace

std::optional<Table> distortion_table(const RunRecords& records) {
  const std::vector<CurveRecords> all = gather(records);
  if (all.empty()) {
    return std::nullopt;
  }
  Table table;
  table.caption =
      "Distortion-distortion curves of the models without defence; for each reference the best of its restarts, means "
      "over references with 95 % intervals";
  table.columns = {head_column("model"), head_column("attack"), metric_column(kArea)};
  for (const double share : kShown) {
    table.columns.push_back(metric_column(kDistance));
    table.columns.back().title += fmt::format(" at {}", plain_number(share));
    table.columns.back().key = fmt::format("left_at_{}", share);
  }
  table.columns.push_back(number_column("n"));
  for (const CurveRecords& one : all) {
    std::vector<TableCell> row{{.text = model_words(one.model), .raw = one.model},
                               {.text = attack_words(one.attack), .raw = one.attack},
                               cell_of(one.area)};
    for (const double share : kShown) {
      const auto found = std::ranges::find(one.places, share, &Measurement::radius);
      row.push_back(cell_of(found == one.places.end() ? nullptr : *found));
    }
    row.push_back(one.area == nullptr ? TableCell{.text = "–"}
                                      : TableCell{.text = count_words(static_cast<double>(one.area->n)),
                                                  .raw = fmt::format("{}", one.area->n)});
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::vector<Chart> distortion_charts(const RunRecords& records) {
  const std::vector<CurveRecords> all = gather(records);
  std::vector<std::string> attacks;
  std::vector<std::string> models;
  const auto note = [](std::vector<std::string>& names, const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) {
      names.push_back(name);
    }
  };
  for (const CurveRecords& one : all) {
    note(attacks, one.attack);
    note(models, one.model);
  }
  std::vector<Chart> charts;
  for (const std::string& attack : attacks) {
    std::vector<Curve> curves;
    for (const CurveRecords& one : all) {
      if (one.attack != attack) {
        continue;
      }
      const auto place = static_cast<std::size_t>(std::ranges::find(models, one.model) - models.begin());
      Curve curve{.label = model_words(one.model), .colour = series_colour(place)};
      for (const Measurement* m : one.places) {
        const metrics::Interval band = interval_of(*m, metric_words(m->metric));
        curve.samples.push_back({m->radius, m->value, band.low, band.high});
      }
      curves.push_back(std::move(curve));
    }
    charts.push_back(curve_chart("distortion-" + safe_name(attack), attack_words(attack), curves,
                                 {.x_title = "change, share of the way to the target image",
                                  .y_title = metric_words(kDistance).title,
                                  .logarithmic = false}));
  }
  return charts;
}

}  // namespace vaeguard::reports
