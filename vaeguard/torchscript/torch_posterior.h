// The posterior energy on libtorch: on a GPU all chains' trajectories run there, from one upload to one download.
#pragma once

#include <memory>
#include <string>

#include "vaeguard/base/matrix.h"
#include "vaeguard/mcmc/integrator.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::torchscript {

/// The energies that energy::PosteriorEnergy gives, within rounding, on a device that libtorch names so, "cpu" or
/// "cuda:1"; energies are summed in double there. On a GPU it prefers as many chains as 2 GiB of activations hold, and
/// each trajectory is one CUDA graph where the build has CUDA; callers in several threads then take turns. A chain's
/// result depends on its batch, within rounding. Keeps nothing of `vae`. Throws Misuse for a learned prior, which
/// energy::make_posterior_energy gives a PosteriorEnergy.
std::unique_ptr<mcmc::TrajectoryField> make_torch_posterior(const models::Vae& vae, const Matrix& images,
                                                            const std::string& device);

}  // namespace vaeguard::torchscript
