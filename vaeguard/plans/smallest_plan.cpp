// Reading of [[smallest]].
#include "vaeguard/plans/smallest_plan.h"

#include "vaeguard/attacks/registry.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/option_schema.h"

namespace vaeguard::plans {
namespace {

using Rule = attacks::Success::Rule;

const OptionSchema<attacks::Success>& success_schema() {
  static const auto schema = OptionSchema<attacks::Success>().choice(
      "success", &attacks::Success::rule,
      {{"class", Rule::other_class, "the class is another one"},
       {"reconstruction", Rule::reconstruction, "the reconstruction has moved by more than `distance`"}},
      "what an attack must achieve");
  return schema;
}

}  // namespace

SmallestPlan read_smallest(OptionReader reader) {
  SmallestPlan plan{.attack = read_pursuit(reader), .search = {}};
  SmallestSearch& search = plan.search;
  search.largest = reader.number("largest", at_least(0.0));
  search.steps = reader.integer("steps", at_least(0), search.steps);
  attacks::Success success;
  success_schema().read(reader, success);
  if (success.rule == Rule::reconstruction) {
    success.distance = reader.number("distance", at_least(0.0));
  }
  reader.finish();
  validate(success);
  search.success = success;
  attacks::validate(plan.attack.threat(search.largest));
  if (attacks::suites().lookup(plan.attack.optimiser) != nullptr) {
    misuse(reader.place(), "smallest radii are searched by one optimiser or best_of, got the suite {}",
           plan.attack.optimiser);
  }
  return plan;
}

}  // namespace vaeguard::plans
