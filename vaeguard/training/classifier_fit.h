// Multinomial logistic regression on latent codes, trained to convergence.
#pragma once

#include <cstdint>
#include <span>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/observer.h"
#include "vaeguard/models/classifier.h"

namespace vaeguard::training {

struct ClassifierFitOptions {
  double ridge = 1e-4;  // weight of |standardised weights|^2 / 2; makes the optimum unique up to the biases
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

/// Minimises mean cross-entropy + ridge |W|^2 / 2 by L-BFGS in double, W being the weights on features standardised to
/// mean 0 and variance 1, and folds the standardisation back into the classifier. The result does not depend on the
/// number of threads. Throws Misuse for labels outside 0 .. classes - 1, Failure if it does not converge.
ClassifierFit fit_classifier(const Matrix& features, std::span<const std::int64_t> labels, std::int64_t classes,
                             const ClassifierFitOptions& options, Observer& observer);

}  // namespace vaeguard::training
