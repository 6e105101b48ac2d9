// Balls of a given radius, or of the radius that the attack channel finds.
#include "vaeguard/defences/minimum_observation.h"

#include "vaeguard/base/error.h"
#include "vaeguard/defences/channel_repair.h"
#include "vaeguard/defences/gaussian_observation.h"
#include "vaeguard/energy/posterior.h"

namespace vaeguard::defences {
namespace {

constexpr std::string_view kPlace = "defences.minimum_observation";

Choice<Norm> choice(Norm norm) {
  const NormEntry& entry = entry_of(norm);
  return {std::string(entry.name), norm, std::string(entry.description)};
}

}  // namespace

const OptionSchema<MinimumObservation>& MinimumObservation::schema() {
  static const auto all =
      OptionSchema<MinimumObservation>()
          .choice("norm", &MinimumObservation::norm, {choice(Norm::linf), choice(Norm::l2)}, "of the ball")
          .part(&MinimumObservation::radius, radius_schema());
  return all;
}

void MinimumObservation::validate() const {
  schema().check(kPlace, *this);
  if (norm == Norm::l2 && (radius.given == 0.0 || radius.of_attack)) {
    misuse(kPlace, "the norm l2 needs a radius: neither is one found in it, nor is 'attack' told in it");
  }
}

PosteriorProblem MinimumObservation::pose(const models::Vae& vae, const Matrix& images, const Posing& posing) const {
  validate();
  if (radius.given == 0.0 && !law_is_telling(*pixel_law_of(vae, kPlace))) {
    return GaussianObservation{}.pose(vae, images, posing);
  }
  check_shape(kPlace, "images", images, -1, vae.image().size());
  PosteriorProblem problem{repeat_rows(images, posing.copies), nullptr, nullptr, {}, {}};
  problem.radii.assign(static_cast<std::size_t>(problem.images.rows()), radius.given);
  const Matrix observed = problem.images;
  if (radius.given == 0.0) {
    const Repaired repaired = repair(vae, images, {.radius = radius}, kPassesBeforePosterior, posing.threads);
    problem.radii = repeated(repaired.radii(radius), posing.copies);
    problem.touched = repeated(repaired.touched(), posing.copies);
    problem.images = repeat_rows(repaired.images, posing.copies);
  }
  problem.observation = energy::minimum_observation(vae.likelihood(), observed, norm, problem.radii);
  problem.energy = std::make_unique<energy::PosteriorEnergy>(vae, problem.observation);
  return problem;
}

ObservationModelEntry minimum_observation_entry() {
  return {.name = "minimum",
          .title = "Minimum",
          .description = "the best image within a ball",
          .usual = MinimumObservation{}};
}

}  // namespace vaeguard::defences
