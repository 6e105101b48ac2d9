// Reading of [[smallest]].
#include "vaeguard/plans/smallest_plan.h"

#include "vaeguard/base/error.h"

namespace vaeguard::plans {

SmallestPlan read_smallest(TableReader reader) {
  using Rule = attacks::Success::Rule;
  SmallestPlan plan{.attack = read_pursuit(reader), .search = {}};
  SmallestSearch& search = plan.search;
  search.largest = reader.number("largest");
  search.steps = reader.integer("steps", 0, search.steps);
  attacks::Success success;
  success.rule = choice<Rule>(reader, "success", success.rule,
                              {{"class", Rule::other_class}, {"reconstruction", Rule::reconstruction}});
  if (success.rule == Rule::reconstruction) {
    success.distance = reader.number("distance");
  }
  reader.finish();
  validate(success);
  search.success = success;
  attacks::validate({.norm = plan.attack.norm, .radius = search.largest});
  if (attacks::find_suite(plan.attack.optimiser) != nullptr) {
    misuse(reader.place(), "smallest radii are searched by one optimiser or best_of, got the suite {}",
           plan.attack.optimiser);
  }
  return plan;
}

}  // namespace vaeguard::plans
