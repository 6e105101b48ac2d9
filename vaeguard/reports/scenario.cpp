// Groups the cells of a run by what was attacked and how far.
#include "vaeguard/reports/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "vaeguard/reports/html.h"
#include "vaeguard/reports/words.h"

namespace vaeguard::reports {
namespace {

bool same_scenario(const Scenario& a, const measures::Measurement& b) {
  return std::tie(a.dataset, a.model, a.attack, a.norm, a.radius, a.attacker) ==
         std::tie(b.dataset, b.model, b.attack, b.norm, b.radius, b.attacker);
}

/// Adds the cell of `measurement`, with its scenario if that is new.
void add(std::vector<Scenario>& scenarios, const measures::Measurement& measurement) {
  auto found =
      std::ranges::find_if(scenarios, [&](const Scenario& scenario) { return same_scenario(scenario, measurement); });
  if (found == scenarios.end()) {
    scenarios.push_back({measurement.dataset,
                         measurement.model,
                         measurement.attack,
                         measurement.norm,
                         measurement.radius,
                         measurement.attacker,
                         {}});
    found = scenarios.end() - 1;
  }
  found->cells.push_back({measurement.cell, measurement.defence});
}

std::vector<std::string> in_order_of_appearance(const std::vector<Scenario>& scenarios, std::string Scenario::*member) {
  std::vector<std::string> values;
  for (const Scenario& scenario : scenarios) {
    if (std::ranges::find(values, scenario.*member) == values.end()) {
      values.push_back(scenario.*member);
    }
  }
  return values;
}

}  // namespace

std::string Scenario::title() const {
  const std::string words = (one_of_several_models ? model_words(model) + ": " : "") + attack_words(attack);
  return clean() ? words : fmt::format("{}, {} radius {}", words, norm_words(norm), plain_number(radius));
}

std::string Scenario::name() const {
  return safe_name(fmt::format("{}{}-{}-{}", one_of_several_models ? model + "-" : "", attack, norm, radius));
}

std::vector<Scenario> scenarios(const RunRecords& records) {
  std::vector<Scenario> result;
  std::set<std::string> seen;
  for (const auto& measurement : records.measurements) {
    if (measurement.kind == measures::CellKind::scenario && seen.insert(measurement.cell).second) {
      add(result, measurement);
    }
  }
  const std::vector<std::string> attacks = in_order_of_appearance(result, &Scenario::attack);
  const std::vector<std::string> models = in_order_of_appearance(result, &Scenario::model);
  const auto rank = [&](const Scenario& scenario) {
    const auto appearance = std::ranges::find(attacks, scenario.attack) - attacks.begin();
    const auto model = std::ranges::find(models, scenario.model) - models.begin();
    return std::tuple(scenario.dataset, model, scenario.clean() ? -1 : appearance, scenario.norm, scenario.radius);
  };
  std::ranges::stable_sort(result, [&](const Scenario& a, const Scenario& b) { return rank(a) < rank(b); });
  for (Scenario& scenario : result) {
    scenario.one_of_several_models = models.size() > 1;
    std::ranges::stable_sort(
        scenario.cells, [](const Cell& a, const Cell& b) { return (a.defence == "none") > (b.defence == "none"); });
  }
  return result;
}

std::vector<std::string> defences(const std::vector<Scenario>& scenarios) {
  std::vector<std::string> names;
  for (const Scenario& scenario : scenarios) {
    for (const Cell& cell : scenario.cells) {
      if (std::ranges::find(names, cell.defence) == names.end()) {
        names.push_back(cell.defence);
      }
    }
  }
  return names;
}

}  // namespace vaeguard::reports
