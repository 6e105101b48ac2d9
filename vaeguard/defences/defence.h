// A defence: infers latent codes of possibly attacked images; the undefended encoder is one of them.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/observer.h"
#include "vaeguard/base/random.h"
#include "vaeguard/mcmc/state.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::defences {

/// Where a defence stood after some gradients, for curves of repair against cost.
struct Snapshot {
  double gradients = 0.0;      // spent on one image so far
  Matrix latent;               // [B, D] present draw
  Matrix mean;                 // [B, D] mean of the draws so far; empty while there is none, as below
  Matrix mean_reconstruction;  // [B, C*H*W] mean over the draws so far; empty while there is none
};

/// What a defence infers of B images. A single draw is what the paper reports; means over draws are better estimates.
struct Inference {
  Matrix draw;                     // [B, D] the last draw
  Matrix mean;                     // [B, D] mean of the draws
  Matrix mean_reconstruction;      // [B, C*H*W] mean of the draws' mean images
  Matrix reencoded;                // [B, D] encoder's mean for the true image that the draws expect; empty where the
                                   // image is read as it is
  Matrix variance;                 // [B, D] of the draws, all chains of an image together; empty without a chain
  Matrix draws;                    // [B, K * D] every thin-th draw, K of all chains together, chain by chain; NaN for
                                   // those that chains ended without; empty without a chain, or if they are not kept,
                                   // as those of large codes are not unless asked for
  double gradients = 0.0;          // decoder gradients spent on one image, on average
  std::int64_t chains = 0;         // for each image; 0 without
  bool exact = true;               // whether the chains leave their posterior invariant, mcmc/kernel.h
  std::vector<double> acceptance;  // [B] mean over the counted transitions; empty where there is no chain, as all below
  std::vector<double> step_size;   // [B] at the end
  std::vector<double> divergences;  // [B] number of divergent transitions, warm-up included
  std::vector<std::vector<mcmc::Divergence>> first_divergences;  // [B] the first few of each of its chains
  std::vector<double> energy_drop;                               // [B] energy at the start less energy at the end, nats
  std::vector<double> rhat;      // [B] of every thin-th draw, the worst coordinate's, as the next three; of large
  std::vector<double> bulk_ess;  // codes the worst projection's (mcmc/monitor.h, mcmc/diagnostics.h); empty where
                                 // there are fewer than twelve draws per chain
  std::vector<double> tail_ess;
  std::vector<double> relative_mcse;  // standard error of the mean latent code, in posterior deviations
  std::vector<double> e_bfmi;
  std::vector<double> spent;        // [B] gradients, of all chains together, as the next two
  std::vector<double> transitions;  // [B] warm-up included
  std::vector<double> kept;         // [B] draws of every thin-th transition
  std::vector<double> touched;      // [B] share of the pixels that a channel thinks were touched; else empty
  std::vector<double> radius;       // [B] of the ball or channel through which the image was read; else empty
  std::vector<double> noise;        // [B] scale of the noise under which the image was read; else empty
  std::vector<Snapshot> snapshots;
};

class Defence {
 public:
  virtual ~Defence() = default;
  /// The name in records: "none", "hmc", "hmc_published".
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Infers images [B, C*H*W]; image b uses keys[b] alone, so results do not depend on the batch. Throws Interrupted.
  [[nodiscard]] virtual Inference infer(const models::Vae& vae, const Matrix& images, std::span<const Key> keys,
                                        int threads, Observer& observer) const = 0;
};

/// Throws Misuse naming `place` unless there is one key for each image.
void check_keys(std::string_view place, const Matrix& images, std::span<const Key> keys);

/// The undefended encoder: a draw of q(z|x), and its mean.
std::unique_ptr<Defence> make_undefended();

}  // namespace vaeguard::defences
