// Attacks from plans: their optimisers, suites and norms.
#include "vaeguard/plans/attack_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "vaeguard/attacks/attacker.h"
#include "vaeguard/attacks/registry.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/text.h"
#include "vaeguard/plans/record_name.h"

namespace vaeguard::plans {
namespace {

Norm read_norm(OptionReader& reader, Norm fallback) {
  return reader.has("norm") ? norm_from_name(reader.text("norm")) : fallback;
}

// A suite fixes goal, norm and optimisers.
void read_suite(OptionReader& reader, const attacks::SuiteEntry& suite, AttackPlan& attack) {
  attack.goal = reader.text("goal", std::string(suite.judge));
  attack.norm = read_norm(reader, suite.norm);
  attack.enough = reader.number("enough", any_number(), attack.enough);
  if (attack.goal != suite.judge || attack.norm != suite.norm) {
    misuse(reader.place(), "suite {} has the goal {} and the norm {}, got {} and {}", suite.name, suite.judge,
           vaeguard::name(suite.norm), attack.goal, vaeguard::name(attack.norm));
  }
}

// The key `optimiser` also takes suites, so a mistyped name may mean either.
void check_optimiser(const OptionReader& reader, const std::string& name) {
  std::vector<std::string> known = attacks::optimisers().names();
  for (const std::string& suite : attacks::suites().names()) {
    known.push_back(suite);
  }
  if (std::ranges::find(known, name) == known.end()) {
    unknown_name(reader.place(), "optimiser", name, known);
  }
}

void read_optimisers(OptionReader& reader, AttackPlan& attack) {
  check_optimiser(reader, attack.optimiser);
  attack.goal = reader.text("goal", attack.goal);
  attack.norm = read_norm(reader, attack.norm);
  attack.best_of = reader.texts("best_of");
  static_cast<void>(attacks::goals().find(attack.goal, reader.place()));
  if (!attack.best_of.empty()) {
    if (reader.has("optimiser")) {
      misuse(reader.place(), "optimiser and best_of exclude each other");
    }
    attack.enough = reader.number("enough", any_number(), attack.enough);
    for (const std::string& optimiser : attack.best_of) {
      attacks::check_norm(optimiser, attack.norm);
    }
    return;
  }
  attacks::check_norm(attack.optimiser, attack.norm);
  attack.options = attacks::optimisers().find(attack.optimiser).prepare(reader, attack.goal).options;
}

// A name says which pixels move and how far, also one that the plan chooses.
std::string with_ending(std::string name, const attacks::PixelBudget& pixels, const std::string& place) {
  for (const attacks::PixelBudgetEntry& entry : attacks::pixel_budgets()) {
    if (name.ends_with(fmt::format("_{}", entry.name)) && !entry.applies(pixels)) {
      misuse(place, "the name '{}' ends like that of an attack with other pixels ({}); give it another one", name,
             entry.title);
    }
  }
  const std::string ending = attacks::name_ending(pixels);
  return name.ends_with(ending) ? name : name + ending;
}

std::string default_name(const AttackPlan& attack, const attacks::SuiteEntry* suite) {
  const bool by_optimiser = suite != nullptr || (attack.best_of.empty() && attack.optimiser == "noise");
  return by_optimiser ? attack.optimiser : attack.goal;
}

}  // namespace

AttackPlan read_pursuit(OptionReader& reader, std::string_view optimiser) {
  AttackPlan attack;
  attack.optimiser = reader.text("optimiser", std::string(optimiser));
  const attacks::SuiteEntry* suite = attacks::suites().lookup(attack.optimiser);
  if (suite != nullptr) {
    read_suite(reader, *suite, attack);
  } else {
    read_optimisers(reader, attack);
  }
  attacks::pixel_budget_schema().read(reader, attack.pixels);
  attacks::validate(attack.pixels, attack.norm, reader.place());
  attack.name = with_ending(record_name(reader, "name", default_name(attack, suite)), attack.pixels, reader.place());
  attack.restarts = reader.integer("restarts", at_least(1), 1);
  attack.draws = reader.integer("draws", at_least(0), 0);
  if (attack.draws > 0 && (suite != nullptr || !attacks::goals().find(attack.goal).reads_code)) {
    misuse(reader.place(), "draws need a goal that reads the code, such as classifier_ce, got {}",
           suite != nullptr ? attack.optimiser : attack.goal);
  }
  return attack;
}

AttackPlan read_attack(OptionReader reader) {
  AttackPlan attack = read_pursuit(reader);
  attack.radii = reader.numbers("radii");
  attack.attacker = attacks::attackers().find(reader.text("attacker", attack.attacker), reader.place()).name;
  attack.defences = reader.texts("defences");
  reader.finish();
  for (const double radius : attack.radii) {
    attacks::validate(attack.threat(radius));
  }
  return attack;
}

}  // namespace vaeguard::plans
