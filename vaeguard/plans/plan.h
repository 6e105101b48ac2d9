// An experiment as data: the models, attacks, radii and defences to combine, read from TOML.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/models/conv_vae.h"
#include "vaeguard/models/prior_design.h"
#include "vaeguard/plans/attack_plan.h"
#include "vaeguard/plans/dataset_plan.h"
#include "vaeguard/plans/defence_plan.h"
#include "vaeguard/plans/distortion_plan.h"
#include "vaeguard/plans/smallest_plan.h"
#include "vaeguard/training/trainer.h"

namespace vaeguard::plans {

struct ModelPlan {
  std::string name = "vae";          // in records
  std::filesystem::path checkpoint;  // weights to use; empty to train
  std::filesystem::path vae_from;    // a VAE to keep as it is; only its classifier and pixel law are fitted
  std::filesystem::path start;       // weights to start training from; empty for random ones
  std::int64_t latent = models::kConvVaeLatentSize;
  std::string preset = "default";                // of the training
  std::optional<models::Likelihood> likelihood;  // none: the preset's for the number of channels
  std::optional<models::PriorDesign> prior;      // none: the start's, else standard_normal
  training::TrainerOptions training;

  /// Throws Misuse if the objective lacks the start that it needs or does not support the prior, if latent size or
  /// likelihood are set although a start or vae_from determines them, if vae_from is combined with
  /// checkpoint, start or prior, if the likelihood is reserved for published runs, or if the latent size is below 1.
  void validate() const;
};

/// How the model itself is evaluated.
struct EvaluationPlan {
  std::int64_t nll_images = 1000;
  std::int64_t nll_draws = 1000;
  std::int64_t frechet_images = 0;  // samples of the prior to compare with as many test images; 0: not measured
};

struct Plan {
  std::string name;
  std::uint64_t seed = 1;
  DatasetPlan dataset;
  std::int64_t references = 50;
  std::vector<ModelPlan> models;  // at least one; each meets all attacks and defences
  EvaluationPlan evaluation;
  std::vector<AttackPlan> attacks;
  std::vector<DefencePlan> defences;
  std::vector<SmallestPlan> smallest;   // for each model, undefended
  std::vector<AttackPlan> distortions;  // distortion curves, for each model, undefended
  std::string text;                     // the plan as read
};

/// Reads a plan. Throws Misuse, naming file, line, key, expectation and value, for unknown keys, wrong types and
/// impossible values. `place` names the text in messages; relative checkpoints are looked up as in load_plan, from
/// `folder`.
Plan parse_plan(std::string_view text, std::string_view place, const std::filesystem::path& folder = {});
/// Relative checkpoints are looked up in the current folder, then in the plan's folder and in its parent.
Plan load_plan(const std::filesystem::path& file);

}  // namespace vaeguard::plans
