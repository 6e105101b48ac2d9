// Gaussian noise of a given scale, or of one that follows from the attack's radius.
#include "vaeguard/defences/gaussian_observation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "vaeguard/defences/noise_repair.h"
#include "vaeguard/energy/posterior.h"

namespace vaeguard::defences {
namespace {

constexpr std::string_view kPlace = "defences.gaussian_observation";
using Source = NoiseScale::Source;

constexpr std::pair<Source, const char*> kWords[] = {{Source::attack, "attack"}, {Source::found, "found"}};

Value value_of(const NoiseScale& scale) {
  for (const auto& [source, word] : kWords) {
    if (scale.source == source) {
      return word;
    }
  }
  return scale.given;
}

void set_scale(NoiseScale& scale, const Value& value) {
  scale.source = Source::given;
  scale.given = value.number().value_or(scale.given);
  for (const auto& [source, word] : kWords) {
    if (value == Value(word)) {
      scale.source = source;
    }
  }
}

const OptionSchema<NoiseScale>& scale_schema() {
  static const auto schema = OptionSchema<NoiseScale>().add(
      {.key = "scale",
       .description = "standard deviation of a pixel's noise",
       .kind = OptionKind::number,
       .range = above(0.0),
       .words = {{"attack", "twice the attack's radius, which the defender is told, and 0.1 at least"},
                 {"found", "five times the noise found in the image, 0.3 to 0.7; 0.4 without a pixel law"}}},
      value_of, set_scale);
  return schema;
}

bool reads_law(const GaussianObservation& model, const models::Vae& vae) {
  return model.centre == NoiseCentre::law ||
         (model.centre == NoiseCentre::automatic && vae.pixel_law() != nullptr && law_is_telling(*vae.pixel_law()));
}

double found_scale(double noise) {
  return std::clamp(NoiseScale::kNoises * noise, NoiseScale::kLeastFound, NoiseScale::kMostFound);
}

// Rows of `others` take the place of those of `images` where their codes have the lower energy or the old one is NaN.
void keep_better_starts(const models::Vae& vae, const ScalarField& energy, const Matrix& others, int threads,
                        Matrix& images) {
  const auto before = values_of(energy, vae.encode(images, threads).mean, threads);
  const auto after = values_of(energy, vae.encode(others, threads).mean, threads);
  for (std::int64_t b = 0; b < images.rows(); ++b) {
    if (const auto i = static_cast<std::size_t>(b); after[i] < before[i] || std::isnan(before[i])) {
      std::ranges::copy(others.row(b), images.row(b).begin());
    }
  }
}

}  // namespace

NoiseScale NoiseScale::told(double attack_radius) const {
  return source == Source::attack ? NoiseScale{.given = std::max(kRadii * attack_radius, kSmallest)} : *this;
}

const OptionSchema<GaussianObservation>& GaussianObservation::schema() {
  static const auto all =
      OptionSchema<GaussianObservation>()
          .part(&GaussianObservation::scale, scale_schema())
          .choice("law", &GaussianObservation::centre,
                  {{"auto", NoiseCentre::automatic, "the counted one where it is certain of a tenth of all pixels"},
                   {"counted", NoiseCentre::law, "noise about grey levels, of the counted pixel law"},
                   {"none", NoiseCentre::mean, "noise about the mean image"}},
                  "what is under the noise")
          .integer("passes", &GaussianObservation::passes, at_least(0),
                   "of encoder and pixel law, which find a start and the noise")
          .unless([](const GaussianObservation& model) {
            return model.centre == NoiseCentre::mean ? "noise about the mean image has no passes" : "";
          });
  return all;
}

void GaussianObservation::validate() const { schema().check(kPlace, *this); }

PosteriorProblem GaussianObservation::pose(const models::Vae& vae, const Matrix& images, const Posing& posing) const {
  validate();
  check_shape(kPlace, "images", images, -1, vae.image().size());
  const Matrix observed = repeat_rows(images, posing.copies);
  PosteriorProblem problem{.images = observed};
  problem.noise.assign(static_cast<std::size_t>(observed.rows()), scale.given);
  if (!reads_law(*this, vae)) {
    problem.observation = energy::gaussian_observation(vae.likelihood(), observed, problem.noise);
    problem.energy = std::make_unique<energy::PosteriorEnergy>(vae, problem.observation);
    return problem;
  }
  const auto law = pixel_law_of(vae, kPlace);
  const bool finds_noise = scale.source == Source::found;
  NoiseRepaired repaired;
  if (passes > 0 || finds_noise) {
    repaired = repair_noise(vae, images, {.passes = passes, .finds_noise = finds_noise}, posing.threads);
  }
  if (finds_noise) {
    std::ranges::transform(repeated(repaired.noise, posing.copies), problem.noise.begin(), found_scale);
  }
  problem.observation = energy::law_observation(law, observed, problem.noise, posing.threads);
  problem.energy = std::make_unique<energy::PosteriorEnergy>(vae, problem.observation);
  if (passes > 0) {
    keep_better_starts(vae, *problem.energy, repeat_rows(repaired.images, posing.copies), posing.threads,
                       problem.images);
  }
  return problem;
}

ObservationModelEntry gaussian_observation_entry() {
  return {.name = "gaussian",
          .title = "Gaussian noise",
          .description = "what a code decodes to, under Gaussian noise",
          .usual = GaussianObservation{}};
}

}  // namespace vaeguard::defences
