// What a defence takes an image for: an observation model with its options, and the posterior that it makes of images.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vaeguard/base/choice.h"
#include "vaeguard/base/registry.h"
#include "vaeguard/base/scalar_field.h"
#include "vaeguard/energy/observation.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::defences {

/// The posterior energies of images over latent codes, one function for each of B rows.
struct PosteriorProblem {
  Matrix images;  // [B, C*H*W] to encode for a start: as they came, or as they probably were before the attack
  std::shared_ptr<const energy::Observation> observation = {};  // null where images are taken as they are
  std::unique_ptr<ScalarField> energy = {};
  std::vector<double> radii = {};    // [B] of balls or channels; empty where there are none
  std::vector<double> touched = {};  // [B] share of the pixels that were; empty where no channel was fitted
  std::vector<double> noise = {};    // [B] standard deviation of each pixel's; empty where none is expected
};

/// How many threads may work on a problem, and how many chains each image is to have.
struct Posing {
  int threads = 1;
  std::int64_t copies = 1;  // rows of each image, one after another
};

/// Every value `copies` times in a row.
template <typename T>
std::vector<T> repeated(const std::vector<T>& values, std::int64_t copies) {
  std::vector<T> result;
  for (const T& value : values) {
    result.insert(result.end(), static_cast<std::size_t>(copies), value);
  }
  return result;
}

/// What an observation model offers: an aggregate of options with a name, a schema, and the problem that it poses.
/// validate() throws Misuse naming the option; pose() throws it for images that do not fit or are not finite.
template <typename M>
concept Observing = requires(const M& model, const models::Vae& vae, const Matrix& images, const Posing& posing) {
  { model.name() } -> std::convertible_to<std::string_view>;
  { M::schema() } -> std::convertible_to<const OptionSchema<M>&>;
  model.validate();
  { model.pose(vae, images, posing) } -> std::same_as<PosteriorProblem>;
};

/// Any observation model as a value; copies share what they hold, which never changes. A model that may wait for the
/// radius of the attack has knows_radius() and told(), as here.
class ObservationModel {
 public:
  /// The image as it is.
  ObservationModel();
  template <typename M>
  requires(!std::same_as<M, ObservationModel> && Observing<M>) ObservationModel(M model)  // NOLINT(google-explicit-*)
      : held_(std::make_shared<const Held<M>>(std::move(model))) {}

  /// Its entry's: "channel".
  [[nodiscard]] std::string_view name() const { return held_->name(); }
  void validate() const { held_->validate(); }
  /// B rows for B / copies images [B / copies, C*H*W], each image's `copies` in a row.
  [[nodiscard]] PosteriorProblem pose(const models::Vae& vae, const Matrix& images, const Posing& posing = {}) const {
    return held_->pose(vae, images, posing);
  }

  /// Whether it waits to be told the radius of the attack.
  [[nodiscard]] bool knows_radius() const { return held_->knows_radius(); }
  /// Itself with that radius where it waits for one; 0 where there was no attack.
  [[nodiscard]] ObservationModel told(double attack_radius) const { return held_->told(attack_radius); }

  /// All options that it may have, whether or not they are read beside the others that it has.
  [[nodiscard]] std::vector<Option> options() const { return held_->options(); }
  /// Those that are read, with their values.
  [[nodiscard]] Value values() const { return held_->values(); }
  /// Why it does not read the option, "the observation model exact has no radius"; empty if it does.
  [[nodiscard]] std::string why_unread(std::string_view key) const { return held_->why_unread(key); }
  /// Itself with the options of the table `changes`, each of which it must read.
  [[nodiscard]] ObservationModel with(const Value& changes) const { return held_->with(changes); }

 private:
  struct Interface : ChoiceInterface {
    static constexpr std::string_view kNoun = "observation model";
    virtual void validate() const = 0;
    [[nodiscard]] virtual PosteriorProblem pose(const models::Vae& vae, const Matrix& images,
                                                const Posing& posing) const = 0;
    [[nodiscard]] virtual bool knows_radius() const = 0;
    [[nodiscard]] virtual ObservationModel told(double attack_radius) const = 0;
    [[nodiscard]] virtual ObservationModel with(const Value& changes) const = 0;
  };
  template <typename M>
  struct Held;

  std::shared_ptr<const Interface> held_;
};

template <typename M>
struct ObservationModel::Held : HeldChoice<M, Interface> {
  using HeldChoice<M, Interface>::HeldChoice;
  using HeldChoice<M, Interface>::model;
  void validate() const override { model.validate(); }
  [[nodiscard]] PosteriorProblem pose(const models::Vae& vae, const Matrix& images,
                                      const Posing& posing) const override {
    return model.pose(vae, images, posing);
  }
  [[nodiscard]] bool knows_radius() const override {
    if constexpr (requires { model.knows_radius(); }) {
      return model.knows_radius();
    }
    return false;
  }
  [[nodiscard]] ObservationModel told(double attack_radius) const override {
    if constexpr (requires { model.told(attack_radius); }) {
      return model.told(attack_radius);
    }
    return model;
  }
  [[nodiscard]] ObservationModel with(const Value& changes) const override {
    return M::schema().read(changes, "defences.observation_model", model);
  }
};

struct ObservationModelEntry {
  std::string_view name;
  std::string_view title;
  std::string_view description;
  ObservationModel usual;  // with its options as they are where nothing is said
};

/// All observation models, in the order in which they are shown.
const Registry<ObservationModelEntry>& observation_models();

/// The option `observation` and those of all observation models; one that the chosen model does not read is refused.
const OptionSchema<ObservationModel>& observation_schema();

/// Whether the law is certain of a tenth of the training pixels at least (models::certain_share): that of digits and of
/// clothes is, that of photographs is not. Otherwise it adds nothing to the mean image, and what looks for the trace of
/// an attack among saturated pixels has nothing to hold on to: such models read the image under Gaussian noise instead.
bool law_is_telling(const models::PixelLaw& law);

/// The pixel law of a model that must have one. Throws Misuse that names `place` and says how to get one.
std::shared_ptr<const models::PixelLaw> pixel_law_of(const models::Vae& vae, std::string_view place);

/// The images expected of latent codes [B, D] under `observation`; rows first .. of its images.
Matrix expected_images(const models::Vae& vae, const energy::Observation& observation, std::int64_t first,
                       const Matrix& latents, int threads = 1);

}  // namespace vaeguard::defences
