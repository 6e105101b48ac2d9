// How well a chain's mean image is known: its Monte Carlo standard error.
#pragma once

#include <vector>

#include "vaeguard/defences/defence.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::measures {

/// For each image, the root of the mean over pixels of the squared Monte Carlo standard error of
/// inference.mean_reconstruction (mcmc::mcse_mean of each pixel over the kept draws), on the scale 0 to 255 of mse255.
/// Pixels that no draw changes are known exactly. NaN where fewer than mcmc::kFewestDraws a chain were kept.
/// inference.draws must not be empty.
std::vector<double> reconstruction_error(const models::Vae& vae, const defences::Inference& inference, int threads);

}  // namespace vaeguard::measures
