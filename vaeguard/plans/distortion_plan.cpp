// Reading of [[distortion]].
#include "vaeguard/plans/distortion_plan.h"

#include "vaeguard/base/error.h"

namespace vaeguard::plans {

AttackPlan read_distortion(OptionReader reader) {
  AttackPlan attack = read_pursuit(reader, "lbfgs");
  if (reader.has("norm") || attack.optimiser != "lbfgs" || !attack.best_of.empty()) {
    misuse(reader.place(), "a distortion curve is that of lbfgs in the Euclidean norm; leave norm and optimiser out");
  }
  reader.finish();
  check_distance_goal(attack.goal, reader.place());
  attack.norm = Norm::l2;
  return attack;
}

void check_distance_goal(std::string_view goal, std::string_view place) {
  if (!goal.starts_with("latent_") && goal != "output_target_l2") {
    misuse(place, "a distortion curve needs a goal latent_* or output_target_l2, got {}", goal);
  }
}

}  // namespace vaeguard::plans
