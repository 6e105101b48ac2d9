// Every metric of one cell: attacked images, what a defence inferred of them, and the clean references.
#pragma once

#include "vaeguard/data/dataset.h"
#include "vaeguard/defences/defence.h"
#include "vaeguard/measures/record.h"
#include "vaeguard/models/classifier.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::measures {

/// The model under test.
struct Subject {
  models::Vae vae;
  models::LinearClassifier classifier;
};

/// n references and what is known of them before any attack.
struct References {
  std::vector<std::int64_t> index;       // in the test set
  data::Images images;                   // [n, P]
  models::Encoding encoding;             // [n, D]
  Matrix mean_reconstruction;            // [n, P], of the means
  std::vector<std::int64_t> prediction;  // undefended, of the means
  Key draw_key{0};                       // draws of q(z|x_ref): draw_key.fold(index).fold(restart)
};

References make_references(const Subject& subject, data::Images images, std::vector<std::int64_t> index, Key draw_key,
                           int threads);

/// Attacked images [n * restarts, P], restarts of one reference in a row, and what a defence inferred of them.
struct Outcome {
  Matrix adversarial;
  std::int64_t restarts = 1;
  defences::Inference inference;
  double seconds = 0.0;
};

/// Measurements under the protocols draw/mean, draw/worst, mean/mean and mean/worst, the per-image values, and curves.
/// `prototype` gives cell, dataset, model, attack, norm, radius, attacker and defence.
CellRecords measure(const Subject& subject, const References& references, const Outcome& outcome,
                    const Measurement& prototype, int threads);

}  // namespace vaeguard::measures
