// Builds the table of smallest radii from their measurements.
#include "vaeguard/reports/smallest_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "vaeguard/reports/columns.h"
#include "vaeguard/reports/metric_cell.h"
#include "vaeguard/reports/words.h"

namespace vaeguard::reports {
namespace {

using measures::Measurement;

/// Measurements of one cell: (metric, quantile) -> measurement.
using Measured = std::map<std::pair<std::string, std::string>, const Measurement*>;

std::string radius_words(double radius, double largest) {
  return std::isinf(radius) ? "over " + plain_number(largest)
                            : number_words(radius, metric_words("smallest_radius").digits);
}

TableCell radius_cell(const Measured& measured, const std::string& quantile) {
  const auto found = measured.find({"smallest_radius", quantile});
  if (found == measured.end()) {
    return {.text = "–"};
  }
  const Measurement& m = *found->second;
  return {.text = radius_words(m.value, m.radius), .raw = fmt::format("{}", m.value)};
}

TableCell median_cell(const Measured& measured) {
  TableCell cell = radius_cell(measured, "median");
  const auto low = measured.find({"smallest_radius", "median_low"});
  const auto high = measured.find({"smallest_radius", "median_high"});
  if (low != measured.end() && high != measured.end()) {
    cell.low = low->second->value;
    cell.high = high->second->value;
    cell.interval = fmt::format("[{}, {}]", radius_words(cell.low, low->second->radius),
                                radius_words(cell.high, high->second->radius));
  }
  return cell;
}

TableCell reached_cell(const Measured& measured) {
  const auto found = measured.find({"radius_reached", ""});
  if (found == measured.end()) {
    return {.text = "–"};
  }
  return metric_cell(metric_words("radius_reached"), found->second);
}

TableColumn radius_column(const std::string& title, const std::string& quantile, bool has_interval) {
  TableColumn column = metric_column("smallest_radius");
  column.title = title;
  column.key = quantile;
  column.has_interval = has_interval;
  return column;
}

std::string success_words(const Measured& measured) {
  const auto distance = measured.find({"success_distance", ""});
  const auto draws = measured.find({"success_draws", ""});
  const std::string rule = distance == measured.end() ? "another class"
                                                      : fmt::format("reconstruction moved by more than {}",
                                                                    plain_number(distance->second->value));
  return draws == measured.end()
             ? rule
             : fmt::format("{}, for most of {} drawn codes", rule, plain_number(draws->second->value));
}

}  // namespace

std::optional<Table> smallest_table(const RunRecords& records) {
  std::vector<std::string> cells;
  std::map<std::string, Measured> by_cell;
  for (const Measurement& m : records.measurements) {
    if (m.kind == measures::CellKind::smallest) {
      if (by_cell[m.cell].empty()) {
        cells.push_back(m.cell);
      }
      by_cell[m.cell][{m.metric, m.quantile}] = &m;
    }
  }
  if (cells.empty()) {
    return std::nullopt;
  }
  Table table;
  table.caption =
      "Smallest radius at which an attack on the undefended model succeeds: the smallest over restarts for each "
      "reference, medians with 95 % intervals and quartiles over references";
  TableColumn reached = metric_column("radius_reached");
  reached.key = "reached";
  table.columns = {head_column("model"),
                   head_column("attack"),
                   {.title = "Success", .key = "success", .number = false},
                   word_column("norm"),
                   radius_column("Lower quartile", "lower_quartile", false),
                   radius_column("Median", "median", true),
                   radius_column("Upper quartile", "upper_quartile", false),
                   {.title = "Largest tried", .key = "largest"},
                   reached,
                   number_column("n")};
  for (const std::string& cell : cells) {
    const Measured& measured = by_cell[cell];
    const Measurement& any = *measured.begin()->second;
    table.rows.push_back({{.text = model_words(any.model), .raw = any.model},
                          {.text = attack_words(any.attack), .raw = any.attack},
                          {.text = success_words(measured)},
                          {.text = norm_words(any.norm), .raw = any.norm},
                          radius_cell(measured, "lower_quartile"),
                          median_cell(measured),
                          radius_cell(measured, "upper_quartile"),
                          {.text = plain_number(any.radius), .raw = fmt::format("{}", any.radius)},
                          reached_cell(measured),
                          {.text = count_words(static_cast<double>(any.n)), .raw = fmt::format("{}", any.n)}});
  }
  return table;
}

}  // namespace vaeguard::reports
