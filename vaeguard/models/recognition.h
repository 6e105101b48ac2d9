// The recognition half of a VAE, q(z|x): from images to diagonal Gaussians over latent codes, and back.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/base/matrix.h"
#include "vaeguard/base/matrix_view.h"
#include "vaeguard/models/encoding.h"
#include "vaeguard/models/latent_layout.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::models {

/// What attacks and defences see of an encoder, whatever it is made of. n images of C*H*W pixels, D latents. Safe to
/// call from many threads with a tape each; a row's result does not depend on the other rows.
class Recognition {
 public:
  virtual ~Recognition() = default;
  [[nodiscard]] virtual ImageShape image() const = 0;
  [[nodiscard]] virtual const LatentLayout& latents() const = 0;
  /// What computes it, for records.
  [[nodiscard]] virtual std::string_view backend() const = 0;
  [[nodiscard]] virtual std::unique_ptr<networks::Tape> make_tape() const = 0;

  /// Images [n, C*H*W] -> the encoding's first `groups` groups of D' latents together: outputs [n, 2 D'] (resized), all
  /// means, then all log-variances, recorded on `tape`. Each group is given the means of those before it.
  virtual void forward(const Matrix& images, std::int64_t groups, Matrix& outputs, networks::Tape& tape) const = 0;
  /// Pulls the gradient at the outputs of the last forward on `tape` back to the images [n, C*H*W] (resized).
  virtual void backward(const Matrix& output_gradients, Matrix& image_gradients, networks::Tape& tape) const = 0;
  /// Pushes tangents at the images [n, C*H*W] of the last forward on `tape` to its outputs [n, 2 D'] (resized): the
  /// Jacobian times each tangent.
  virtual void tangent(const Matrix& image_tangents, Matrix& output_tangents, networks::Tape& tape) const = 0;
  /// Takes standard normal numbers [n, D] to a draw of q(z|x) of each image, whose encoding is given. As it stands each
  /// latent has its own Gaussian; a hierarchy, where later groups depend on what was drawn of earlier ones, overrides.
  [[nodiscard]] virtual Draws draw(const Matrix& images, const Encoding& encoding, const Matrix& noise) const;
  /// The spread that a sampler should expect of each latent: variances [n, D], for its metric.
  [[nodiscard]] virtual Matrix variances(const Encoding& encoding) const;
};

/// All groups of many images, in chunks on `threads` threads.
Encoding encode(const Recognition& recognition, const MatrixView& images, int threads);

}  // namespace vaeguard::models
