// Forward and backward passes of the evidence lower bound.
#include "vaeguard/training/elbo.h"

#include <cmath>

namespace vaeguard::training {
namespace {

// From d/dz to d/d(mean, log variance): dz/dmean = 1 and dz/d(log variance) = (z - mean) / 2. The divergence adds beta
// mean and beta (variance - 1) / 2, and to d/dz the difference between a learned prior and N(0, I).
void encoded_gradients(const Matrix& noise, double beta, ElboWorkspace& workspace) {
  const std::int64_t size = noise.columns();
  workspace.encoded_gradients.resize(noise.rows(), 2 * size);
  for (std::int64_t b = 0; b < noise.rows(); ++b) {
    for (std::int64_t d = 0; d < size; ++d) {
      const double mean = workspace.encoded(b, d);
      const double log_variance = workspace.encoded(b, size + d);
      double dz = workspace.latent_gradients(b, d);
      dz += workspace.prior_tape.gradient[static_cast<std::size_t>(b * size + d)] - beta * workspace.latents(b, d);
      if (!workspace.added_latent_gradients.empty()) {
        dz += workspace.added_latent_gradients(b, d);
      }
      const double spread = std::exp(0.5 * log_variance) * noise(b, d);
      double by_mean = dz + beta * mean;
      double by_log_variance = 0.5 * dz * spread + 0.5 * beta * std::expm1(log_variance);
      if (!workspace.added_encoded_gradients.empty()) {
        by_mean += workspace.added_encoded_gradients(b, d);
        by_log_variance += workspace.added_encoded_gradients(b, size + d);
      }
      workspace.encoded_gradients(b, d) = static_cast<float>(by_mean);
      workspace.encoded_gradients(b, size + d) = static_cast<float>(by_log_variance);
    }
  }
}

}  // namespace

ElboSum& ElboSum::operator+=(const ElboSum& other) {
  reconstruction += other.reconstruction;
  divergence += other.divergence;
  return *this;
}

double divergence_from_prior(std::span<const float> encoded) {
  const std::size_t size = encoded.size() / 2;
  double sum = 0.0;
  for (std::size_t d = 0; d < size; ++d) {
    const double mean = encoded[d];
    const double log_variance = encoded[size + d];
    sum += 0.5 * (mean * mean + std::expm1(log_variance) - log_variance);
  }
  return sum;
}

const models::TrainablePrior& standard_normal_prior() {
  static const models::TrainablePrior prior;
  return prior;
}

std::size_t VaeNetworks::parameters() const {
  return encoder.graph().parameters.size() + decoder.graph().parameters.size() + prior.parameters();
}

VaeNetworks::Parts VaeNetworks::split(std::span<float> parameters) const {
  const std::size_t first = encoder.graph().parameters.size();
  const std::size_t second = decoder.graph().parameters.size();
  return {.encoder = parameters.first(first),
          .decoder = parameters.subspan(first, second),
          .prior = parameters.subspan(first + second)};
}

std::vector<double> divergences(const models::Prior& prior, const Matrix& encoded, const Matrix& latents,
                                models::PriorTape& tape) {
  prior.forward(latents, tape);
  std::vector<double> result;
  for (std::int64_t b = 0; b < latents.rows(); ++b) {
    result.push_back(divergence_from_prior(encoded.row(b)) +
                     (tape.energy(b) - models::standard_normal_energy(latents.row(b))));
  }
  return result;
}

void reparametrise(const Matrix& encoded, const Matrix& noise, Matrix& latents) {
  const std::int64_t size = noise.columns();
  check_shape("training.elbo", "encoder outputs", encoded, noise.rows(), 2 * size);
  latents.resize(noise.rows(), size);
  for (std::int64_t b = 0; b < noise.rows(); ++b) {
    for (std::int64_t d = 0; d < size; ++d) {
      latents(b, d) = static_cast<float>(encoded(b, d) + std::exp(0.5 * encoded(b, size + d)) * noise(b, d));
    }
  }
}

ElboWorkspace::ElboWorkspace(const networks::Network& encoder, const networks::Network& decoder)
    : encoder_tape(encoder.make_tape()), decoder_tape(decoder.make_tape()) {}

ElboSum elbo_forward(const VaeNetworks& networks, const Matrix& images, const Matrix& noise, ElboWorkspace& workspace) {
  networks.encoder.forward(images, workspace.encoded, *workspace.encoder_tape);
  reparametrise(workspace.encoded, noise, workspace.latents);
  networks.decoder.forward(workspace.latents, workspace.outputs, *workspace.decoder_tape);
  const std::vector<double> divergence =
      divergences(networks.prior, workspace.encoded, workspace.latents, workspace.prior_tape);
  workspace.output_gradients.resize(images.rows(), images.columns());
  ElboSum sum;
  for (std::int64_t b = 0; b < images.rows(); ++b) {
    sum.reconstruction +=
        networks.likelihood.negative_log(images.row(b), workspace.outputs.row(b), workspace.output_gradients.row(b));
    sum.divergence += divergence[static_cast<std::size_t>(b)];
  }
  return sum;
}

void elbo_backward(const VaeNetworks& networks, const Matrix& noise, double beta, ElboWorkspace& workspace,
                   std::span<float> gradient) {
  const VaeNetworks::Parts parts = networks.split(gradient);
  networks.decoder.backward_parameters(workspace.output_gradients, &workspace.latent_gradients, parts.decoder,
                                       *workspace.decoder_tape);
  networks.prior.backward_parameters(beta, parts.prior, workspace.prior_tape);
  encoded_gradients(noise, beta, workspace);
  networks.encoder.backward_parameters(workspace.encoded_gradients, nullptr, parts.encoder, *workspace.encoder_tape);
}

ElboSum elbo_gradient(const VaeNetworks& networks, const Matrix& images, const Matrix& noise, double beta,
                      ElboWorkspace& workspace, std::span<float> gradient) {
  const ElboSum sum = elbo_forward(networks, images, noise, workspace);
  elbo_backward(networks, noise, beta, workspace, gradient);
  return sum;
}

}  // namespace vaeguard::training
