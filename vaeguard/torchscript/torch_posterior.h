// The posterior energy on libtorch: on a GPU, whole trajectories of all chains run between one upload and one download.
#pragma once

#include <memory>
#include <string>

#include "vaeguard/base/matrix.h"
#include "vaeguard/mcmc/integrator.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::torchscript {

/// The energies of energy::PosteriorEnergy, within rounding, on a device by libtorch's name for it, "cpu" or "cuda:1";
/// energies are summed in double there. On a GPU it prefers as many chains as 2 GiB of activations hold, and each
/// trajectory is one CUDA graph if the build has CUDA; callers in several threads then take turns. A chain's result
/// depends on its batch, within rounding. Does not keep `vae`. Throws Misuse for a learned prior, for which
/// energy::make_posterior_energy makes a PosteriorEnergy.
std::unique_ptr<mcmc::TrajectoryField> make_torch_posterior(const models::Vae& vae, const Matrix& images,
                                                            const std::string& device);

}  // namespace vaeguard::torchscript
