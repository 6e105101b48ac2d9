// Builds the summary table from measurements, with intervals, and marks where intervals do not overlap.
#include "vaeguard/reports/summary_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string_view>

#include "vaeguard/reports/columns.h"
#include "vaeguard/reports/metric_cell.h"
#include "vaeguard/reports/scenario.h"
#include "vaeguard/reports/words.h"

namespace vaeguard::reports {
namespace {

using measures::Measurement;

/// Statistics of chains have their own section.
constexpr std::array kChainMetrics = {"acceptance",
                                      "step_size",
                                      "divergences",
                                      "energy_drop",
                                      "rhat",
                                      "bulk_ess",
                                      "tail_ess",
                                      "relative_mcse",
                                      "e_bfmi",
                                      "encoder_shift",
                                      "touched",
                                      "radius_found",
                                      "gradients_spent",
                                      "draws_kept",
                                      "probability_error",
                                      "reconstruction_error"};
/// Details of class probabilities, shown only in the table of votes, which has little else.
constexpr std::array kProbabilityMetrics = {"negative_log_score", "calibration_error"};
/// Shown in a table of their own: the effect of attacks before any defence.
constexpr std::array kAttackMetrics = {"skl", "input_ms_ssim_kuzina22"};

/// Measurements of one cell: (metric, protocol) -> measurement.
using Measured = std::map<std::pair<std::string, std::string>, const Measurement*>;

// Which of the summary's tables a measurement belongs to. Scores that detect attacks have one each.
std::string protocol_of(const Measurement& m) {
  return fmt::format("{}/{}", m.score.empty() ? m.estimate : m.score, m.restarts);
}

std::string aggregation(const std::string& protocol) { return protocol.substr(0, protocol.find('/')); }
std::string restarts(const std::string& protocol) {
  const std::size_t slash = protocol.find('/');
  return slash == std::string::npos ? "" : protocol.substr(slash + 1);
}

const Measurement* find(const Measured& measured, const std::string& metric, const std::string& protocol, bool clean,
                        bool undefended) {
  if (const auto exact = measured.find({metric, protocol}); exact != measured.end()) {
    return exact->second;
  }
  const Measurement* stand_in = nullptr;
  for (const auto& [key, measurement] : measured) {
    if (key.first != metric) {
      continue;
    }
    if ((clean && aggregation(key.second) == aggregation(protocol)) ||
        (undefended && restarts(key.second) == restarts(protocol))) {
      return measurement;
    }
    if (clean) {
      stand_in = measurement;
    }
  }
  return stand_in;
}

// Every defence has a draw and a mean, which share their columns; estimates that only some defences have do not.
std::string column_group(const std::string& protocol) {
  const std::string name = aggregation(protocol);
  return name == "draw" ? "mean" : name;
}

std::vector<std::string> summary_metrics(const RunRecords& records, const std::string& protocol) {
  std::set<std::string> present;
  for (const Measurement& measurement : records.measurements) {
    if (measurement.kind == measures::CellKind::scenario &&
        column_group(protocol_of(measurement)) == column_group(protocol)) {
      present.insert(measurement.metric);
    }
  }
  for (const char* metric : kChainMetrics) {
    present.erase(metric);
  }
  for (const char* metric : kAttackMetrics) {
    present.erase(metric);
  }
  for (const char* metric : kProbabilityMetrics) {
    if (column_group(protocol) != "vote") {
      present.erase(metric);
    }
  }
  return in_known_order(std::move(present));
}

/// A column that is shown only if the run has more than one value of it.
struct NamedColumn {
  std::string_view name;
  std::string Scenario::*member;
  bool always = false;
  std::string (*words)(std::string_view) = nullptr;
};

std::vector<NamedColumn> naming_columns(const std::vector<Scenario>& all) {
  const std::array<NamedColumn, 5> candidates = {{
      {"dataset", &Scenario::dataset},
      {"model", &Scenario::model, false, model_words},
      {"attack", &Scenario::attack, true, attack_words},
      {"attacker", &Scenario::attacker},
      {"norm", &Scenario::norm, false, norm_words},
  }};
  std::vector<NamedColumn> columns;
  for (const NamedColumn& column : candidates) {
    std::set<std::string> values;
    for (const Scenario& scenario : all) {
      if (!scenario.clean() || column.member == &Scenario::dataset || column.member == &Scenario::model) {
        values.insert(scenario.*column.member);
      }
    }
    if (column.always || values.size() > 1) {
      columns.push_back(column);
    }
  }
  return columns;
}

/// n and gradients of a cell, the same for all its metrics, or else the greatest.
std::pair<std::int64_t, double> cost(const Measured& measured) {
  std::int64_t n = 0;
  double gradients = 0.0;
  for (const auto& [key, measurement] : measured) {
    n = std::max(n, measurement->n);
    gradients = std::max(gradients, measurement->gradients);
  }
  return {n, gradients};
}

}  // namespace

std::vector<std::string> protocols(const RunRecords& records) {
  std::vector<std::string> found;
  for (const Measurement& measurement : records.measurements) {
    if (measurement.kind == measures::CellKind::scenario &&
        std::ranges::find(found, protocol_of(measurement)) == found.end()) {
      found.push_back(protocol_of(measurement));
    }
  }
  std::stable_partition(found.begin(), found.end(),
                        [](const std::string& protocol) { return protocol == "mean/mean"; });
  return found;
}

Table summary_table(const RunRecords& records, const std::string& protocol) {
  const std::vector<Scenario> all = scenarios(records);
  std::map<std::string, Measured> by_cell;
  for (const Measurement& measurement : records.measurements) {
    by_cell[measurement.cell][{measurement.metric, protocol_of(measurement)}] = &measurement;
  }
  const std::vector<NamedColumn> named = naming_columns(all);
  const std::vector<std::string> metric_names = summary_metrics(records, protocol);

  Table table;
  table.caption = fmt::format("Means and 95 % intervals over references; latents: {}; restarts: {}",
                              aggregation_words(aggregation(protocol)), restarts_words(restarts(protocol)));
  for (const NamedColumn& column : named) {
    table.columns.push_back(head_column(column.name));
  }
  table.columns.push_back(number_column("radius"));
  table.columns.back().heads_rows = true;
  table.columns.push_back(word_column("defence"));
  for (const std::string& metric : metric_names) {
    const Better better = metric_words(metric).better;
    table.columns.push_back(metric_column(metric));
    table.columns.back().title += better == Better::neither ? "" : better == Better::higher ? "\u00a0↑" : "\u00a0↓";
  }
  table.columns.push_back(number_column("gradients"));
  table.columns.push_back(number_column("n"));

  for (const Scenario& scenario : all) {
    const auto undefended =
        std::ranges::find_if(scenario.cells, [](const Cell& cell) { return cell.defence == "none"; });
    for (const Cell& cell : scenario.cells) {
      std::vector<TableCell> row;
      for (const NamedColumn& column : named) {
        const std::string& value = scenario.*column.member;
        row.push_back({.text = column.words != nullptr ? column.words(value) : value, .raw = value});
      }
      row.push_back({.text = plain_number(scenario.radius), .raw = fmt::format("{}", scenario.radius)});
      row.push_back({.text = defence_words(cell.defence), .raw = cell.defence});
      bool measured = false;
      for (const std::string& metric : metric_names) {
        const auto look_up = [&](const Cell& where) {
          return find(by_cell[where.name], metric, protocol, scenario.clean(), where.defence == "none");
        };
        const Measurement* baseline = undefended != scenario.cells.end() ? look_up(*undefended) : nullptr;
        const Measurement* own = look_up(cell);
        measured = measured || own != nullptr;
        row.push_back(metric_cell(metric_words(metric), own, baseline));
      }
      if (!measured && column_group(protocol) != "mean") {
        continue;  // a defence without votes has no row in their table
      }
      const auto [n, gradients] = cost(by_cell[cell.name]);
      row.push_back({.text = count_words(gradients), .raw = fmt::format("{}", gradients)});
      row.push_back({.text = count_words(static_cast<double>(n)), .raw = fmt::format("{}", n)});
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

std::optional<Table> attack_table(const RunRecords& records) {
  Table table;
  table.caption = "Strength of the attacks before any defence, means and 95 % intervals over references";
  table.columns = {head_column("attack"), number_column("radius")};
  for (const char* metric : kAttackMetrics) {
    table.columns.push_back(metric_column(metric));
  }
  for (const Scenario& scenario : scenarios(records)) {
    const std::string model = scenario.one_of_several_models ? model_words(scenario.model) + ": " : "";
    std::vector<TableCell> row = {{.text = model + attack_words(scenario.attack), .raw = scenario.attack},
                                  {.text = plain_number(scenario.radius), .raw = fmt::format("{}", scenario.radius)}};
    bool measured = false;
    for (const char* metric : kAttackMetrics) {
      const auto found = std::ranges::find_if(records.measurements, [&](const Measurement& m) {
        return m.metric == metric && m.restarts == "mean" &&
               std::ranges::any_of(scenario.cells, [&](const Cell& cell) { return cell.name == m.cell; });
      });
      const Measurement* measurement = found == records.measurements.end() ? nullptr : &*found;
      measured = measured || measurement != nullptr;
      row.push_back(metric_cell(metric_words(metric), measurement));
    }
    if (measured && !scenario.clean()) {
      table.rows.push_back(std::move(row));
    }
  }
  return table.rows.empty() ? std::nullopt : std::optional(table);
}

std::optional<Table> model_table(const RunRecords& records) {
  std::vector<std::string> models;
  std::set<std::string> present;
  std::map<std::pair<std::string, std::string>, const Measurement*> found;  // (model, metric)
  for (const Measurement& measurement : records.measurements) {
    if (measurement.kind == measures::CellKind::model || measurement.kind == measures::CellKind::inception) {
      if (std::ranges::find(models, measurement.model) == models.end()) {
        models.push_back(measurement.model);
      }
      present.insert(measurement.metric);
      found[{measurement.model, measurement.metric}] = &measurement;
    }
  }
  if (models.empty()) {
    return std::nullopt;
  }
  Table table;
  table.caption = "The models on the test set, with 95 % intervals over images";
  table.columns = {head_column("model")};
  const std::vector<std::string> metric_names = in_known_order(std::move(present));
  for (const std::string& metric : metric_names) {
    table.columns.push_back(metric_column(metric));
  }
  for (const std::string& model : models) {
    std::vector<TableCell> row{{.text = model_words(model), .raw = model}};
    for (const std::string& metric : metric_names) {
      const auto at = found.find({model, metric});
      row.push_back(metric_cell(metric_words(metric), at == found.end() ? nullptr : at->second));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace vaeguard::reports
