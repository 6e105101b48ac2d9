// Every metric of one cell, from the attacked images, what a defence inferred from them, and the clean references.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "vaeguard/data/dataset.h"
#include "vaeguard/defences/defence.h"
#include "vaeguard/measures/record.h"
#include "vaeguard/models/classifier.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::measures {

/// The model under test. Without a classifier, only its images and codes are measured.
struct Subject {
  models::Vae vae;
  std::optional<models::LinearClassifier> classifier = std::nullopt;
};

/// n references and what is known of them before any attack.
struct References {
  std::vector<std::int64_t> index;       // in the test set
  data::Images images;                   // [n, P]; labels are empty if the data have no classes
  models::Encoding encoding;             // [n, D]
  Matrix mean_reconstruction;            // [n, P], of the means
  std::vector<std::int64_t> prediction;  // undefended, of the means; empty without a classifier
  Key draw_key{0};                       // draws of q(z|x_ref): draw_key.fold(index).fold(restart)
};

References make_references(const Subject& subject, data::Images images, std::vector<std::int64_t> index, Key draw_key,
                           int threads);

/// Attacked images with the model's codes and reconstructions; one row per restart of each reference, the restarts of
/// one reference being consecutive.
struct Attacked {
  Matrix images;               // [N, P]
  models::Encoding encoding;   // [N, D]
  Matrix mean_reconstruction;  // [N, P], of the means
};

Attacked encode_attacked(const models::Vae& vae, Matrix images, int threads);
/// The rows of the first `kept` of `restarts` restarts of each reference.
Attacked first_restarts(const Attacked& attacked, std::int64_t restarts, std::int64_t kept);

/// Attacked images and what a defence inferred from them.
struct Outcome {
  Attacked attacked;
  std::int64_t restarts = 1;
  defences::Inference inference;
  double seconds = 0.0;
};

/// The items of the scores (detect.h) on clean images, by score.
using CleanScores = std::map<std::string, std::vector<Item>, std::less<>>;

/// Measurements of each estimate for the mean and the worst of restarts, detection of attacked images against `clean`
/// ones (none if that is empty), the per-image values, and curves. Metrics that need a classifier, labels, or images of
/// at least 16 x 16 pixels (metrics/ms_ssim.h) are left out without these. `prototype` gives kind, cell, dataset,
/// model, attack, norm, radius, attacker and defence.
CellRecords measure(const Subject& subject, const References& references, const Outcome& outcome,
                    const CleanScores& clean, const Measurement& prototype, int threads);

}  // namespace vaeguard::measures
