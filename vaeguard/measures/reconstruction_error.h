// The Monte Carlo standard error of the mean image over chains.
#pragma once

#include <vector>

#include "vaeguard/defences/defence.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::measures {

/// For each image, the root of the mean over pixels of the squared Monte Carlo standard error of
/// inference.mean_reconstruction (mcmc::mcse_mean of each pixel over the kept draws), on the scale 0 to 255 of mse255.
/// Pixels that are the same in all draws have no error. NaN if fewer than mcmc::kFewestDraws draws per chain were kept.
/// inference.draws must not be empty.
std::vector<double> reconstruction_error(const models::Vae& vae, const defences::Inference& inference, int threads);

}  // namespace vaeguard::measures
