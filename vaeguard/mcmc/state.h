// The state of a batch of chains: positions with cached energies and gradients, so that nothing is evaluated twice.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/random.h"
#include "vaeguard/base/scalar_field.h"

namespace vaeguard::mcmc {

/// The energies that a batch of chains explores: chain b samples function functions[b] of the field.
struct Target {
  const ScalarField& field;
  std::vector<std::int64_t> functions;
};

/// n chains in D dimensions: exactly what the next transition needs.
struct State {
  Matrix position;             // [n, D]
  std::vector<double> energy;  // [n], nats; +infinity where the field gave no finite energy
  Matrix gradient;             // [n, D]
  Matrix momentum = {};        // [n, D] if the kernel carries it over to the next transition, else empty

  [[nodiscard]] std::int64_t chains() const { return position.rows(); }
};

/// Evaluates energy and gradient at `position`. Throws Misuse if the position is not finite or the target does not have
/// one function per row.
State make_state(const Target& target, Matrix position);
/// Evaluates again at state.position, in place. A chain whose energy or gradient is not finite gets energy +infinity.
void evaluate(const Target& target, State& state);
/// Evaluates only the gradient, in place; the energy is left as it was. A gradient that is not finite becomes 0.
void evaluate_gradient(const Target& target, State& state);
/// Copies the named chains, without momentum.
State gather(const State& state, std::span<const std::int64_t> chains);
/// Writes chain i of `from` over chain chains[i] of `to`, except momentum.
void scatter(const State& from, std::span<const std::int64_t> chains, State& to);
/// Copies position, energy and gradient of chain b; a kernel that carries momentum copies that itself.
void copy_chain(const State& from, std::int64_t b, State& to);

/// The key of transition t of each chain.
std::vector<Key> step_keys(std::span<const Key> keys, std::uint64_t t);

/// An energy error (nats) above which a trajectory is called divergent (Stan's bound; Betancourt 2018, section 6.2).
constexpr double kDivergence = 1000.0;

/// A trajectory whose energy error is above kDivergence or NaN, because the step was too long for the curvature or the
/// energy is not defined.
struct Divergence {
  std::int64_t chain = 0;       // index in the batch
  int transition = 0;           // of the chain, from 1; 0 until the caller that runs the chain sets it
  double step_size = 0.0;       // of each leapfrog step, jitter included
  double energy_error = 0.0;    // H(end) - H(start), nats; may be infinite or NaN
  std::vector<float> position;  // [D] at the start
  std::vector<float> momentum;  // [D] at the start
  std::vector<float> end;       // [D], position at the end; may hold infinities and NaN
};

/// What a transition did, never fed back into the state.
struct Info {
  std::vector<double> acceptance;            // [n], min(1, exp(-energy error)); 0 for a divergence
  std::vector<char> accepted;                // [n]
  std::vector<char> divergent;               // [n], whether the trajectory diverged
  std::vector<double> energy_error;          // [n], H(proposal) - H(start)
  std::vector<int> gradients = {};           // [n], gradients that the transition spent on each chain
  std::vector<double> total_energy = {};     // [n], H(start) with the drawn momentum, from which E-BFMI is computed
  std::vector<int> turn = {};                // [n], steps to the first U-turn if the kernel looks for it, else empty
  std::vector<Divergence> divergences = {};  // of the divergent chains, in their order
};

}  // namespace vaeguard::mcmc
