// Posterior energies, gradients and leapfrog trajectories as libtorch calls.
#include "vaeguard/torchscript/torch_posterior.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <numbers>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/torchscript/recording.h"
#include "vaeguard/torchscript/tensor_likelihood.h"
#include "vaeguard/torchscript/tensors.h"
#include "vaeguard/torchscript/torch_layers.h"

namespace vaeguard::torchscript {
namespace {

constexpr std::string_view kPlace = "torchscript.torch_posterior";

// U(z|x) of n latents z [n, D] and images x [n, C*H*W], tensors on one device.
class DeviceEnergy {
 public:
  DeviceEnergy(const models::VaeWeights& vae, const torch::Device& device)
      : latent_(vae.decoder.input()), likelihood_(tensor_likelihood(vae.likelihood)), layers_(vae.decoder, device) {}

  struct Evaluation {
    torch::Tensor energy;    // [n], double
    torch::Tensor gradient;  // [n, D]
  };

  [[nodiscard]] Evaluation evaluate(const torch::Tensor& z, const torch::Tensor& x) const {
    const Tracked tracked = decode(z);
    return {energy(tracked.parameters.detach(), z, x), pull_back(tracked, x)};
  }
  [[nodiscard]] torch::Tensor energy(const torch::Tensor& z, const torch::Tensor& x) const {
    const torch::NoGradGuard no_gradients;
    return energy(run(z), z, x);
  }
  [[nodiscard]] torch::Tensor gradient(const torch::Tensor& z, const torch::Tensor& x) const {
    return pull_back(decode(z), x);
  }

 private:
  // A decoder pass that autograd can differentiate with respect to its latents.
  struct Tracked {
    torch::Tensor latents;     // [n, D]
    torch::Tensor parameters;  // [n, C*H*W]
  };

  [[nodiscard]] torch::Tensor run(const torch::Tensor& z) const {
    return layers_.run(z.reshape({z.size(0), latent_.channels, latent_.height, latent_.width})).flatten(1);
  }

  [[nodiscard]] Tracked decode(const torch::Tensor& z) const {
    const torch::AutoGradMode with_gradients(true);
    const torch::Tensor latents = z.detach().requires_grad_();
    return {latents, run(latents)};
  }

  // Autograd starts at the decoder's outputs, where the gradient of -log p(x|z) is known in closed form.
  [[nodiscard]] torch::Tensor pull_back(const Tracked& tracked, const torch::Tensor& x) const {
    const torch::Tensor parameters = tracked.parameters.detach();
    const torch::Tensor slope = likelihood_.gradient(parameters, x);
    return torch::autograd::grad({tracked.parameters}, {tracked.latents}, {slope}).front() + tracked.latents.detach();
  }

  // In double, as energy/posterior.h defines it.
  [[nodiscard]] torch::Tensor energy(const torch::Tensor& parameters, const torch::Tensor& z,
                                     const torch::Tensor& x) const {
    const double log_two_pi = std::log(2.0 * std::numbers::pi);
    const torch::Tensor prior = z.to(torch::kFloat64).square().sum(1) + static_cast<double>(z.size(1)) * log_two_pi;
    return likelihood_.negative_log(parameters.to(torch::kFloat64), x) + 0.5 * prior;
  }

  ImageShape latent_;
  TensorLikelihood likelihood_;
  TorchLayers layers_;
};

// The chains of one batch on the device, at fixed addresses, and their trajectory.
class Trajectory {
 public:
  Trajectory(const DeviceEnergy& energy, const torch::Device& device, std::int64_t chains, std::int64_t dimension,
             std::int64_t pixels, int steps)
      : energy_(energy),
        staged_(torch::zeros({chains * (4 * dimension + 1)},
                             torch::TensorOptions(torch::kFloat32).pinned_memory(device.is_cuda()))),
        input_(torch::zeros_like(staged_, torch::TensorOptions(device).pinned_memory(false))),
        images_(torch::zeros({chains, pixels}, torch::TensorOptions(device).dtype(torch::kFloat32))),
        position_(part(0, chains, dimension)),
        momentum_(part(1, chains, dimension)),
        gradient_(part(2, chains, dimension)),
        inverse_mass_(part(3, chains, dimension)),
        step_size_(input_.narrow(0, 4 * chains * dimension, chains).view({chains, 1})),
        recording_(device, [this, steps] { return integrate(steps); }) {}

  // Positions, momenta, gradients and energies after the steps replace those in `state` and `momentum`.
  void run(const torch::Tensor& images, const mcmc::Metric& metric, std::span<const double> step_size,
           mcmc::State& state, Matrix& momentum) {
    float* to = staged_.data_ptr<float>();
    for (const Matrix* values :
         std::initializer_list<const Matrix*>{&state.position, &momentum, &state.gradient, &metric.inverse_mass}) {
      to = std::ranges::copy(values->values(), to).out;
    }
    std::ranges::transform(step_size, to, [](double step) { return static_cast<float>(step); });
    images_.copy_(images);
    input_.copy_(staged_, /*non_blocking=*/true);
    const torch::Tensor results = recording_.run().to(torch::kCPU);
    const double* from = results.data_ptr<double>();
    for (Matrix* values : {&state.position, &momentum, &state.gradient}) {
      std::transform(from, from + values->flat().size(), values->data(),
                     [](double value) { return static_cast<float>(value); });
      from += values->flat().size();
    }
    std::copy_n(from, state.energy.size(), state.energy.begin());
  }

 private:
  [[nodiscard]] torch::Tensor part(std::int64_t index, std::int64_t chains, std::int64_t dimension) const {
    return input_.narrow(0, index * chains * dimension, chains * dimension).view({chains, dimension});
  }

  // mcmc::leapfrog, in place. Returns position, momentum, gradient and energy as one tensor of doubles, which hold
  // floats exactly.
  torch::Tensor integrate(int steps) {
    const torch::NoGradGuard no_gradients;
    const torch::Tensor drift = step_size_ * inverse_mass_;
    momentum_.addcmul_(step_size_, gradient_, -0.5);
    for (int l = 1; l < steps; ++l) {
      position_.addcmul_(drift, momentum_);
      torch::Tensor gradient = energy_.gradient(position_, images_);
      momentum_.addcmul_(step_size_, gradient.masked_fill_(broken(gradient), 0.0), -1.0);
    }
    position_.addcmul_(drift, momentum_);
    auto [energy, gradient] = energy_.evaluate(position_, images_);
    const torch::Tensor lost = broken(gradient).logical_or_(energy.isfinite().logical_not_().unsqueeze(1));
    gradient.masked_fill_(lost, 0.0);
    energy.masked_fill_(lost.squeeze(1), std::numeric_limits<double>::infinity());
    momentum_.addcmul_(step_size_, gradient, -0.5);
    return torch::cat({position_.flatten(), momentum_.flatten(), gradient.flatten(), energy}, 0);
  }

  // Which chains have a gradient that is not finite [n, 1].
  static torch::Tensor broken(const torch::Tensor& gradient) { return gradient.isfinite().all(1, true).logical_not_(); }

  const DeviceEnergy& energy_;
  torch::Tensor staged_;  // on the host: position, momentum, gradient, inverse mass [n, D] each, step size [n]
  torch::Tensor input_;   // the same on the device
  torch::Tensor images_;  // [n, C*H*W]
  torch::Tensor position_;
  torch::Tensor momentum_;
  torch::Tensor gradient_;
  torch::Tensor inverse_mass_;
  torch::Tensor step_size_;
  Recording recording_;
};

// While a graph is recorded, no other work may run on the GPU, whichever field it belongs to.
std::mutex& gpu_mutex() {
  static std::mutex mutex;
  return mutex;
}

class TorchPosterior : public mcmc::TrajectoryField {
 public:
  TorchPosterior(const models::VaeWeights& vae, const Matrix& images, const torch::Device& device)
      : latent_(vae.decoder.input()),
        chains_held_(count_held(vae.decoder)),
        device_(device),
        energy_(vae, device),
        images_(image_tensor(images, vae.image(), device).flatten(1)) {}

  [[nodiscard]] std::int64_t size() const override { return images_.size(0); }
  [[nodiscard]] std::int64_t dimension() const override { return latent_.size(); }
  [[nodiscard]] std::int64_t preferred_chains() const override { return device_.is_cuda() ? chains_held_ : 0; }

  void evaluate(std::span<const std::int64_t> functions, const Matrix& latents, std::span<double> values,
                Matrix* gradients) const override {
    const torch::Tensor x = images_of(functions, latents);
    if (latents.empty()) {
      return none(gradients);
    }
    const auto turn = take_turn();
    const torch::Tensor z = latent_tensor(latents);
    torch::Tensor energy;
    if (gradients == nullptr) {
      energy = energy_.energy(z, x);
    } else {
      const DeviceEnergy::Evaluation evaluation = energy_.evaluate(z, x);
      energy = evaluation.energy;
      to_matrix(evaluation.gradient, *gradients);
    }
    energy = energy.to(torch::kCPU);
    std::copy_n(energy.data_ptr<double>(), energy.numel(), values.begin());
  }

  void gradients(std::span<const std::int64_t> functions, const Matrix& latents, Matrix& gradients) const override {
    const torch::Tensor x = images_of(functions, latents);
    if (latents.empty()) {
      return none(&gradients);
    }
    const auto turn = take_turn();
    to_matrix(energy_.gradient(latent_tensor(latents), x), gradients);
  }

  void leapfrog(std::span<const std::int64_t> functions, const mcmc::Metric& metric, std::span<const double> step_size,
                int steps, mcmc::State& state, Matrix& momentum) const override {
    const std::int64_t chains = state.chains();
    const torch::Tensor x = images_of(functions, state.position);
    check_shape(kPlace, "momentum", momentum, chains, dimension());
    check_shape(kPlace, "gradient", state.gradient, chains, dimension());
    check_shape(kPlace, "inverse_mass", metric.inverse_mass, chains, dimension());
    if (static_cast<std::int64_t>(step_size.size()) != chains) {
      misuse(kPlace, "step_size must have one entry for each of {} chains, got {}", chains, step_size.size());
    }
    if (chains == 0) {
      return;
    }
    state.energy.resize(static_cast<std::size_t>(chains));
    const auto turn = take_turn();
    const auto make = [&] {
      return std::make_unique<Trajectory>(energy_, device_, chains, dimension(), images_.size(1), steps);
    };
    if (!device_.is_cuda()) {
      make()->run(x, metric, step_size, state, momentum);
      return;
    }
    auto& trajectory = trajectories_[{chains, steps}];
    if (trajectory == nullptr) {
      trajectory = make();
    }
    trajectory->run(x, metric, step_size, state, momentum);
  }

 private:
  // How many chains fit their activations into 2 GiB: floats at all boundaries, once forward, once backward, and as
  // much again for the workspaces of libraries.
  static std::int64_t count_held(const networks::LayerGraph& decoder) {
    constexpr std::int64_t kBytes = std::int64_t{1} << 31;
    std::int64_t values = decoder.input_size();
    for (const networks::Layer& layer : decoder.layers) {
      values += layer.output.size();
    }
    return std::max<std::int64_t>(1, kBytes / (4 * static_cast<std::int64_t>(sizeof(float)) * values));
  }

  static void none(Matrix* gradients) {
    if (gradients != nullptr) {
      gradients->resize(0, 0);
    }
  }

  [[nodiscard]] std::unique_lock<std::mutex> take_turn() const {
    return device_.is_cuda() ? std::unique_lock(gpu_mutex()) : std::unique_lock<std::mutex>();
  }

  [[nodiscard]] torch::Tensor images_of(std::span<const std::int64_t> functions, const Matrix& latents) const {
    check_shape(kPlace, "latents", latents, std::ssize(functions), dimension());
    for (const std::int64_t function : functions) {
      if (function < 0 || function >= size()) {
        misuse(kPlace, "functions must be in 0 .. {}, got {}", size() - 1, function);
      }
    }
    const bool neighbours =
        std::ranges::adjacent_find(functions, [](auto a, auto b) { return b != a + 1; }) == functions.end();
    if (functions.empty() || neighbours) {  // a view: consecutive images need no upload of indices
      return images_.narrow(0, functions.empty() ? 0 : functions.front(), std::ssize(functions));
    }
    const auto count = std::ssize(functions);
    const torch::Tensor rows = torch::empty({count}, torch::kInt64);
    std::ranges::copy(functions, rows.data_ptr<std::int64_t>());
    return images_.index_select(0, rows.to(device_));
  }

  [[nodiscard]] torch::Tensor latent_tensor(const Matrix& latents) const {
    return image_tensor(latents, latent_, device_).flatten(1);
  }

  ImageShape latent_;
  std::int64_t chains_held_;
  torch::Device device_;
  DeviceEnergy energy_;
  torch::Tensor images_;  // [B, C*H*W]
  // On a GPU, one recording for each number of chains and steps; all chunks but the last share one.
  mutable std::map<std::pair<std::int64_t, int>, std::unique_ptr<Trajectory>> trajectories_;
};

}  // namespace

std::unique_ptr<mcmc::TrajectoryField> make_torch_posterior(const models::Vae& vae, const Matrix& images,
                                                            const std::string& device) {
  check_shape(kPlace, "images", images, -1, vae.image().size());
  check_finite(kPlace, "images", images);
  if (vae.layers() == nullptr) {
    misuse(kPlace, "the model must be made of layer graphs");
  }
  const models::VaeWeights& weights = vae.layers()->weights();
  if (!weights.prior.couplings.empty()) {
    misuse(kPlace, "the prior must be standard_normal, got {}", models::name(weights.prior));
  }
  try {
    return std::make_unique<TorchPosterior>(weights, images, torch::Device(device));
  } catch (const c10::Error& problem) {
    misuse(kPlace, "cannot use the device '{}': {}", device, problem.what_without_backtrace());
  }
}

}  // namespace vaeguard::torchscript
