// Goals, suites and rules of success that read classes.
#include "vaeguard/runs/plan_needs.h"

#include <string>
#include <vector>

#include "vaeguard/attacks/registry.h"
#include "vaeguard/attacks/success.h"
#include "vaeguard/base/error.h"

namespace vaeguard::runs {
namespace {

std::vector<std::string_view> goals_of(const plans::AttackPlan& attack) {
  std::vector<std::string_view> goals{attack.goal};
  if (const attacks::SuiteEntry* suite = attacks::suites().lookup(attack.optimiser)) {
    for (const attacks::SuiteMember& member : suite->members) {
      goals.push_back(member.goal);
    }
  }
  return goals;
}

}  // namespace

void check_needs(const plans::Plan& plan, std::string_view model, bool has_classifier) {
  const auto check = [&](const plans::AttackPlan& attack) {
    for (const std::string_view name : goals_of(attack)) {
      const attacks::GoalEntry& goal = attacks::goals().find(name);
      if (goal.needs_classifier && !has_classifier) {
        misuse("runs.plan_needs",
               "the attack '{}' has the goal {}, which needs a latent classifier; the model '{}' has none", attack.name,
               name, model);
      }
    }
  };
  for (const plans::AttackPlan& attack : plan.attacks) {
    check(attack);
  }
  for (const plans::AttackPlan& attack : plan.distortions) {
    check(attack);
  }
  for (const plans::SmallestPlan& smallest : plan.smallest) {
    check(smallest.attack);
    if (!has_classifier && smallest.search.success &&
        smallest.search.success->rule == attacks::Success::Rule::other_class) {
      misuse(
          "runs.plan_needs",
          "smallest radii of '{}' count another class as success, which needs a latent classifier; the model '{}' has "
          "none, say success = \"reconstruction\" and a distance",
          smallest.attack.name, model);
    }
  }
}

}  // namespace vaeguard::runs
