// The list of observation models, and their options as plans write them.
#include "vaeguard/defences/observation_model.h"

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/defences/exact_observation.h"

namespace vaeguard::defences {

// Each stands beside its code; a declaration and its call below make an observation model known.
ObservationModelEntry exact_observation_entry();
ObservationModelEntry minimum_observation_entry();
ObservationModelEntry channel_observation_entry();
ObservationModelEntry directed_observation_entry();
ObservationModelEntry gaussian_observation_entry();

const Registry<ObservationModelEntry>& observation_models() {
  static const Registry<ObservationModelEntry> all(
      "defences.observation_model", "observation model",
      {exact_observation_entry(), minimum_observation_entry(), channel_observation_entry(),
       directed_observation_entry(), gaussian_observation_entry()});
  return all;
}

ObservationModel::ObservationModel() : ObservationModel(ExactObservation{}) {}

namespace {

constexpr std::int64_t kImagesAtOnce = 32;
constexpr double kLeastCertainShare = 0.1;

}  // namespace

const OptionSchema<ObservationModel>& observation_schema() {
  static const auto schema = choice_schema<ObservationModel>(
      "observation", "what the image says about the one before the attack", observation_models());
  return schema;
}

bool law_is_telling(const models::PixelLaw& law) { return models::certain_share(law) >= kLeastCertainShare; }

std::shared_ptr<const models::PixelLaw> pixel_law_of(const models::Vae& vae, std::string_view place) {
  if (vae.pixel_law() == nullptr) {
    misuse(place, "the model must have a pixel law, it has none; `vaeguard train --vae-from CHECKPOINT` counts it");
  }
  return vae.pixel_law();
}

Matrix expected_images(const models::Vae& vae, const energy::Observation& observation, std::int64_t first,
                       const Matrix& latents, int threads) {
  const Matrix outputs = models::forward_all(vae.generative(), latents, threads);
  Matrix images(outputs.rows(), outputs.columns());
  parallel_chunks(images.rows(), row_chunk(images.rows(), kImagesAtOnce, threads), threads,
                  [&](std::int64_t begin, std::int64_t count) {
                    for (std::int64_t b = begin; b < begin + count; ++b) {
                      observation.true_image(first + b, outputs.row(b), images.row(b));
                    }
                  });
  return images;
}

}  // namespace vaeguard::defences
