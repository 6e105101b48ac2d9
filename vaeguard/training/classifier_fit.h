// Multinomial logistic regression on latent codes, trained to convergence.
#pragma once

#include <cstdint>
#include <span>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/observer.h"
#include "vaeguard/models/classifier.h"

namespace vaeguard::training {

struct ClassifierFitOptions {
  /// Weight of |W|^2 / 2. Latent dimensions that the encoder does not use have means near 0 and draws of variance 1;
  /// without a ridge on the unscaled weights, noise in those means is amplified and draws are classified at random.
  double ridge = 5e-4;
  double gradient_tolerance = 1e-6;  // largest gradient norm / max(1, parameter norm) at which the fit is done
  int max_iterations = 2000;
  int threads = 1;

  void validate() const;
};

struct ClassifierFit {
  models::LinearClassifier classifier;
  double loss = 0.0;  // mean cross-entropy in nats, without the ridge
  double gradient_norm = 0.0;
  int iterations = 0;
};

/// Minimises mean cross-entropy + ridge |W|^2 / 2 (biases are free) by L-BFGS in double. The result does not depend on
/// the number of threads. Throws Misuse for labels outside 0 .. classes - 1, Failure if it does not converge.
ClassifierFit fit_classifier(const Matrix& features, std::span<const std::int64_t> labels, std::int64_t classes,
                             const ClassifierFitOptions& options, Observer& observer);

}  // namespace vaeguard::training
