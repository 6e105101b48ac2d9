// Which field computes the posterior energies of a VAE: PosteriorEnergy, or one that its backend registered.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/scalar_field.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::energy {

/// Makes the energies U(z|x) of images [B, C*H*W]. The field keeps a reference to the VAE.
using PosteriorMaker = std::function<std::unique_ptr<ScalarField>(const models::Vae& vae, Matrix images)>;

/// Registers what makes the energies of VAEs whose decoder, a layer graph, the named backend runs; a later one replaces
/// an earlier one. Call it before threads start.
void register_posterior_maker(std::string_view backend, PosteriorMaker maker);

/// What the backend of vae.generative() registered, else a PosteriorEnergy. The same energies either way, within
/// rounding.
std::unique_ptr<ScalarField> make_posterior_energy(const models::Vae& vae, Matrix images);

/// Why that is a PosteriorEnergy although the backend registered another field, empty otherwise: a learned prior, or
/// the likelihood clamped_bernoulli, which exists only to reproduce the published code.
std::string maker_refusal(const models::Vae& vae);

}  // namespace vaeguard::energy
