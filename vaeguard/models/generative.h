// The generative half of a VAE, p(x|z) p(z): from latent codes to the likelihood's parameters, and back.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/base/matrix.h"
#include "vaeguard/base/matrix_view.h"
#include "vaeguard/models/latent_layout.h"
#include "vaeguard/models/likelihood.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::models {

/// What energies, samplers, attacks and defences see of a decoder and its prior, whatever these are made of. n codes of
/// D latents, P parameters an image. Safe to call from many threads with a tape each; a row's result does not depend on
/// the other rows.
class Generative {
 public:
  virtual ~Generative() = default;
  [[nodiscard]] virtual ImageShape image() const = 0;
  [[nodiscard]] virtual const LatentLayout& latents() const = 0;
  /// P. As it stands one for each pixel.
  [[nodiscard]] virtual std::int64_t parameters() const { return image().size(); }
  /// What the parameters are parameters of.
  [[nodiscard]] virtual const Likelihood& likelihood() const = 0;
  /// What computes it, for records.
  [[nodiscard]] virtual std::string_view backend() const = 0;
  [[nodiscard]] virtual std::unique_ptr<networks::Tape> make_tape() const = 0;

  /// Codes [n, D] -> the likelihood's parameters [n, P] (resized) and -log p(z) of each code in nats [n], recorded on
  /// `tape`. With an empty span the prior is left out of this pass, and of backward too.
  virtual void forward(const Matrix& codes, Matrix& parameters, std::span<double> prior_energies,
                       networks::Tape& tape) const = 0;
  /// Pulls the gradient at the parameters [n, P] of the last forward on `tape` back to the codes, and adds that of
  /// -log p(z): [n, D] (resized).
  virtual void backward(const Matrix& parameter_gradients, Matrix& code_gradients, networks::Tape& tape) const = 0;
  /// Pushes tangents at the codes [n, D] of the last forward on `tape` to the parameters [n, P] (resized): the Jacobian
  /// times each tangent.
  virtual void tangent(const Matrix& code_tangents, Matrix& parameter_tangents, networks::Tape& tape) const = 0;
  /// Takes standard normal numbers [n, D] to draws of p(z); zeros to a point in its middle.
  [[nodiscard]] virtual Matrix draw(const Matrix& base, int threads = 1) const = 0;
};

/// The likelihood's parameters of many codes [n, D], in chunks on `threads` threads.
Matrix forward_all(const Generative& generative, const MatrixView& codes, int threads);
/// E[x|z] of codes [n, D]: mean images [n, C*H*W].
Matrix decode(const Generative& generative, const MatrixView& codes, int threads);

}  // namespace vaeguard::models
