// The channel that the repair of an image has found, as its observation model.
#include "vaeguard/defences/channel_observation.h"

#include "vaeguard/defences/gaussian_observation.h"
#include "vaeguard/energy/posterior.h"

namespace vaeguard::defences {
namespace {

constexpr std::string_view kPlace = "defences.channel_observation";

}  // namespace

const OptionSchema<ChannelObservation>& ChannelObservation::schema() {
  static const auto all = OptionSchema<ChannelObservation>().part(&ChannelObservation::radius, radius_schema());
  return all;
}

void ChannelObservation::validate() const { schema().check(kPlace, *this); }

PosteriorProblem ChannelObservation::pose(const models::Vae& vae, const Matrix& images, const Posing& posing) const {
  validate();
  if (!law_is_telling(*pixel_law_of(vae, kPlace))) {
    return GaussianObservation{}.pose(vae, images, posing);
  }
  const Repaired repaired = repair(vae, images, {radius, directed}, kPassesBeforePosterior, posing.threads);
  PosteriorProblem problem{repeat_rows(repaired.images, posing.copies), nullptr, nullptr,
                           repeated(repaired.radii(radius), posing.copies),
                           repeated(repaired.touched(), posing.copies)};
  problem.observation = energy::channel_observation(repaired.model, repeat_rows(images, posing.copies),
                                                    repeated(repaired.channels, posing.copies));
  problem.energy = std::make_unique<energy::PosteriorEnergy>(vae, problem.observation);
  return problem;
}

ObservationModelEntry channel_observation_entry() {
  return {.name = "channel",
          .title = "Channel",
          .description = "what an attack, as a noisy channel, left of another image",
          .usual = ChannelObservation{}};
}

ObservationModelEntry directed_observation_entry() {
  return {.name = "directed",
          .title = "Directed channel",
          .description = "the same, which way each pixel moved being learned",
          .usual = ChannelObservation{.directed = true}};
}

}  // namespace vaeguard::defences
