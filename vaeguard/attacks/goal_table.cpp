// Names of goals, and how each is made of references, targets, classifier and decoder.
#include "vaeguard/attacks/goal_table.h"

#include <algorithm>
#include <utility>

#include "vaeguard/attacks/best.h"
#include "vaeguard/attacks/classifier_goal.h"
#include "vaeguard/attacks/decoder_goal.h"
#include "vaeguard/attacks/encoder_goal.h"
#include "vaeguard/attacks/targets.h"

namespace vaeguard::attacks {
namespace {

std::vector<std::int64_t> targets(const GoalInputs& inputs, std::span<const std::int64_t> classes) {
  return choose_targets(classes, inputs.positions, inputs.key.fold("attack targets"));
}

GoalEntry untargeted(std::string_view name, std::string_view description, EncodingGap gap) {
  return {.name = name, .description = description, .make = [=](const GoalInputs& inputs) {
            return std::make_unique<EncoderGoal>(name, gap, Direction::away, inputs.references);
          }};
}

GoalEntry targeted(std::string_view name, std::string_view description, EncodingGap gap) {
  return {.name = name, .description = description, .targeted = true, .make = [=](const GoalInputs& inputs) {
            const auto rows = targets(inputs, inputs.labels);
            return std::make_unique<EncoderGoal>(
                name, gap, Direction::towards,
                models::Encoding{inputs.references.mean.gather(rows), inputs.references.log_variance.gather(rows)});
          }};
}

GoalEntry classifier(std::string_view name, std::string_view description, ClassifierLoss loss) {
  return {.name = name,
          .description = description,
          .needs_classifier = true,
          .reads_code = true,
          .make = [=](const GoalInputs& inputs) {
            std::vector<ClassAim> aims;
            for (const std::int64_t own : inputs.classifier->predict(inputs.references.mean)) {
              aims.push_back({.own = own});
            }
            return std::make_unique<ClassifierGoal>(name, loss, *inputs.classifier, std::move(aims));
          }};
}

// Targets are chosen among other predictions, so that the target's class is never the reference's own.
GoalEntry targeted_classifier(std::string_view name, std::string_view description, ClassifierLoss loss) {
  GoalEntry entry = classifier(name, description, loss);
  entry.targeted = true;
  entry.make = [=](const GoalInputs& inputs) {
    const std::vector<std::int64_t> own = inputs.classifier->predict(inputs.references.mean);
    const std::vector<std::int64_t> rows = targets(inputs, own);
    std::vector<ClassAim> aims;
    for (std::size_t i = 0; i < own.size(); ++i) {
      aims.push_back({.own = own[i], .target = own[static_cast<std::size_t>(rows[i])]});
    }
    return std::make_unique<ClassifierGoal>(name, loss, *inputs.classifier, std::move(aims));
  };
  return entry;
}

GoalEntry decoder(std::string_view name, std::string_view description, bool targeted,
                  std::function<std::unique_ptr<Goal>(std::string_view name, const GoalInputs& inputs)> make) {
  return {.name = name,
          .description = description,
          .needs_decoder = true,
          .targeted = targeted,
          .reads_code = true,
          .make = [=](const GoalInputs& inputs) { return make(name, inputs); }};
}

Matrix target_images(const GoalInputs& inputs) { return inputs.images->gather(targets(inputs, inputs.labels)); }

std::unique_ptr<Goal> maximum_damage(std::string_view name, const GoalInputs& inputs) {
  return std::make_unique<ReconstructionDistance>(name, ReconstructionDistance::Sign::away, *inputs.vae,
                                                  inputs.vae->decode(inputs.references.mean));
}

std::unique_ptr<Goal> output_target(std::string_view name, const GoalInputs& inputs) {
  return std::make_unique<TargetLikelihood>(name, *inputs.vae, target_images(inputs));
}

std::unique_ptr<Goal> output_target_l2(std::string_view name, const GoalInputs& inputs) {
  return std::make_unique<ReconstructionDistance>(name, ReconstructionDistance::Sign::towards, *inputs.vae,
                                                  target_images(inputs));
}

}  // namespace

std::vector<std::int64_t> target_rows(std::string_view goal, const GoalInputs& inputs) {
  const GoalEntry& entry = find_goal(goal);
  if (!entry.targeted) {
    return {};
  }
  GoalInputs complete = inputs;
  if (complete.positions.empty()) {
    complete.positions = all_rows(inputs.references.mean.rows());
  }
  return targets(complete, entry.needs_classifier ? inputs.classifier->predict(inputs.references.mean) : inputs.labels);
}

std::vector<GoalEntry> goal_table() {
  return {
      untargeted("encoder_skl",
                 "symmetric KL divergence between the encodings of the attacked and the clean image (eq. 3)",
                 EncodingGap::symmetric_kl),
      untargeted("encoder_kl_forward", "KL divergence of the clean image's encoding from the attacked one's",
                 EncodingGap::forward_kl),
      untargeted("encoder_kl_reverse", "KL divergence of the attacked image's encoding from the clean one's",
                 EncodingGap::reverse_kl),
      untargeted("encoder_means", "squared distance between the means of both encodings", EncodingGap::means),
      untargeted("encoder_wasserstein", "squared 2-Wasserstein distance between both encodings",
                 EncodingGap::wasserstein),
      targeted("latent_kl", "minus the KL divergence of the attacked image's encoding from a target image's",
               EncodingGap::reverse_kl),
      targeted("latent_kl_forward", "minus the KL divergence of a target image's encoding from the attacked one's",
               EncodingGap::forward_kl),
      targeted("latent_skl", "minus the symmetric KL divergence between the encodings of attacked and target image",
               EncodingGap::symmetric_kl),
      targeted("latent_means", "minus the squared distance of the mean to a target image's", EncodingGap::means),
      targeted("latent_wasserstein", "minus the squared 2-Wasserstein distance to a target image's encoding",
               EncodingGap::wasserstein),
      classifier("classifier_ce", "cross-entropy of the latent classifier against its own clean prediction",
                 ClassifierLoss::cross_entropy),
      classifier("classifier_margin", "best other logit minus that of the clean prediction; above 0 it has changed",
                 ClassifierLoss::margin),
      classifier("classifier_dlr", "that margin over the spread of the three best logits, free of their scale",
                 ClassifierLoss::dlr),
      targeted_classifier("classifier_ce_target", "log-probability of the class of a target image",
                          ClassifierLoss::cross_entropy),
      targeted_classifier("classifier_margin_target", "logit of a target image's class minus the best other one",
                          ClassifierLoss::margin),
      targeted_classifier("classifier_dlr_target", "logit of a target image's class minus the own one, free of scale",
                          ClassifierLoss::dlr),
      decoder("maximum_damage", "Euclidean distance between the reconstructions of the attacked and the clean image",
              false, maximum_damage),
      decoder("output_target", "log-likelihood of a target image, decoded from the attacked image's code", true,
              output_target),
      decoder("output_target_l2", "minus the Euclidean distance of the reconstruction to a target image", true,
              output_target_l2),
  };
}

}  // namespace vaeguard::attacks
