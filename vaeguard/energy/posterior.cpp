// Posterior energies through the decoder network, and their double-precision reference.
#include "vaeguard/energy/posterior.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "vaeguard/models/reference_prior.h"
#include "vaeguard/networks/reference/reference_network.h"

namespace vaeguard::energy {
namespace {

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
            vae.generative().make_tape(), vae.mixed() ? vae.gradient_generative().make_tape() : nullptr, {}, {}, {}});
      }) {}

void PosteriorEnergy::evaluate(std::span<const std::int64_t> functions, const Matrix& latents, std::span<double> values,
                               Matrix* gradients) const {
  const bool together = gradients != nullptr && !vae_.mixed();
  {
    auto workspace = workspaces_.borrow();
    auto& [tape, gradient_tape, parameters, parameter_gradients, prior_energies] = *workspace;
    prior_energies.resize(values.size());
    vae_.generative().forward(latents, parameters, prior_energies, *tape);
    parameter_gradients.resize(parameters.rows(), together ? parameters.columns() : 0);
    for (std::int64_t b = 0; b < latents.rows(); ++b) {
      const auto i = static_cast<std::size_t>(b);
      values[i] =
          observation_->negative_log(functions[i], parameters.row(b), parameter_gradients.row(b)) + prior_energies[i];
    }
    if (together) {
      vae_.generative().backward(parameter_gradients, *gradients, *tape);
    }
  }
  if (gradients != nullptr && !together) {
    this->gradients(functions, latents, *gradients);
  }
}

void PosteriorEnergy::gradients(std::span<const std::int64_t> functions, const Matrix& latents,
                                Matrix& gradients) const {
  auto workspace = workspaces_.borrow();
  auto& [value_tape, gradient_tape, parameters, parameter_gradients, prior_energies] = *workspace;
  const models::Generative& generative = vae_.gradient_generative();
  networks::Tape& tape = vae_.mixed() ? *gradient_tape : *value_tape;
  prior_energies.resize(static_cast<std::size_t>(latents.rows()));
  generative.forward(latents, parameters, prior_energies, tape);
  parameter_gradients.resize(parameters.rows(), parameters.columns());
  for (std::int64_t b = 0; b < latents.rows(); ++b) {
    observation_->gradient(functions[static_cast<std::size_t>(b)], parameters.row(b), parameter_gradients.row(b));
  }
  generative.backward(parameter_gradients, gradients, tape);
}

double reference_energy(const models::VaeWeights& vae, std::span<const float> image, std::span<const double> latent,
                        std::vector<double>* gradient) {
  const auto boundaries = networks::reference_forward(vae.decoder, latent);
  const std::vector<double>& parameters = boundaries.back();
  std::vector<double> prior_gradient;
  double energy = models::reference_prior_energy(vae.prior, latent, &prior_gradient);
  std::vector<double> parameter_gradient(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const models::PixelTerms pixel = vae.likelihood.pixel(image[i], parameters[i]);
    energy += pixel.value;
    parameter_gradient[i] = pixel.slope;
  }
  if (gradient != nullptr) {
    *gradient = networks::reference_backward(vae.decoder, boundaries, parameter_gradient);
    std::ranges::transform(*gradient, prior_gradient, gradient->begin(), std::plus<>{});
  }
  return energy;
}

}  // namespace vaeguard::energy
