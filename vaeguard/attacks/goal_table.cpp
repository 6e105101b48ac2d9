// Names of goals, and how each is made from references, targets, classifier and decoder.
#include "vaeguard/attacks/goal_table.h"

#include <algorithm>
#include <utility>

#include "vaeguard/attacks/classifier_goal.h"
#include "vaeguard/attacks/decoder_goal.h"
#include "vaeguard/attacks/encoder_goal.h"
#include "vaeguard/attacks/targets.h"
#include "vaeguard/base/scalar_field.h"

namespace vaeguard::attacks {
namespace {

std::vector<std::int64_t> targets(const GoalInputs& inputs, std::span<const std::int64_t> classes) {
  return choose_targets(classes, inputs.positions, inputs.key.fold("attack targets"));
}

GoalEntry untargeted(std::string_view name, std::string_view title, std::string_view description, EncodingGap gap) {
  return {.name = name, .title = title, .description = description, .make = [=](const GoalInputs& inputs) {
            return std::make_unique<EncoderGoal>(name, gap, Direction::away, inputs.references);
          }};
}

GoalEntry targeted(std::string_view name, std::string_view title, std::string_view description, EncodingGap gap) {
  return {.name = name,
          .title = title,
          .description = description,
          .targeted = true,
          .make = [=](const GoalInputs& inputs) {
            const auto rows = targets(inputs, inputs.labels);
            return std::make_unique<EncoderGoal>(
                name, gap, Direction::towards,
                models::Encoding{inputs.references.mean.gather(rows), inputs.references.log_variance.gather(rows)});
          }};
}

GoalEntry classifier(std::string_view name, std::string_view title, std::string_view description, ClassifierLoss loss) {
  return {.name = name,
          .title = title,
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
GoalEntry targeted_classifier(std::string_view name, std::string_view title, std::string_view description,
                              ClassifierLoss loss) {
  GoalEntry entry = classifier(name, title, description, loss);
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

GoalEntry decoder(std::string_view name, std::string_view title, std::string_view description, bool targeted,
                  std::function<std::unique_ptr<Goal>(std::string_view name, const GoalInputs& inputs)> make) {
  return {.name = name,
          .title = title,
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
  const GoalEntry& entry = goals().find(goal);
  if (!entry.targeted) {
    return {};
  }
  GoalInputs complete = inputs;
  if (complete.positions.empty()) {
    complete.positions = consecutive(0, inputs.references.mean.rows());
  }
  return targets(complete, entry.needs_classifier ? inputs.classifier->predict(inputs.references.mean) : inputs.labels);
}

std::vector<GoalEntry> goal_table() {
  using Gap = EncodingGap;
  using Loss = ClassifierLoss;
  return {
      untargeted(
          "encoder_skl", "Encoder attack",
          "Moves the encoding as far as it can in symmetric Kullback–Leibler divergence (eq. 3), without using labels.",
          Gap::symmetric_kl),
      untargeted("encoder_kl_forward", "Encoder attack, forward KL",
                 "Moves the encoding far in the divergence of the clean one from it.", Gap::forward_kl),
      untargeted("encoder_kl_reverse", "Encoder attack, reverse KL",
                 "Moves the encoding far in its divergence from the clean one.", Gap::reverse_kl),
      untargeted("encoder_means", "Encoder attack, means", "Moves the mean of the encoding as far as it can.",
                 Gap::means),
      untargeted("encoder_wasserstein", "Encoder attack, Wasserstein",
                 "Moves the encoding far in 2-Wasserstein distance.", Gap::wasserstein),
      targeted("latent_kl", "Latent-space attack",
               "Moves the encoding to that of a target image, by its divergence from the target's.", Gap::reverse_kl),
      targeted("latent_kl_forward", "Latent-space attack, forward KL",
               "Moves the encoding to that of a target image, by the divergence of the target's from it.",
               Gap::forward_kl),
      targeted("latent_skl", "Latent-space attack, symmetric",
               "Moves the encoding to that of a target image, by symmetric Kullback–Leibler divergence.",
               Gap::symmetric_kl),
      targeted("latent_means", "Latent-space attack, means", "Moves the mean of the encoding to a target image's.",
               Gap::means),
      targeted("latent_wasserstein", "Latent-space attack, Wasserstein",
               "Moves the encoding to that of a target image, by 2-Wasserstein distance.", Gap::wasserstein),
      classifier("classifier_ce", "Classifier attack",
                 "Raises the cross-entropy of the latent classifier against its own prediction on the clean image.",
                 Loss::cross_entropy),
      classifier("classifier_margin", "Classifier attack, margin",
                 "Raises the logit of the best other class above that of the predicted one; above 0 the prediction has "
                 "changed.",
                 Loss::margin),
      classifier("classifier_dlr", "Classifier attack, DLR",
                 "Raises that margin over the spread of the three best logits, which is independent of their scale.",
                 Loss::dlr),
      targeted_classifier("classifier_ce_target", "Classifier attack, targeted",
                          "Raises the probability of a target image's class.", Loss::cross_entropy),
      targeted_classifier("classifier_margin_target", "Classifier attack, targeted margin",
                          "Raises the logit of a target image's class above the best other one.", Loss::margin),
      targeted_classifier("classifier_dlr_target", "Classifier attack, targeted DLR",
                          "Raises the logit of a target image's class above that of the predicted one, independent of "
                          "the logits' scale.",
                          Loss::dlr),
      decoder("maximum_damage", "Maximum damage", "Moves the reconstruction as far as it can, in Euclidean distance.",
              false, maximum_damage),
      decoder("output_target", "Output attack", "Makes a target image likely under the reconstruction.", true,
              output_target),
      decoder("output_target_l2", "Output attack, L2",
              "Moves the reconstruction to a target image, in Euclidean distance.", true, output_target_l2),
  };
}

}  // namespace vaeguard::attacks
