// An experiment as data: which model, attacks, radii and defences to put together, read from TOML.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/models/conv_vae.h"
#include "vaeguard/plans/attack_plan.h"
#include "vaeguard/plans/dataset_plan.h"
#include "vaeguard/plans/defence_plan.h"
#include "vaeguard/plans/distortion_plan.h"
#include "vaeguard/plans/smallest_plan.h"
#include "vaeguard/training/trainer.h"

namespace vaeguard::plans {

struct ModelPlan {
  std::string name = "vae";             // in records
  std::filesystem::path checkpoint;     // weights to use; empty to train
  std::filesystem::path companions_of;  // a VAE to keep, whose classifier and pixel law the data set is to give
  std::filesystem::path start;          // weights to begin training with; empty for random ones
  std::int64_t latent = models::kConvVaeLatentSize;
  std::string preset = "default";                // of the training
  std::optional<models::Likelihood> likelihood;  // none: what the preset has for the data's channels
  std::string prior;                             // models::make_prior; empty: the start's, else standard_normal
  training::TrainerOptions training;

  /// Throws Misuse where the objective needs a start or bears no such prior, a start comes with its own latent size and
  /// likelihood, the likelihood is one that only published runs have, or companions_of stands
  /// beside what it settles.
  void validate() const;
};

/// How well the model itself is measured.
struct EvaluationPlan {
  std::int64_t nll_images = 1000;
  std::int64_t nll_draws = 1000;
  std::int64_t frechet_images = 0;  // drawn from the prior and compared with as many test images; 0: not measured
};

struct Plan {
  std::string name;
  std::uint64_t seed = 1;
  DatasetPlan dataset;
  std::int64_t references = 50;
  std::vector<ModelPlan> models;  // at least one; each under all attacks and defences
  EvaluationPlan evaluation;
  std::vector<AttackPlan> attacks;
  std::vector<DefencePlan> defences;
  std::vector<SmallestPlan> smallest;   // of each model, undefended
  std::vector<AttackPlan> distortions;  // distortion curves, likewise
  std::string text;                     // as read
};

/// Reads a plan. Unknown keys, wrong types and impossible values throw Misuse that names file, line, key, expectation
/// and finding. `place` names the text in messages; a relative checkpoint is sought from `folder`.
Plan parse_plan(std::string_view text, std::string_view place, const std::filesystem::path& folder = {});
/// A relative checkpoint is sought from the present folder, then from the plan's and from the folder above it.
Plan load_plan(const std::filesystem::path& file);

}  // namespace vaeguard::plans
