// One affine coupling of a learned prior: towards the base point, back, and the gradient.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::models {

/// Which of D dimensions coupling k keeps (those of its parity) and which it moves: first, first + 2, ...
struct CouplingHalves {
  std::int64_t first_kept;
  std::int64_t first_moved;
  std::int64_t kept;   // how many
  std::int64_t moved;  // how many

  CouplingHalves(std::int64_t latents, std::size_t coupling);
};

/// The intermediate values of a coupling for B rows, for its gradient.
struct CouplingTape {
  std::unique_ptr<networks::Tape> network;
  Matrix kept;                    // [B, kept], what the network reads
  Matrix outputs;                 // [B, 2 moved], a then t
  std::vector<double> log_scale;  // s [B, moved]
  std::vector<double> scaled;     // u exp(s) [B, moved]
  Matrix output_gradients;
  Matrix kept_gradients;
};

/// u <- u exp(s) + t for the moved dimensions, s = bound tanh(a / bound), (a, t) = network(the kept ones) (RealNVP;
/// Dinh, Sohl-Dickstein and Bengio 2017, eq. 7). Points are double [B, D], the network takes floats.
class Coupling {
 public:
  Coupling(std::shared_ptr<const networks::Network> network, std::int64_t latents, std::size_t k, double bound)
      : network_(std::move(network)), latents_(latents), halves_(latents, k), bound_(bound) {}

  [[nodiscard]] const networks::Network& network() const { return *network_; }

  /// Moves the points and adds to each row's log-determinant its sum of s.
  void forward(std::span<double> points, std::span<double> log_determinants, CouplingTape& tape) const;
  /// Moves them back.
  void inverse(std::span<double> points, CouplingTape& tape) const;
  /// Backward of `weight` times |u|^2 / 2 - sum of s, in two parts: the first takes the gradient [B, D] at the moved
  /// dimensions through the map and leaves tape.output_gradients; the second, once the network has turned these into
  /// tape.kept_gradients, adds them to the kept dimensions.
  void begin_backward(double weight, std::span<double> gradient, CouplingTape& tape) const;
  void end_backward(std::span<double> gradient, const CouplingTape& tape) const;

 private:
  void run_network(std::span<const double> points, CouplingTape& tape) const;
  [[nodiscard]] std::int64_t rows(std::span<const double> points) const { return std::ssize(points) / latents_; }

  std::shared_ptr<const networks::Network> network_;
  std::int64_t latents_;  // D
  CouplingHalves halves_;
  double bound_;
};

}  // namespace vaeguard::models
