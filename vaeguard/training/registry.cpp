// The table of objectives.
#include "vaeguard/training/registry.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "vaeguard/base/error.h"
#include "vaeguard/models/prior.h"

namespace vaeguard::training {
namespace {

constexpr std::string_view kStationary =
    "its step from a code to the next, N(rho z, (1 - rho^2) I), keeps N(0, I) alone";

// Why an objective does not read an option; empty where it does.
std::function<std::string(const ObjectiveOptions&)> unread(const std::string& option) {
  return [option](const ObjectiveOptions& options) {
    const ObjectiveEntry& entry = objectives().find(options.name);
    return entry.takes(option) ? std::string()
                               : fmt::format("objective {} has no option {}; it has {}", entry.name, option,
                                             fmt::join(entry.options, ", "));
  };
}

const OptionSchema<SmoothEncoderOptions>& smooth_schema() {
  static const auto schema =
      OptionSchema<SmoothEncoderOptions>()
          .number("gamma", &SmoothEncoderOptions::gamma, above(0.0), "of smooth encoders: distance against entropy")
          .number("radius", &SmoothEncoderOptions::radius, above_to(0.0, 1.0), "of neighbours, in the norm linf")
          .integer("inner_steps", &SmoothEncoderOptions::steps, at_least(1), "towards the worst neighbour");
  return schema;
}

OptionSchema<ObjectiveOptions> make_schema() {
  using Estimator = TotalCorrelationEstimator;
  OptionSchema<ObjectiveOptions> all;
  all.number("beta", &ObjectiveOptions::beta, at_least(0.0),
             "weight of the divergence, in beta_tcvae of its total correlation")
      .choice("estimator", &ObjectiveOptions::estimator,
              {{std::string(name(Estimator::weighted)), Estimator::weighted, "mini-batch weighted sampling"},
               {std::string(name(Estimator::stratified)), Estimator::stratified, "mini-batch stratified sampling"},
               {std::string(name(Estimator::published)), Estimator::published, "as the paper's code mis-indexed it"}},
              "of the total correlation")
      .part(&ObjectiveOptions::smooth, smooth_schema())
      .number("correlation", &ObjectiveOptions::correlation, from_to_below(0.0, 1.0), "of a code and its successor");
  OptionSchema<ObjectiveOptions> schema;
  for (const auto& field : all.fields()) {
    schema.add(field.option, field.get, field.set).unless(unread(field.option.key));
  }
  return schema;
}

std::unique_ptr<Objective> beta_tcvae(const ObjectiveOptions& options, std::int64_t training_images) {
  return penalised_elbo({.beta = 1.0,
                         .total_correlation_weight = options.beta - 1.0,
                         .total_correlation = {.estimator = options.estimator, .training_images = training_images},
                         .smooth = {},
                         .correlation = {}});
}

// The ELBO with smoothness, self-consistency or both.
std::unique_ptr<Objective> robust_elbo(const ObjectiveOptions& options, bool smooth, bool consistent) {
  PenalisedElboOptions penalties;
  penalties.beta = options.beta;
  if (smooth) {
    penalties.smooth = options.smooth;
  }
  if (consistent) {
    penalties.correlation = options.correlation;
  }
  return penalised_elbo(std::move(penalties));
}

}  // namespace

bool ObjectiveEntry::takes(std::string_view option) const {
  return std::ranges::find(options, option) != options.end();
}

const Registry<ObjectiveEntry>& objectives() {
  static const Registry<ObjectiveEntry> entries(
      "training", "objective",
      {{.name = "elbo",
        .title = "ELBO",
        .description =
            "The evidence lower bound, with weight beta on the divergence; a beta other than 1 makes a β-VAE.",
        .options = {"beta"},
        .make = [](const auto& options, std::int64_t) { return robust_elbo(options, false, false); }},
       {.name = "beta_tcvae",
        .title = "β-TCVAE",
        .description = "The ELBO with weight beta on the total correlation of the codes (Chen et al. 2018).",
        .options = {"beta", "estimator"},
        .needs_standard_normal = "its decomposition of the divergence holds for independent dimensions only",
        .make = beta_tcvae},
       {.name = "smooth_encoder",
        .title = "Smooth encoder",
        .description =
            "Keeps the codes of an image and of its worst neighbour close (Cemgil et al. 2020, reconstructed).",
        .options = {"beta", "gamma", "radius", "inner_steps"},
        .make = [](const auto& options, std::int64_t) { return robust_elbo(options, true, false); }},
       {.name = "avae",
        .title = "AVAE",
        .description = "Keeps the codes of an image and of its reconstruction close (Cemgil et al. 2020).",
        .options = {"beta", "correlation"},
        .needs_standard_normal = kStationary,
        .make = [](const auto& options, std::int64_t) { return robust_elbo(options, false, true); }},
       {.name = "se_avae",
        .title = "Smooth encoder and AVAE",
        .description = "smooth_encoder and avae together (reconstructed).",
        .options = {"beta", "gamma", "radius", "inner_steps", "correlation"},
        .needs_standard_normal = kStationary,
        .make = [](const auto& options, std::int64_t) { return robust_elbo(options, true, true); }},
       {.name = "avae_ss",
        .title = "AVAE-SS",
        .description = "Retrains the encoder of a given VAE on its decoder's own images (reconstructed).",
        .options = {"correlation"},
        .needs_start = true,
        .needs_standard_normal = kStationary,
        .make = [](const auto& options, std::int64_t) { return self_supervision(options.correlation); }}});
  return entries;
}

const OptionSchema<ObjectiveOptions>& objective_schema() {
  static const OptionSchema<ObjectiveOptions> schema = make_schema();
  return schema;
}

void check_prior(std::string_view objective, std::string_view prior) {
  const std::string_view reason = objectives().find(objective).needs_standard_normal;
  if (!reason.empty() && prior != models::name(models::PriorWeights{})) {
    misuse("training", "objective {} needs the prior standard_normal ({}), got {}", objective, reason, prior);
  }
}

void ObjectiveOptions::validate() const {
  static_cast<void>(objectives().find(name));
  for (const auto& field : objective_schema().fields()) {
    field.option.check("training.objective", field.get(*this));  // those that this objective does not read, too
  }
}

std::unique_ptr<Objective> make_objective(const ObjectiveOptions& options, std::int64_t training_images) {
  options.validate();
  return objectives().find(options.name).make(options, training_images);
}

std::string describe(const ObjectiveOptions& options) {
  std::string text = options.name;
  for (const Option& option : objective_schema().describe(options)) {
    const auto number = option.fallback.number();
    text +=
        fmt::format(", {} {}", option.key, number ? fmt::format("{}", *number) : *option.fallback.as<std::string>());
  }
  return text;
}

}  // namespace vaeguard::training
