// Every metric of one cell: attacked images, what a defence inferred of them, and the clean references.
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

/// The model under test. One without a classifier is measured by its images and codes alone.
struct Subject {
  models::Vae vae;
  std::optional<models::LinearClassifier> classifier = std::nullopt;
};

/// n references and what is known of them before any attack.
struct References {
  std::vector<std::int64_t> index;       // in the test set
  data::Images images;                   // [n, P]; labels are empty where the data have no classes
  models::Encoding encoding;             // [n, D]
  Matrix mean_reconstruction;            // [n, P], of the means
  std::vector<std::int64_t> prediction;  // undefended, of the means; empty without a classifier
  Key draw_key{0};                       // draws of q(z|x_ref): draw_key.fold(index).fold(restart)
};

References make_references(const Subject& subject, data::Images images, std::vector<std::int64_t> index, Key draw_key,
                           int threads);

/// Attacked images and what the model makes of them, a row for each restart of each reference, restarts of one
/// reference in a row.
struct Attacked {
  Matrix images;               // [N, P]
  models::Encoding encoding;   // [N, D]
  Matrix mean_reconstruction;  // [N, P], of the means
};

Attacked encode_attacked(const models::Vae& vae, Matrix images, int threads);
/// The rows of the first `kept` of `restarts` restarts of each reference.
Attacked first_restarts(const Attacked& attacked, std::int64_t restarts, std::int64_t kept);

/// Attacked images and what a defence inferred of them.
struct Outcome {
  Attacked attacked;
  std::int64_t restarts = 1;
  defences::Inference inference;
  double seconds = 0.0;
};

/// The items of a cell's scores (detect.h) where nothing is attacked, by score.
using CleanScores = std::map<std::string, std::vector<Item>, std::less<>>;

/// Measurements of each estimate over the mean and the worst of restarts, how well attacked images are told from
/// `clean` ones (none where that is empty), the per-image values, and curves. What needs a classifier or labels, or
/// images of at least 16 x 16 pixels (metrics/ms_ssim.h), is left out where there are none. `prototype` gives kind,
/// cell, dataset, model, attack, norm, radius, attacker and defence.
CellRecords measure(const Subject& subject, const References& references, const Outcome& outcome,
                    const CleanScores& clean, const Measurement& prototype, int threads);

}  // namespace vaeguard::measures
