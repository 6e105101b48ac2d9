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

/// Throws Misuse unless the model takes the data set's images and its classifier, if there is one, has the data's
/// classes, if there are any.
void check_subject(const measures::Subject& subject, const data::Dataset& dataset, std::string_view place);

/// The checkpoint's model, checked as above.
measures::Subject make_subject(const models::Checkpoint& checkpoint, const data::Dataset& dataset,
                               std::string_view place, std::string_view backend,
                               networks::Precision gradients = networks::Precision::float32);

/// A message for each fast path that the model cannot take, with the reason: gradients in bfloat16, energies in one
/// pass.
void report_fallbacks(const models::Vae& vae, Observer& observer);

/// A warning where the checkpoint, called `place`, notes that it was trained on other data than `dataset`.
void tell_other_data(const models::Checkpoint& checkpoint, const data::Dataset& dataset, std::string_view place,
                     Observer& observer);

}  // namespace vaeguard::runs
