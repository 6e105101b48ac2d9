// What a VAE is trained for: the terms of a mini-batch's loss and their gradients, in chunks of rows.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/random.h"
#include "vaeguard/models/likelihood.h"
#include "vaeguard/training/elbo.h"
#include "vaeguard/training/encoder_pass.h"
#include "vaeguard/training/smooth_encoder.h"
#include "vaeguard/training/total_correlation.h"

namespace vaeguard::training {

/// A name of the registry (training/registry.h) and the options of all objectives; each reads some of them.
struct ObjectiveOptions {
  std::string name = "elbo";
  double beta = 1.0;  // weight of the divergence, in beta_tcvae of its total correlation
  TotalCorrelationEstimator estimator = TotalCorrelationEstimator::weighted;
  SmoothEncoderOptions smooth{};
  double correlation = 0.975;  // rho of self-consistency, as in the authors' instructions

  /// Throws Misuse for an unknown name, suggesting the nearest known one, and for impossible values.
  void validate() const;
};

/// Terms of a loss in nats, summed over images.
struct LossSum {
  ElboSum elbo;          // the terms of the ELBO
  double penalty = 0.0;  // the objective's further terms, with their weights

  LossSum& operator+=(const LossSum& other);
};

/// One chunk of rows: the inputs of an objective, and the buffers that it reuses from step to step.
struct ObjectiveChunk {
  Matrix images;          // [B, C*H*W]
  Matrix noise;           // [B, D], standard normal
  std::vector<Key> keys;  // [B], for all other choices
  ElboWorkspace workspace;
  EncoderPass other;
  LossSum sum;

  explicit ObjectiveChunk(const VaeNetworks& networks) : workspace(networks.encoder, networks.decoder) {}
};

/// A loss over the images of a mini-batch. Rows are independent except through couple(), so each result is the same for
/// any number of threads. A driver (training/batch_gradient.h) calls forward and backward for chunks on threads and, if
/// coupled(), couple() for the whole mini-batch in between.
class Objective {
 public:
  virtual ~Objective() = default;
  /// Whether the loss is more than the two terms of the ELBO.
  [[nodiscard]] virtual bool penalised() const = 0;
  /// The loss of summed terms.
  [[nodiscard]] virtual double loss(const LossSum& sum) const = 0;
  /// Forward passes: sets chunk.sum. May already add to `gradient` (VaeNetworks::split has its parts), summed over
  /// rows; an empty one asks for values alone.
  virtual void forward(const VaeNetworks& networks, ObjectiveChunk& chunk, std::span<float> gradient) const = 0;
  /// Adds all other gradients. Only after forward.
  virtual void backward(const VaeNetworks& networks, ObjectiveChunk& chunk, std::span<float> gradient) const = 0;
  /// Whether images of a mini-batch depend on each other.
  [[nodiscard]] virtual bool coupled() const { return false; }
  /// The term of all codes [B, 2 D] and latents [B, D] of a mini-batch, with its weight, summed over images; writes its
  /// gradients with respect to both unless null.
  virtual double couple(const Matrix& /*encoded*/, const Matrix& /*latents*/, int /*threads*/,
                        Matrix* /*encoded_gradients*/, Matrix* /*latent_gradients*/) const {
    return 0.0;
  }
};

/// The ELBO with the penalties that are set.
struct PenalisedElboOptions {
  double beta = 1.0;                      // weight of the divergence
  double total_correlation_weight = 0.0;  // in addition to the divergence's own
  TotalCorrelationOptions total_correlation;
  std::optional<SmoothEncoderOptions> smooth;
  std::optional<double> correlation;  // rho of self-consistency
};
std::unique_ptr<Objective> penalised_elbo(PenalisedElboOptions options);

/// The inconsistency of z ~ p(z) with the code of the image decoded from it, for the encoder alone; training images are
/// not used, and p is N(0, I). The decoder's gradient is zero. Reconstructed: the source says that an encoder can be
/// trained so "without access to the original training data" and gives no formula.
std::unique_ptr<Objective> self_supervision(double correlation);

}  // namespace vaeguard::training
