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
#include "vaeguard/runs/model_file.h"

namespace vaeguard::runs {

/// Trains the model's VAE on `dataset` (resuming from `state_file` if it exists), or reads it if the plan sets
/// vae_from; fits a linear classifier to the encoder's means of the training images until convergence, or reports
/// before training that there will be none if the data set has no labels; counts the pixel law; and notes all this,
/// with accuracy and ELBO on test images, in the metadata. The seed is the plan's, the same for all its models. Throws
/// Misuse if a VAE that is read does not take the data set's images.
models::Checkpoint make_checkpoint(const plans::ModelPlan& model, std::uint64_t seed, const data::Dataset& dataset,
                                   const std::filesystem::path& state_file, int threads, Observer& observer);

/// The model's checkpoint, or what describes it. Throws Misuse if the plan sets a likelihood or prior that differs from
/// the model's.
StoredModel read_checkpoint(const plans::ModelPlan& model);

/// Throws Misuse unless the model takes the data set's images and, where both have classes, its classifier has the same
/// classes as the data.
void check_subject(const measures::Subject& subject, const data::Dataset& dataset, std::string_view place);

/// The model, compiled and checked as above.
measures::Subject make_subject(const StoredModel& model, const data::Dataset& dataset, std::string_view place,
                               std::string_view backend, networks::Precision gradients = networks::Precision::float32);

/// Sends a message, with the reason, for each fast path that the model cannot take: gradients in bfloat16 if they were
/// `asked` for, energies in one pass.
void report_fallbacks(const models::Vae& vae, networks::Precision asked, Observer& observer);

/// Warns if the model, called `place`, notes that it was trained on other data than `dataset`.
void tell_other_data(const StoredModel& model, const data::Dataset& dataset, std::string_view place,
                     Observer& observer);

}  // namespace vaeguard::runs
