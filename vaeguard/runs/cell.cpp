// Lists the cells of a plan.
#include "vaeguard/runs/cell.h"

#include <fmt/format.h>

#include <algorithm>

#include "vaeguard/attacks/threat.h"
#include "vaeguard/data/checksum.h"
#include "vaeguard/plans/canonical_table.h"

namespace vaeguard::runs {
namespace {

using measures::CellKind;

/// The plan's tables by kind. A table that the plan leaves out has the defaults, and its text is empty.
class PlanTables {
 public:
  explicit PlanTables(const plans::Plan& plan)
      : model_(plans::canonical_tables(plan.text, "model")),
        attack_(plans::canonical_tables(plan.text, "attack")),
        defence_(plans::canonical_tables(plan.text, "defence")),
        smallest_(plans::canonical_tables(plan.text, "smallest")),
        distortion_(plans::canonical_tables(plan.text, "distortion")),
        evaluation_(plans::canonical_tables(plan.text, "evaluation")) {}

  [[nodiscard]] std::string model(std::size_t i) const { return at(model_, i); }
  [[nodiscard]] std::string attack(std::size_t i) const { return at(attack_, i); }
  [[nodiscard]] std::string defence(std::size_t i) const { return at(defence_, i); }
  [[nodiscard]] std::string smallest(std::size_t i) const { return at(smallest_, i); }
  [[nodiscard]] std::string distortion(std::size_t i) const { return at(distortion_, i); }
  [[nodiscard]] std::string evaluation() const { return at(evaluation_, 0); }

 private:
  static std::string at(const std::vector<std::string>& tables, std::size_t i) {
    return i < tables.size() ? tables[i] : "";
  }
  std::vector<std::string> model_, attack_, defence_, smallest_, distortion_, evaluation_;
};

class Lister {
 public:
  explicit Lister(const plans::Plan& plan) : plan_(plan), tables_(plan) {}

  std::vector<Cell> all() {
    for (std::size_t i = 0; i < plan_.models.size(); ++i) {
      prototype_ = {};
      prototype_.model = plan_.models[i].name;
      prototype_.plan = {tables_.model(i)};
      prefix_ = plan_.models.size() > 1 ? prototype_.model + "-" : "";
      list_model();
    }
    return std::move(cells_);
  }

 private:
  void list_model() {
    add_apart(CellKind::model, "", tables_.evaluation());
    if (plan_.evaluation.frechet_images > 1) {
      add_apart(CellKind::inception, "", tables_.evaluation());
    }
    add_scenario({}, nullptr, "");
    for (std::size_t i = 0; i < plan_.attacks.size(); ++i) {
      const plans::AttackPlan& attack = plan_.attacks[i];
      for (const double radius : attack.radii) {
        add_scenario({.attack = attack.name,
                      .norm = std::string(vaeguard::name(attack.norm)),
                      .radius = radius,
                      .attacker = attack.attacker,
                      .restarts = attack.restarts},
                     &attack, tables_.attack(i));
      }
    }
    for (std::size_t i = 0; i < plan_.smallest.size(); ++i) {
      add_apart(CellKind::smallest, plan_.smallest[i].attack.name, tables_.smallest(i));
    }
    for (std::size_t i = 0; i < plan_.distortions.size(); ++i) {
      add_apart(CellKind::distortion, plan_.distortions[i].name, tables_.distortion(i));
    }
  }

  // Adds a cell without a defence that is not a scenario.
  void add_apart(CellKind kind, const std::string& attack, std::string table) {
    Cell cell = prototype_;
    cell.kind = kind;
    cell.name = fmt::format("{}{}{}", prefix_, attack.empty() ? "" : attack + "-", measures::name(kind));
    cell.scenario.attack = attack.empty() ? cell.scenario.attack : attack;
    cell.plan.push_back(std::move(table));
    cells_.push_back(std::move(cell));
  }

  void add_scenario(const Scenario& scenario, const plans::AttackPlan* attack, const std::string& table) {
    const auto name_of = [&](const Scenario& of) {
      return fmt::format("{}{}-{}-{}", prefix_, of.attack, of.norm, of.radius);
    };
    for (std::size_t i = 0; i < plan_.defences.size(); ++i) {
      const plans::DefencePlan& defence = plan_.defences[i];
      if (attack != nullptr && !attack->defences.empty() &&
          std::ranges::find(attack->defences, defence.name) == attack->defences.end()) {
        continue;
      }
      Cell cell = prototype_;
      cell.scenario = scenario;
      cell.defence = defence.name;
      cell.name = fmt::format("{}-{}", name_of(scenario), defence.name);
      cell.restarts = defence.restarts > 0 ? std::min(defence.restarts, scenario.restarts) : scenario.restarts;
      if (!scenario.clean()) {
        cell.attacked_images = name_of(scenario);
        cell.clean_cell = fmt::format("{}-{}", name_of({}), defence.name);
      }
      cell.plan.push_back(table);
      cell.plan.push_back(tables_.defence(i));
      cells_.push_back(std::move(cell));
    }
  }

  const plans::Plan& plan_;
  PlanTables tables_;
  Cell prototype_;
  std::string prefix_;
  std::vector<Cell> cells_;
};

}  // namespace

std::vector<Cell> cells(const plans::Plan& plan) { return Lister(plan).all(); }

std::string canonical_text(const Cell& cell, const Identity& identity) {
  const Scenario& scenario = cell.scenario;
  std::string text = fmt::format(
      "kind {}\nmodel {}\nweights {}\ndata {}\nbackend {}\nprecision {}\nseed {}\nreferences {}\nattack {}\nnorm {}\n"
      "radius {}\nattacker {}\nattack restarts {}\ndefence {}\nrestarts {}\n",
      measures::name(cell.kind), cell.model, identity.weights, identity.data, identity.backend, identity.precision,
      identity.seed, identity.references, scenario.attack, scenario.norm, scenario.radius, scenario.attacker,
      scenario.restarts, cell.defence, cell.restarts);
  for (const std::string& table : cell.plan) {
    text += fmt::format("table\n{}\n", table);
  }
  return text;
}

std::string digest(const Cell& cell, const Identity& identity) { return data::sha256(canonical_text(cell, identity)); }

}  // namespace vaeguard::runs
