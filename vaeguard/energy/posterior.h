// The posterior energy U(z|x) of each image, as a scalar field over latent codes: an observation model and the prior.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/pool.h"
#include "vaeguard/base/scalar_field.h"
#include "vaeguard/energy/observation.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::energy {

/// B images give B energies -log p(x|z) - log p(z) in nats (Kuzina et al. 2022, eq. 9), normalising constants of
/// likelihood and prior included, or what another observation makes of the first term. Sums run in double; the gradient
/// is with respect to z alone. Values come from vae.generative(), gradients from vae.gradient_generative(), which may
/// be less precise. Keeps references: `vae` must outlive the field.
class PosteriorEnergy : public ScalarField {
 public:
  /// The ordinary posterior energy of images [B, C*H*W] with finite pixels.
  PosteriorEnergy(const models::Vae& vae, Matrix images);
  PosteriorEnergy(const models::Vae& vae, std::shared_ptr<const Observation> observation);

  [[nodiscard]] std::int64_t size() const override { return observation_->size(); }
  [[nodiscard]] std::int64_t dimension() const override { return vae_.latent_size(); }
  void evaluate(std::span<const std::int64_t> functions, const Matrix& latents, std::span<double> values,
                Matrix* gradients) const override;
  void gradients(std::span<const std::int64_t> functions, const Matrix& latents, Matrix& gradients) const override;

 private:
  struct Workspace {
    std::unique_ptr<networks::Tape> tape;
    std::unique_ptr<networks::Tape> gradient_tape;  // null where one model does both
    Matrix parameters;
    Matrix parameter_gradients;
    std::vector<double> prior_energies;
  };

  const models::Vae& vae_;
  std::shared_ptr<const Observation> observation_;
  mutable Pool<Workspace> workspaces_;
};

/// The energy of one image in double precision through plain loops; writes the gradient unless null. PosteriorEnergy is
/// tested against it.
double reference_energy(const models::VaeWeights& vae, std::span<const float> image, std::span<const double> latent,
                        std::vector<double>* gradient);

}  // namespace vaeguard::energy
