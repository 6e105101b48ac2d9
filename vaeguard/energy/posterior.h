// The posterior energy U(z|x) = -log p(x|z) - log p(z) of each image, as a scalar field over latent codes.
#pragma once

#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/pool.h"
#include "vaeguard/base/scalar_field.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::energy {

/// B images give B energies in nats (Kuzina et al. 2022, eq. 9), normalising constants of likelihood and prior
/// included. Sums run in double; the gradient is with respect to z alone. Values come from vae.decoder(), gradients
/// from vae.gradient_decoder(), which may be less precise. Keeps references: `vae` must outlive the field.
class PosteriorEnergy : public ScalarField {
 public:
  /// images [B, C*H*W] with finite pixels.
  PosteriorEnergy(const models::Vae& vae, Matrix images);

  [[nodiscard]] std::int64_t size() const override { return images_.rows(); }
  [[nodiscard]] std::int64_t dimension() const override { return vae_.latent_size(); }
  void evaluate(std::int64_t first, const Matrix& latents, std::span<double> values, Matrix* gradients) const override;
  void gradients(std::int64_t first, const Matrix& latents, Matrix& gradients) const override;

 private:
  struct Workspace {
    std::unique_ptr<networks::Tape> tape;
    std::unique_ptr<networks::Tape> gradient_tape;  // null where one decoder does both
    Matrix parameters;
    Matrix parameter_gradients;
  };
  // From the gradient with respect to the decoder's outputs, its forward pass on `tape`, to that of the energy.
  static void pull_back(const Matrix& latents, const networks::Network& decoder, const Matrix& parameter_gradients,
                        networks::Tape& tape, Matrix& gradients);

  const models::Vae& vae_;
  Matrix images_;
  mutable Pool<Workspace> workspaces_;
};

/// The energy of one image in double precision through plain loops; writes the gradient unless null. The truth that
/// PosteriorEnergy is tested against.
double reference_energy(const models::VaeWeights& vae, std::span<const float> image, std::span<const double> latent,
                        std::vector<double>* gradient);

}  // namespace vaeguard::energy
