// Reading of [[distortion]].
#include "vaeguard/plans/distortion_plan.h"

#include "vaeguard/base/error.h"

namespace vaeguard::plans {

AttackPlan read_distortion(OptionReader reader) {
  AttackPlan attack = read_pursuit(reader, "lbfgs");
  if (reader.has("norm") || attack.optimiser != "lbfgs" || !attack.best_of.empty()) {
    misuse(reader.place(), "a distortion curve is that of lbfgs in the Euclidean norm; leave norm and optimiser out");
  }
  check_all_pixels_move(attack, reader.place());
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

void check_all_pixels_move(const AttackPlan& attack, std::string_view place) {
  if (!attack.pixels.plain()) {
    misuse(place, "in a distortion curve all pixels move; leave mask, pixel_radii and decoy out");
  }
}

}  // namespace vaeguard::plans
