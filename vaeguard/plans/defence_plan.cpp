// Defences from plans.
#include "vaeguard/plans/defence_plan.h"

#include <algorithm>
#include <utility>

#include "vaeguard/defences/registry.h"
#include "vaeguard/plans/record_name.h"

namespace vaeguard::plans {
namespace {

// The rough cost of an encoding in decoder gradients: the least that a defence costs.
constexpr double kLeastCost = 10.0;

defences::Prepared prepared(const DefencePlan& plan) {
  OptionReader reader(plan.options, plan.name);
  defences::Prepared result = defences::prepare(defences::defences().find(plan.preset), reader);
  reader.finish();
  return result;
}

DefencePlan with_options(DefencePlan plan, defences::Prepared prepared) {
  plan.knows_radius = prepared.knows_radius;
  plan.options = std::move(prepared.options);
  return plan;
}

}  // namespace

DefencePlan defence_preset(std::string_view name) {
  DefencePlan plan{.name = std::string(name), .preset = std::string(name), .options = {}};
  return with_options(plan, prepared(plan));
}

DefencePlan read_defence(OptionReader reader) {
  const std::string preset = reader.text("preset");
  const defences::DefenceEntry& entry = defences::defences().find(preset, reader.place());
  DefencePlan plan{.name = record_name(reader, "name", preset), .preset = preset, .options = {}};
  plan.restarts = reader.integer("restarts", at_least(0), 0);
  plan = with_options(std::move(plan), defences::prepare(entry, reader));
  reader.finish();
  return plan;
}

std::unique_ptr<defences::Defence> make_defence(const DefencePlan& plan, double attack_radius) {
  return prepared(plan).make(plan.name, attack_radius);
}

double expected_cost(const DefencePlan& plan) { return std::max(kLeastCost, prepared(plan).gradients); }

}  // namespace vaeguard::plans
