// The prior p(z) of a VAE: a standard normal, or a learned RealNVP.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/models/coupling.h"
#include "vaeguard/networks/layer_graph.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::models {

/// A prior as plain data: affine couplings (coupling.h) that take a code z to a base point u, so that p(z) = N(u; 0, I)
/// |det du/dz|. Coupling k keeps every second dimension and moves the others, which makes log |det du/dz| the sum of
/// all s, finite for every z. Without couplings it is the standard normal.
struct PriorWeights {
  std::vector<networks::LayerGraph> couplings;  // [kept] -> [2 moved], a then t
  double bound = 2.0;                           // of |s|
};

/// Most couplings of a prior that is trained or read.
inline constexpr std::int64_t kMostCouplings = 64;

/// "standard_normal" or "realnvp", the name of its entry (prior_design.h).
std::string_view name(const PriorWeights& prior);
/// "realnvp of 4 couplings": the name and its size, for listings.
std::string describe(const PriorWeights& prior);
/// Throws Misuse that names `place` and the coupling unless all fit codes of that many dimensions.
void validate(const PriorWeights& prior, std::int64_t latents, std::string_view place);

/// -log N(z; 0, I) in nats, summed in double.
double standard_normal_energy(std::span<const float> latent);

/// The intermediate values of a pass through the couplings, for its gradient. One tape serves one prior and one thread;
/// reuse it to save allocations.
struct PriorTape {
  std::vector<CouplingTape> steps;      // one per coupling
  std::int64_t rows = 0;                // B
  std::vector<double> point;            // u [B, D]
  std::vector<double> log_determinant;  // [B]
  std::vector<double> gradient;         // [B, D], from the last backward pass

  /// After forward: -log p(z) of code b in nats.
  [[nodiscard]] double energy(std::int64_t b) const;
};

/// Prior weights compiled for inference. A row's result does not depend on the other rows.
class Prior {
 public:
  explicit Prior(const PriorWeights& weights = {}, std::string_view backend = "auto");

  /// Maps codes [B, D] to their base points. Values between couplings are double; the networks take floats.
  void forward(const Matrix& latents, PriorTape& tape) const;
  /// After forward: tape.gradient, that of -log p(z) with respect to z.
  void backward(PriorTape& tape) const;
  /// Codes of base points [B, D], the inverse of forward: standard normal draws give draws of p(z).
  [[nodiscard]] Matrix from_base(const Matrix& base, int threads = 1) const;

 protected:
  Prior(const std::vector<std::shared_ptr<const networks::Network>>& networks, double bound);
  /// Backward of `weight` times the energy; pull(k, step) fills step.kept_gradients from step.output_gradients.
  template <typename Pull>
  void run_backward(double weight, PriorTape& tape, const Pull& pull) const;

 private:
  std::int64_t latents_;  // D; -1 without couplings
  std::vector<Coupling> couplings_;
};

/// A prior that is being trained.
class TrainablePrior : public Prior {
 public:
  explicit TrainablePrior(const PriorWeights& weights = {});

  [[nodiscard]] std::size_t parameters() const;
  /// Sets the parameters, coupling by coupling.
  void set_parameters(std::span<const float> parameters);
  /// As backward for `weight` times the energy; also adds the gradient of each parameter, summed over rows.
  void backward_parameters(double weight, std::span<float> parameter_gradients, PriorTape& tape) const;

 private:
  TrainablePrior(std::vector<std::shared_ptr<networks::TrainableNetwork>> networks, double bound);

  std::vector<std::shared_ptr<networks::TrainableNetwork>> trainable_;
};

}  // namespace vaeguard::models
