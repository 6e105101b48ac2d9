// Posterior energies through the decoder network, and their double-precision reference.
#include "vaeguard/energy/posterior.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <utility>

#include "vaeguard/models/reference_prior.h"
#include "vaeguard/networks/reference/reference_network.h"

namespace vaeguard::energy {
namespace {

// -log p of one pixel and its slope, in double.
double reference_pixel(const models::Likelihood& likelihood, double x, double p, double& slope) {
  const double difference = p - x;
  switch (likelihood.kind) {
    case models::LikelihoodKind::bernoulli:
      slope = 1.0 / (1.0 + std::exp(-p)) - x;
      return std::max(p, 0.0) + std::log1p(std::exp(-std::abs(p))) - x * p;
    case models::LikelihoodKind::gaussian:
      slope = difference / likelihood.variance;
      return 0.5 * difference * slope + 0.5 * std::log(2.0 * std::numbers::pi * likelihood.variance);
    case models::LikelihoodKind::laplace:
      slope = static_cast<double>((difference > 0.0) - (difference < 0.0)) / likelihood.scale();
      return std::abs(difference) / likelihood.scale() + std::log(2.0 * likelihood.scale());
    case models::LikelihoodKind::clamped_bernoulli: {
      const double clamped = std::clamp(p, 1e-5, 1.0 - 1e-5);
      slope = clamped == p ? difference / (p * (1.0 - p)) : 0.0;
      return -x * std::log(clamped) - (1.0 - x) * std::log1p(-clamped);
    }
  }
  return std::nan("");
}

std::shared_ptr<const Observation> checked_observation(const models::Vae& vae, Matrix images) {
  check_shape("energy.posterior", "images", images, -1, vae.image().size());
  return exact_observation(vae.likelihood(), std::move(images));
}

}  // namespace

PosteriorEnergy::PosteriorEnergy(const models::Vae& vae, Matrix images)
    : PosteriorEnergy(vae, checked_observation(vae, std::move(images))) {}

PosteriorEnergy::PosteriorEnergy(const models::Vae& vae, std::shared_ptr<const Observation> observation)
    : vae_(vae), observation_(std::move(observation)), workspaces_([&vae] {
        return std::make_unique<Workspace>(Workspace{
            vae.decoder().make_tape(), vae.mixed() ? vae.gradient_decoder().make_tape() : nullptr, {}, {}, {}});
      }) {}

void PosteriorEnergy::evaluate(std::span<const std::int64_t> functions, const Matrix& latents, std::span<double> values,
                               Matrix* gradients) const {
  const bool together = gradients != nullptr && !vae_.mixed();
  {
    auto workspace = workspaces_.borrow();
    auto& [tape, gradient_tape, parameters, parameter_gradients, prior] = *workspace;
    vae_.decoder().forward(latents, parameters, *tape);
    vae_.prior().forward(latents, prior);
    parameter_gradients.resize(parameters.rows(), together ? parameters.columns() : 0);
    for (std::int64_t b = 0; b < latents.rows(); ++b) {
      const auto i = static_cast<std::size_t>(b);
      values[i] =
          observation_->negative_log(functions[i], parameters.row(b), parameter_gradients.row(b)) + prior.energy(b);
    }
    if (together) {
      pull_back(vae_.decoder(), parameter_gradients, *tape, prior, *gradients);
    }
  }
  if (gradients != nullptr && !together) {
    this->gradients(functions, latents, *gradients);
  }
}

void PosteriorEnergy::gradients(std::span<const std::int64_t> functions, const Matrix& latents,
                                Matrix& gradients) const {
  auto workspace = workspaces_.borrow();
  auto& [value_tape, gradient_tape, parameters, parameter_gradients, prior] = *workspace;
  const networks::Network& decoder = vae_.gradient_decoder();
  networks::Tape& tape = vae_.mixed() ? *gradient_tape : *value_tape;
  decoder.forward(latents, parameters, tape);
  vae_.prior().forward(latents, prior);
  parameter_gradients.resize(parameters.rows(), parameters.columns());
  for (std::int64_t b = 0; b < latents.rows(); ++b) {
    observation_->gradient(functions[static_cast<std::size_t>(b)], parameters.row(b), parameter_gradients.row(b));
  }
  pull_back(decoder, parameter_gradients, tape, prior, gradients);
}

void PosteriorEnergy::pull_back(const networks::Network& decoder, const Matrix& parameter_gradients,
                                networks::Tape& tape, models::PriorTape& prior, Matrix& gradients) const {
  decoder.backward(parameter_gradients, gradients, tape);
  vae_.prior().backward(prior);
  std::ranges::transform(gradients.flat(), prior.gradient, gradients.flat().begin(),
                         [](float sum, double more) { return sum + static_cast<float>(more); });
}

double reference_energy(const models::VaeWeights& vae, std::span<const float> image, std::span<const double> latent,
                        std::vector<double>* gradient) {
  const auto boundaries = networks::reference_forward(vae.decoder, latent);
  const std::vector<double>& parameters = boundaries.back();
  std::vector<double> prior_gradient;
  double energy = models::reference_prior_energy(vae.prior, latent, &prior_gradient);
  std::vector<double> parameter_gradient(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    energy += reference_pixel(vae.likelihood, image[i], parameters[i], parameter_gradient[i]);
  }
  if (gradient != nullptr) {
    *gradient = networks::reference_backward(vae.decoder, boundaries, parameter_gradient);
    std::ranges::transform(*gradient, prior_gradient, gradient->begin(), std::plus<>{});
  }
  return energy;
}

}  // namespace vaeguard::energy
