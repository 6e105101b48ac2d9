// The objectives that plans and options can name, and the options that each reads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/option_schema.h"
#include "vaeguard/base/registry.h"
#include "vaeguard/training/objective.h"

namespace vaeguard::training {

struct ObjectiveEntry {
  std::string_view name;
  std::string_view title;
  std::string_view description;
  std::vector<std::string_view> options;  // the keys of objective_schema() that it reads
  /// Whether it needs a trained VAE to begin with.
  bool needs_start = false;
  /// Why the prior has to be the standard normal; empty if any prior will do.
  std::string_view needs_standard_normal = {};
  /// Makes the objective for that many training images.
  std::function<std::unique_ptr<Objective>(const ObjectiveOptions&, std::int64_t training_images)> make;

  [[nodiscard]] bool takes(std::string_view option) const;
};

const Registry<ObjectiveEntry>& objectives();
/// All options of all objectives. Naming one that the objective `name` does not read is an error.
const OptionSchema<ObjectiveOptions>& objective_schema();

/// Throws Misuse, with the reason, if the objective does not support a prior of that name (models::name).
void check_prior(std::string_view objective, std::string_view prior);

/// Validates the options and makes the objective that they name.
std::unique_ptr<Objective> make_objective(const ObjectiveOptions& options, std::int64_t training_images);
/// "beta_tcvae, beta 5, estimator mws": the name and the options that it reads, for fingerprints and metadata.
std::string describe(const ObjectiveOptions& options);

}  // namespace vaeguard::training
