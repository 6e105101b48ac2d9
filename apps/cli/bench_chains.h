// The chains that the HMC benchmark times: a decoder, images, and transitions as the defences run them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/random.h"
#include "vaeguard/energy/posterior.h"
#include "vaeguard/mcmc/hmc.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::cli {

/// A model, and images for it.
struct BenchModel {
  models::VaeWeights weights;
  Matrix images;
  bool own = false;  // the user's, of a checkpoint
};

/// "mnist" is the paper's model of grey images with the weights that training starts from, "colour" the same with three
/// channels; anything else is the file of a checkpoint.
BenchModel bench_model(const std::string& name);

/// Multiply-adds of one forward pass by the plain formula of each layer, k * k * inputs * outputs * positions of its
/// defining loop, including those that meet padding, as the literature counts them. 7,254,016 for the MNIST decoder.
std::int64_t nominal_multiply_adds(const networks::LayerGraph& graph);

/// The outcome of a timed run.
struct Timed {
  double seconds = 0.0;
  double gradients = 0.0;
  double acceptance = 0.0;  // mean over chains and transitions

  [[nodiscard]] double gradients_per_second() const { return gradients / seconds; }
};

/// `batch` chains from draws of the encoder's q(z|x). Keeps references to VAE and model.
class BenchChains {
 public:
  BenchChains(const models::Vae& vae, const BenchModel& model, std::int64_t batch);
  /// Throws Failure unless energy and gradient of chains spread over the batch, evaluated in the defences' chunks,
  /// agree with the double-precision reference.
  void check_against_reference() const;
  /// The first `chains` chains through `transitions` transitions each, chunks of them on `threads` threads.
  [[nodiscard]] Timed run(std::int64_t chains, int transitions, int threads) const;
  [[nodiscard]] std::int64_t batch() const { return latents_.rows(); }
  [[nodiscard]] int gradients_per_transition() const { return kernel_.gradients_per_step(); }

 private:
  const models::Vae& vae_;
  const BenchModel& model_;
  energy::PosteriorEnergy energy_;
  std::vector<Key> keys_;
  Matrix latents_;
  mcmc::Hmc kernel_{{.leapfrog_steps = 20}};
};

}  // namespace vaeguard::cli
