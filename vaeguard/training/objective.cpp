// The ELBO with its penalties, and self-supervision on decoded draws from the prior.
#include "vaeguard/training/objective.h"

#include <algorithm>
#include <utility>

#include "vaeguard/training/self_consistency.h"

namespace vaeguard::training {
namespace {

// The mean images of the decoder's outputs.
void mean_images(const models::Likelihood& likelihood, const Matrix& outputs, Matrix& images) {
  images.resize(outputs.rows(), outputs.columns());
  for (std::int64_t b = 0; b < outputs.rows(); ++b) {
    likelihood.mean(outputs.row(b), images.row(b));
  }
}

class PenalisedElbo : public Objective {
 public:
  explicit PenalisedElbo(PenalisedElboOptions options) : options_(std::move(options)) {}

  [[nodiscard]] bool penalised() const override { return by_rows() || coupled(); }
  [[nodiscard]] bool coupled() const override { return options_.total_correlation_weight != 0.0; }
  [[nodiscard]] double loss(const LossSum& sum) const override { return sum.elbo.loss(options_.beta) + sum.penalty; }

  void forward(const VaeNetworks& networks, ObjectiveChunk& chunk, std::span<float> gradient) const override {
    ElboWorkspace& workspace = chunk.workspace;
    chunk.sum = {.elbo = elbo_forward(networks, chunk.images, chunk.noise, workspace)};
    workspace.added_latent_gradients.resize(0, 0);
    workspace.added_encoded_gradients.resize(0, 0);
    if (by_rows()) {
      const auto encoder_gradient = gradient.empty() ? gradient : networks.split(gradient).encoder;
      workspace.added_encoded_gradients = Matrix(workspace.encoded.rows(), workspace.encoded.columns());
      chunk.sum.penalty = row_penalties(networks, chunk, encoder_gradient);
    }
  }

  void backward(const VaeNetworks& networks, ObjectiveChunk& chunk, std::span<float> gradient) const override {
    elbo_backward(networks, chunk.noise, options_.beta, chunk.workspace, gradient);
  }

  double couple(const Matrix& encoded, const Matrix& latents, int threads, Matrix* encoded_gradients,
                Matrix* latent_gradients) const override {
    TotalCorrelationOptions options = options_.total_correlation;
    options.threads = threads;
    const double weight = options_.total_correlation_weight;
    const double value = total_correlation(encoded, latents, options, encoded_gradients, latent_gradients);
    for (Matrix* gradients : {encoded_gradients, latent_gradients}) {
      if (gradients != nullptr) {
        std::ranges::transform(gradients->flat(), gradients->flat().begin(),
                               [&](float g) { return static_cast<float>(weight * g); });
      }
    }
    return weight * value;
  }

 private:
  [[nodiscard]] bool by_rows() const { return options_.smooth || options_.correlation; }

  double row_penalties(const VaeNetworks& networks, ObjectiveChunk& chunk, std::span<float> gradient) const {
    ElboWorkspace& workspace = chunk.workspace;
    double sum = 0.0;
    if (options_.smooth) {
      sum += add_smooth_penalty(networks.encoder, chunk.images, workspace.encoded, chunk.keys, *options_.smooth,
                                chunk.other, workspace.added_encoded_gradients, gradient);
    }
    if (options_.correlation) {
      mean_images(networks.likelihood, workspace.outputs, chunk.other.images);
      sum += add_inconsistency(networks.encoder, workspace.encoded, *options_.correlation, chunk.other,
                               workspace.added_encoded_gradients, gradient);
    }
    return sum;
  }

  PenalisedElboOptions options_;
};

class SelfSupervision : public Objective {
 public:
  explicit SelfSupervision(double correlation) : correlation_(correlation) {}

  [[nodiscard]] bool penalised() const override { return true; }
  [[nodiscard]] double loss(const LossSum& sum) const override { return sum.penalty; }

  void forward(const VaeNetworks& networks, ObjectiveChunk& chunk, std::span<float> /*gradient*/) const override {
    ElboWorkspace& workspace = chunk.workspace;
    networks.decoder.forward(chunk.noise, workspace.outputs, *workspace.decoder_tape);
    mean_images(networks.likelihood, workspace.outputs, chunk.other.images);
    chunk.other.forward(networks.encoder);
    chunk.sum = {};
    for (std::int64_t b = 0; b < chunk.noise.rows(); ++b) {
      chunk.sum.penalty += inconsistency(chunk.noise.row(b), {}, chunk.other.encoded.row(b), correlation_, {},
                                         chunk.other.encoded_gradients.row(b));
    }
  }

  void backward(const VaeNetworks& networks, ObjectiveChunk& chunk, std::span<float> gradient) const override {
    networks.encoder.backward_parameters(chunk.other.encoded_gradients, nullptr, networks.split(gradient).encoder,
                                         *chunk.other.tape);
  }

 private:
  double correlation_;
};

}  // namespace

LossSum& LossSum::operator+=(const LossSum& other) {
  elbo += other.elbo;
  penalty += other.penalty;
  return *this;
}

std::unique_ptr<Objective> penalised_elbo(PenalisedElboOptions options) {
  return std::make_unique<PenalisedElbo>(std::move(options));
}

std::unique_ptr<Objective> self_supervision(double correlation) {
  return std::make_unique<SelfSupervision>(correlation);
}

}  // namespace vaeguard::training
