// Posterior energies through the decoder network, and their double-precision reference.
#include "vaeguard/energy/posterior.h"

#include <cmath>
#include <numbers>
#include <utility>

#include "vaeguard/networks/reference/reference_network.h"

namespace vaeguard::energy {
namespace {

// -log N(z; 0, I)
template <typename Number>
double prior_energy(std::span<const Number> latent) {
  double sum = 0.0;
  for (const Number value : latent) {
    sum += static_cast<double>(value) * value;
  }
  return 0.5 * (sum + static_cast<double>(latent.size()) * std::log(2.0 * std::numbers::pi));
}

}  // namespace

PosteriorEnergy::PosteriorEnergy(const models::Vae& vae, Matrix images)
    : vae_(vae), images_(std::move(images)), workspaces_([&vae] {
        return std::make_unique<Workspace>(
            Workspace{vae.decoder().make_tape(), vae.mixed() ? vae.gradient_decoder().make_tape() : nullptr, {}, {}});
      }) {
  check_shape("energy.posterior", "images", images_, -1, vae.image().size());
  check_finite("energy.posterior", "images", images_);
}

void PosteriorEnergy::evaluate(std::int64_t first, const Matrix& latents, std::span<double> values,
                               Matrix* gradients) const {
  const bool together = gradients != nullptr && !vae_.mixed();
  {
    auto workspace = workspaces_.borrow();
    auto& [tape, gradient_tape, parameters, parameter_gradients] = *workspace;
    vae_.decoder().forward(latents, parameters, *tape);
    parameter_gradients.resize(parameters.rows(), together ? parameters.columns() : 0);
    for (std::int64_t b = 0; b < latents.rows(); ++b) {
      values[static_cast<std::size_t>(b)] =
          vae_.likelihood().negative_log(images_.row(first + b), parameters.row(b), parameter_gradients.row(b)) +
          prior_energy(latents.row(b));
    }
    if (together) {
      pull_back(latents, vae_.decoder(), parameter_gradients, *tape, *gradients);
    }
  }
  if (gradients != nullptr && !together) {
    this->gradients(first, latents, *gradients);
  }
}

void PosteriorEnergy::gradients(std::int64_t first, const Matrix& latents, Matrix& gradients) const {
  auto workspace = workspaces_.borrow();
  auto& [value_tape, gradient_tape, parameters, parameter_gradients] = *workspace;
  const networks::Network& decoder = vae_.gradient_decoder();
  networks::Tape& tape = vae_.mixed() ? *gradient_tape : *value_tape;
  decoder.forward(latents, parameters, tape);
  parameter_gradients.resize(parameters.rows(), parameters.columns());
  for (std::int64_t b = 0; b < latents.rows(); ++b) {
    vae_.likelihood().gradient(images_.row(first + b), parameters.row(b), parameter_gradients.row(b));
  }
  pull_back(latents, decoder, parameter_gradients, tape, gradients);
}

void PosteriorEnergy::pull_back(const Matrix& latents, const networks::Network& decoder,
                                const Matrix& parameter_gradients, networks::Tape& tape, Matrix& gradients) {
  decoder.backward(parameter_gradients, gradients, tape);
  for (std::int64_t b = 0; b < latents.rows(); ++b) {
    for (std::int64_t d = 0; d < latents.columns(); ++d) {
      gradients(b, d) += latents(b, d);
    }
  }
}

double reference_energy(const models::VaeWeights& vae, std::span<const float> image, std::span<const double> latent,
                        std::vector<double>* gradient) {
  const auto boundaries = networks::reference_forward(vae.decoder, latent);
  const std::vector<double>& parameters = boundaries.back();
  const bool bernoulli = vae.likelihood.kind == models::LikelihoodKind::bernoulli;
  const double variance = vae.likelihood.variance;
  double energy = prior_energy(latent);
  std::vector<double> parameter_gradient(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double p = parameters[i];
    const double difference = p - image[i];
    energy += bernoulli ? std::max(p, 0.0) + std::log1p(std::exp(-std::abs(p))) - image[i] * p
                        : 0.5 * difference * difference / variance + 0.5 * std::log(2.0 * std::numbers::pi * variance);
    parameter_gradient[i] = bernoulli ? 1.0 / (1.0 + std::exp(-p)) - image[i] : difference / variance;
  }
  if (gradient != nullptr) {
    *gradient = networks::reference_backward(vae.decoder, boundaries, parameter_gradient);
    for (std::size_t d = 0; d < latent.size(); ++d) {
      (*gradient)[d] += latent[d];
    }
  }
  return energy;
}

}  // namespace vaeguard::energy
