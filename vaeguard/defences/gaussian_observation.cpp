// Gaussian noise of a given scale, or of one that follows from the attack's radius.
#include "vaeguard/defences/gaussian_observation.h"

#include <algorithm>

#include "vaeguard/energy/posterior.h"

namespace vaeguard::defences {
namespace {

constexpr std::string_view kPlace = "defences.gaussian_observation";
constexpr const char* kAttack = "attack";

const OptionSchema<NoiseScale>& scale_schema() {
  static const auto schema = OptionSchema<NoiseScale>().add(
      {.key = "scale",
       .description = "standard deviation of a pixel's noise",
       .kind = OptionKind::number,
       .range = above(0.0),
       .words = {{kAttack, "twice the attack's radius, which the defender is told, and 0.1 at least"}}},
      [](const NoiseScale& scale) { return scale.of_attack ? Value(kAttack) : Value(scale.given); },
      [](NoiseScale& scale, const Value& value) {
        scale.of_attack = !value.number().has_value();
        scale.given = value.number().value_or(scale.given);
      });
  return schema;
}

}  // namespace

NoiseScale NoiseScale::told(double attack_radius) const {
  return of_attack ? NoiseScale{.given = std::max(kRadii * attack_radius, kSmallest)} : *this;
}

const OptionSchema<GaussianObservation>& GaussianObservation::schema() {
  static const auto all =
      OptionSchema<GaussianObservation>()
          .part(&GaussianObservation::scale, scale_schema())
          .choice("law", &GaussianObservation::centre,
                  {{"auto", NoiseCentre::automatic, "the counted one where the model has one"},
                   {"counted", NoiseCentre::law, "noise about grey levels, of the counted pixel law"},
                   {"none", NoiseCentre::mean, "noise about the mean image"}},
                  "what is under the noise");
  return all;
}

void GaussianObservation::validate() const { schema().check(kPlace, *this); }

PosteriorProblem GaussianObservation::pose(const models::Vae& vae, const Matrix& images, const Posing& posing) const {
  validate();
  check_shape(kPlace, "images", images, -1, vae.image().size());
  PosteriorProblem problem{repeat_rows(images, posing.copies), nullptr, nullptr, {}, {}};
  const std::vector<double> scales(static_cast<std::size_t>(problem.images.rows()), scale.given);
  const bool counted = centre == NoiseCentre::law || (centre == NoiseCentre::automatic && vae.pixel_law() != nullptr);
  problem.observation = counted
                            ? energy::law_observation(pixel_law_of(vae, kPlace), problem.images, scales, posing.threads)
                            : energy::gaussian_observation(vae.likelihood(), problem.images, scales);
  problem.energy = std::make_unique<energy::PosteriorEnergy>(vae, problem.observation);
  return problem;
}

ObservationModelEntry gaussian_observation_entry() {
  return {.name = "gaussian",
          .title = "Gaussian noise",
          .description = "what a code decodes to, under Gaussian noise",
          .usual = GaussianObservation{}};
}

}  // namespace vaeguard::defences
