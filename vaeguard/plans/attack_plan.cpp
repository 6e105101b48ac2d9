// Attacks from TOML: their optimisers' options, suites and norms.
#include "vaeguard/plans/attack_plan.h"

#include <algorithm>
#include <variant>

#include "vaeguard/base/error.h"
#include "vaeguard/base/text.h"
#include "vaeguard/plans/defence_plan.h"

namespace vaeguard::plans {
namespace {

// What the loops along gradients share.
template <typename Options>
void read_loop(TableReader& reader, Options& o) {
  o.iterations = reader.integer("iterations", 1, o.iterations);
  o.first_step = reader.number("first_step", o.first_step);
  o.enough = reader.number("enough", o.enough);
}

void read_options(TableReader&, std::monostate&) {}

void read_options(TableReader& reader, attacks::PgdOptions& o) {
  read_loop(reader, o);
  using attacks::Schedule;
  o.schedule =
      choice<Schedule>(reader, "schedule", o.schedule,
                       {{"cosine", Schedule::cosine}, {"linear", Schedule::linear}, {"constant", Schedule::constant}});
  o.momentum = reader.number("momentum", o.momentum);
  validate(o);
}

void read_options(TableReader& reader, attacks::ApgdOptions& o) {
  read_loop(reader, o);
  o.momentum = reader.number("momentum", o.momentum);
  o.rho = reader.number("rho", o.rho);
  validate(o);
}

void read_options(TableReader& reader, attacks::AdamOptions& o) {
  read_loop(reader, o);
  o.mean_decay = reader.number("mean_decay", o.mean_decay);
  o.square_decay = reader.number("square_decay", o.square_decay);
  validate(o);
}

void read_options(TableReader& reader, attacks::LbfgsOptions& o) {
  o.penalties = reader.integer("penalties", 1, o.penalties);
  o.least = reader.number("least", o.least);
  o.greatest = reader.number("greatest", o.greatest);
  o.iterations = reader.integer("iterations", 1, o.iterations);
  o.start_deviation = reader.number("start_deviation", o.start_deviation);
  validate(o);
}

void read_options(TableReader& reader, attacks::PublishedOptions& o) {
  o.iterations = reader.integer("iterations", 1, o.iterations);
  o.step = reader.number("step", o.step);
  o.start_deviation = reader.number("start_deviation", o.start_deviation);
  o.patience = reader.integer("patience", 0, o.patience);
  o.factor = reader.number("factor", o.factor);
  o.threshold = reader.number("threshold", o.threshold);
  validate(o);
}

attacks::Norm read_norm(TableReader& reader, attacks::Norm fallback) {
  return reader.has("norm") ? attacks::norm_from_name(reader.text("norm")) : fallback;
}

// A suite brings goal, norm and optimisers with it.
void read_suite(TableReader& reader, const attacks::SuiteEntry& suite, AttackPlan& attack) {
  attack.goal = reader.text("goal", std::string(suite.judge));
  attack.norm = read_norm(reader, suite.norm);
  attack.enough = reader.number("enough", attack.enough);
  if (attack.goal != suite.judge || attack.norm != suite.norm) {
    misuse(reader.place(), "suite {} has the goal {} and the norm {}, got {} and {}", suite.name, suite.judge,
           attacks::name(suite.norm), attack.goal, attacks::name(attack.norm));
  }
}

void check_optimiser(const TableReader& reader, const std::string& name) {
  std::vector<std::string> known;
  for (const attacks::OptimiserEntry& entry : attacks::optimisers()) {
    known.emplace_back(entry.name);
  }
  for (const attacks::SuiteEntry& entry : attacks::suites()) {
    known.emplace_back(entry.name);
  }
  if (std::ranges::find(known, name) == known.end()) {
    unknown_name(reader.place(), "optimiser", name, known);
  }
}

void read_optimisers(TableReader& reader, AttackPlan& attack) {
  check_optimiser(reader, attack.optimiser);
  attack.goal = reader.text("goal", attack.goal);
  attack.norm = read_norm(reader, attack.norm);
  attack.best_of = reader.texts("best_of");
  attacks::find_goal(attack.goal);
  if (!attack.best_of.empty()) {
    if (reader.has("optimiser")) {
      misuse(reader.place(), "optimiser and best_of exclude each other");
    }
    attack.enough = reader.number("enough", attack.enough);
    for (const std::string& optimiser : attack.best_of) {
      attacks::check_norm(optimiser, attack.norm);
    }
    return;
  }
  attacks::check_norm(attack.optimiser, attack.norm);
  attack.options = attacks::find_optimiser(attack.optimiser).options(attack.goal);
  std::visit([&](auto& options) { read_options(reader, options); }, *attack.options);
}

std::string default_name(const AttackPlan& attack, const attacks::SuiteEntry* suite) {
  const bool by_optimiser = suite != nullptr || (attack.best_of.empty() && attack.optimiser == "noise");
  return by_optimiser ? attack.optimiser : attack.goal;
}

}  // namespace

AttackPlan read_pursuit(TableReader& reader, std::string_view optimiser) {
  AttackPlan attack;
  attack.optimiser = reader.text("optimiser", std::string(optimiser));
  const attacks::SuiteEntry* suite = attacks::find_suite(attack.optimiser);
  if (suite != nullptr) {
    read_suite(reader, *suite, attack);
  } else {
    read_optimisers(reader, attack);
  }
  attack.name = record_name(reader, "name", default_name(attack, suite));
  attack.restarts = reader.integer("restarts", 1, 1);
  attack.draws = reader.integer("draws", 0, 0);
  if (attack.draws > 0 && (suite != nullptr || !attacks::find_goal(attack.goal).reads_code)) {
    misuse(reader.place(), "draws need a goal that reads the code, such as classifier_ce, got {}",
           suite != nullptr ? attack.optimiser : attack.goal);
  }
  return attack;
}

AttackPlan read_attack(TableReader reader) {
  AttackPlan attack = read_pursuit(reader);
  attack.radii = reader.numbers("radii");
  attack.defences = reader.texts("defences");
  reader.finish();
  for (const double radius : attack.radii) {
    attacks::validate({.norm = attack.norm, .radius = radius});
  }
  return attack;
}

AttackPlan parse_attack(std::string_view lines, std::string_view place,
                        const std::map<std::string, std::string>& texts) {
  toml::table table = parse_toml(lines, place);
  for (const auto& [key, text] : texts) {
    table.insert(key, text);
  }
  return read_attack(TableReader(table, std::string(place)));
}

}  // namespace vaeguard::plans
