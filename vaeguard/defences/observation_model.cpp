// The list of observation models, and their options as plans write them.
#include "vaeguard/defences/observation_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "vaeguard/base/parallel.h"
#include "vaeguard/defences/exact_observation.h"

namespace vaeguard::defences {

// Each stands beside its code; a declaration and its call below make an observation model known.
ObservationModelEntry exact_observation_entry();
ObservationModelEntry minimum_observation_entry();
ObservationModelEntry channel_observation_entry();
ObservationModelEntry directed_observation_entry();

const Registry<ObservationModelEntry>& observation_models() {
  static const Registry<ObservationModelEntry> all("defences.observation_model", "observation model",
                                                   {exact_observation_entry(), minimum_observation_entry(),
                                                    channel_observation_entry(), directed_observation_entry()});
  return all;
}

ObservationModel::ObservationModel() : ObservationModel(ExactObservation{}) {}

std::string no_such_option(std::string_view model, std::string_view key) {
  return fmt::format("the observation model {} has no {}", model, key);
}

namespace {

constexpr std::int64_t kImagesAtOnce = 32;

Option observation_option() {
  Option option{.key = "observation",
                .description = "what the image says about the one before the attack",
                .kind = OptionKind::word};
  for (const ObservationModelEntry& entry : observation_models()) {
    option.words.push_back({std::string(entry.name), std::string(entry.description)});
  }
  return option;
}

void add_option(OptionSchema<ObservationModel>& schema, const Option& option) {
  const std::string key = option.key;
  schema
      .add(
          option, [key](const ObservationModel& model) { return *model.values().find(key); },
          [key](ObservationModel& model, const Value& value) {
            Value changes;
            changes.set(key, value);
            model = model.with(changes);
          })
      .unless([key](const ObservationModel& model) { return model.why_unread(key); });
}

}  // namespace

const OptionSchema<ObservationModel>& observation_schema() {
  static const auto schema = [] {
    OptionSchema<ObservationModel> all;
    all.add(
        observation_option(), [](const ObservationModel& model) { return Value(model.name()); },
        [](ObservationModel& model, const Value& name) {
          model = observation_models().find(*name.as<std::string>()).usual;
        });
    std::vector<std::string> added;
    for (const ObservationModelEntry& entry : observation_models()) {
      for (const Option& option : entry.usual.options()) {
        if (std::ranges::find(added, option.key) == added.end()) {
          added.push_back(option.key);
          add_option(all, option);
        }
      }
    }
    return all;
  }();
  return schema;
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
