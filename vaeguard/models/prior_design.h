// What a plan calls a prior: its kind and options, before there are weights.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vaeguard/base/choice.h"
#include "vaeguard/base/random.h"
#include "vaeguard/base/registry.h"
#include "vaeguard/models/prior.h"

namespace vaeguard::models {

/// What a kind of prior offers: an aggregate of options with a name, a schema, and the untrained weights for a number
/// of latents, which are the standard normal.
template <typename D>
concept DesigningPrior = requires(const D& design, std::int64_t latents, Key key) {
  { design.name() } -> std::convertible_to<std::string_view>;
  { D::schema() } -> std::convertible_to<const OptionSchema<D>&>;
  { design.make(latents, key) } -> std::same_as<PriorWeights>;
};

/// Any kind of prior with its options, as a value.
class PriorDesign {
 public:
  /// The standard normal.
  PriorDesign();
  template <typename D>
  requires(!std::same_as<D, PriorDesign> && DesigningPrior<D>) PriorDesign(D design)  // NOLINT(google-explicit-*)
      : held_(std::make_shared<const Held<D>>(std::move(design))) {}

  /// Its entry's: "realnvp".
  [[nodiscard]] std::string_view name() const { return held_->name(); }
  [[nodiscard]] PriorWeights make(std::int64_t latents, Key key) const { return held_->make(latents, key); }

  /// All options that it has, with their values.
  [[nodiscard]] std::vector<Option> options() const { return held_->options(); }
  [[nodiscard]] Value values() const { return held_->values(); }
  /// Why it does not read the option, "the prior standard_normal has no couplings"; empty if it does.
  [[nodiscard]] std::string why_unread(std::string_view key) const { return held_->why_unread(key); }
  /// Itself with the options of the table `changes`, each of which it must read.
  [[nodiscard]] PriorDesign with(const Value& changes) const { return held_->with(changes); }

  /// Whether name and options are the same.
  friend bool operator==(const PriorDesign& one, const PriorDesign& other) {
    return one.name() == other.name() && one.values() == other.values();
  }

 private:
  struct Interface : ChoiceInterface {
    static constexpr std::string_view kNoun = "prior";
    [[nodiscard]] virtual PriorWeights make(std::int64_t latents, Key key) const = 0;
    [[nodiscard]] virtual PriorDesign with(const Value& changes) const = 0;
  };
  template <typename D>
  struct Held;

  std::shared_ptr<const Interface> held_;
};

template <typename D>
struct PriorDesign::Held : HeldChoice<D, Interface> {
  using HeldChoice<D, Interface>::HeldChoice;
  using HeldChoice<D, Interface>::model;
  [[nodiscard]] PriorWeights make(std::int64_t latents, Key key) const override { return model.make(latents, key); }
  [[nodiscard]] PriorDesign with(const Value& changes) const override {
    return D::schema().read(changes, "models.prior", model);
  }
};

struct PriorEntry {
  std::string_view name;
  std::string_view title;
  std::string_view description;
  PriorDesign usual;  // with its options as they are where nothing is said
};

/// All priors, in the order in which they are shown.
const Registry<PriorEntry>& priors();

/// The option `prior` and those of all priors; one that the chosen prior does not read is refused.
const OptionSchema<PriorDesign>& prior_schema();

/// The design that these weights, trained or not, were made by.
PriorDesign design_of(const PriorWeights& prior);

/// "standard_normal"; "realnvp, couplings 4, hidden 128, bound 2".
std::string describe(const PriorDesign& design);

}  // namespace vaeguard::models
