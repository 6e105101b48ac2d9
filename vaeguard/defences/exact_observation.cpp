// The ordinary posterior of the image itself.
#include "vaeguard/defences/exact_observation.h"

#include "vaeguard/energy/maker.h"

namespace vaeguard::defences {

const OptionSchema<ExactObservation>& ExactObservation::schema() {
  static const OptionSchema<ExactObservation> none;
  return none;
}

PosteriorProblem ExactObservation::pose(const models::Vae& vae, const Matrix& images, const Posing& posing) const {
  PosteriorProblem problem{repeat_rows(images, posing.copies), nullptr, nullptr, {}, {}};
  problem.energy = energy::make_posterior_energy(vae, problem.images);
  return problem;
}

ObservationModelEntry exact_observation_entry() {
  return {.name = "exact", .title = "Exact", .description = "the image as it is", .usual = ExactObservation{}};
}

}  // namespace vaeguard::defences
