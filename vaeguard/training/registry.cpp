// The table of objectives.
#include "vaeguard/training/registry.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "vaeguard/base/error.h"
#include "vaeguard/base/text.h"
#include "vaeguard/models/prior.h"
#include "vaeguard/training/self_consistency.h"

namespace vaeguard::training {
namespace {

constexpr std::string_view kStationary =
    "its step from a code to the next, N(rho z, (1 - rho^2) I), keeps N(0, I) alone";

std::string option_text(const ObjectiveOptions& options, std::string_view option) {
  if (option == "beta") {
    return fmt::format("{}", options.beta);
  }
  if (option == "estimator") {
    return std::string(name(options.estimator));
  }
  if (option == "gamma") {
    return fmt::format("{}", options.smooth.gamma);
  }
  if (option == "radius") {
    return fmt::format("{}", options.smooth.radius);
  }
  if (option == "inner_steps") {
    return fmt::format("{}", options.smooth.steps);
  }
  return fmt::format("{}", options.correlation);
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

const std::vector<ObjectiveEntry>& objectives() {
  static const std::vector<ObjectiveEntry> entries = {
      {.name = "elbo",
       .description = "evidence lower bound, with weight beta on the divergence; a beta other than 1 makes a beta-VAE",
       .options = {"beta"},
       .make = [](const auto& options, std::int64_t) { return robust_elbo(options, false, false); }},
      {.name = "beta_tcvae",
       .description = "weight beta on the total correlation of the codes (Chen et al. 2018); estimator mws, mss, or "
                      "published (mis-indexed, as in the paper's code)",
       .options = {"beta", "estimator"},
       .needs_standard_normal = "its decomposition of the divergence holds for independent dimensions only",
       .make = beta_tcvae},
      {.name = "smooth_encoder",
       .description =
           "keeps the codes of an image and of its worst neighbour close (Cemgil et al. 2020, reconstructed)",
       .options = {"beta", "gamma", "radius", "inner_steps"},
       .make = [](const auto& options, std::int64_t) { return robust_elbo(options, true, false); }},
      {.name = "avae",
       .description = "keeps the codes of an image and of its reconstruction close (Cemgil et al. 2020)",
       .options = {"beta", "correlation"},
       .needs_standard_normal = kStationary,
       .make = [](const auto& options, std::int64_t) { return robust_elbo(options, false, true); }},
      {.name = "se_avae",
       .description = "smooth_encoder and avae together (reconstructed)",
       .options = {"beta", "gamma", "radius", "inner_steps", "correlation"},
       .needs_standard_normal = kStationary,
       .make = [](const auto& options, std::int64_t) { return robust_elbo(options, true, true); }},
      {.name = "avae_ss",
       .description = "retrains the encoder of a given VAE on its decoder's own images (reconstructed)",
       .options = {"correlation"},
       .needs_start = true,
       .needs_standard_normal = kStationary,
       .make = [](const auto& options, std::int64_t) { return self_supervision(options.correlation); }},
  };
  return entries;
}

const ObjectiveEntry& find_objective(std::string_view name) {
  std::vector<std::string> known;
  for (const ObjectiveEntry& entry : objectives()) {
    if (entry.name == name) {
      return entry;
    }
    known.emplace_back(entry.name);
  }
  unknown_name("training", "objective", name, known);
}

void check_takes(std::string_view objective, std::string_view option) {
  const ObjectiveEntry& entry = find_objective(objective);
  if (!entry.takes(option)) {
    misuse("training", "objective {} has no option {}; it has {}", objective, option, fmt::join(entry.options, ", "));
  }
}

void check_prior(std::string_view objective, std::string_view prior) {
  const std::string_view reason = find_objective(objective).needs_standard_normal;
  if (!reason.empty() && prior != models::name(models::PriorWeights{})) {
    misuse("training", "objective {} needs the prior standard_normal ({}), got {}", objective, reason, prior);
  }
}

void ObjectiveOptions::validate() const {
  find_objective(name);
  if (!(beta >= 0.0) || !std::isfinite(beta)) {
    misuse("training.objective", "beta must be finite and >= 0, got {}", beta);
  }
  smooth.validate();
  check_correlation(correlation);
}

std::unique_ptr<Objective> make_objective(const ObjectiveOptions& options, std::int64_t training_images) {
  options.validate();
  return find_objective(options.name).make(options, training_images);
}

std::string describe(const ObjectiveOptions& options) {
  std::string text = options.name;
  for (const std::string_view option : find_objective(options.name).options) {
    text += fmt::format(", {} {}", option, option_text(options, option));
  }
  return text;
}

}  // namespace vaeguard::training
