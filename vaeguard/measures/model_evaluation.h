// The quality of the model itself: its likelihood, samples and classifier.
#pragma once

#include "vaeguard/base/observer.h"
#include "vaeguard/data/dataset.h"
#include "vaeguard/measures/measure.h"
#include "vaeguard/measures/sample_distance.h"
#include "vaeguard/plans/plan.h"
#include "vaeguard/training/evaluation.h"

namespace vaeguard::measures {

/// The ELBO of all test images.
training::ElboEstimate test_elbo(const models::Vae& vae, std::uint64_t seed, const data::Dataset& dataset, int threads);

/// ELBO, importance-weighted NLL, bits per dimension and classifier accuracy on test images, and the Frechet distance
/// of prior samples unless `samples` is null. Accuracy is left out if the model has no classifier or the data no
/// labels. `prototype` gives the columns that all measurements share.
CellRecords measure_model(const Subject& subject, const plans::Plan& plan, const data::Dataset& dataset,
                          const SampleDistance* samples, const Measurement& prototype, int threads, Observer& observer);

/// The key of the prior samples whose Frechet distance is measured.
Key sample_key(std::uint64_t seed);

}  // namespace vaeguard::measures
