// The model under test: read from a checkpoint, or trained, with its latent classifier.
#pragma once

#include <filesystem>
#include <string>

#include "vaeguard/base/observer.h"
#include "vaeguard/data/dataset.h"
#include "vaeguard/measures/measure.h"
#include "vaeguard/measures/sample_distance.h"
#include "vaeguard/models/checkpoint.h"
#include "vaeguard/plans/plan.h"

namespace vaeguard::runs {

/// Trains the model's VAE on `dataset` (resuming from `state_file` where it exists), or reads it where the plan says
/// companions_of; fits a linear classifier to the encoder's means of the training images, until convergence, or says at
/// once that there will be none where the data set has no labels; counts the pixel law; and notes all that, with
/// accuracy and ELBO of the test images, in the metadata. The seed is the plan's, the same for all its models. Throws
/// Misuse unless a VAE that is read takes the data set's images.
models::Checkpoint make_checkpoint(const plans::ModelPlan& model, std::uint64_t seed, const data::Dataset& dataset,
                                   const std::filesystem::path& state_file, int threads, Observer& observer);

/// The model's checkpoint. Throws Misuse where the plan says another likelihood or prior of it than it has.
models::Checkpoint read_checkpoint(const plans::ModelPlan& model);

/// Throws Misuse unless the checkpoint fits the data set and has a classifier of its classes.
measures::Subject make_subject(const models::Checkpoint& checkpoint, const data::Dataset& dataset,
                               std::string_view place, std::string_view backend,
                               networks::Precision gradients = networks::Precision::float32);

/// A message with the reason where bfloat16 gradients were asked for and float32 runs.
void tell_refusal(const models::Vae& vae, Observer& observer);

/// A warning where the checkpoint, called `place`, notes that it was trained on other data than `dataset`.
void tell_other_data(const models::Checkpoint& checkpoint, const data::Dataset& dataset, std::string_view place,
                     Observer& observer);

}  // namespace vaeguard::runs
