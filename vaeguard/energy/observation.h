// Observation models: the image as it is, the best image in an attacker's ball, through an attack channel, under noise.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/norm.h"
#include "vaeguard/energy/channel.h"
#include "vaeguard/models/likelihood.h"
#include "vaeguard/models/pixel_law.h"

namespace vaeguard::energy {

/// The data term of a posterior energy: a function of the decoder's outputs for each image.
class Observation {
 public:
  virtual ~Observation() = default;
  /// The number of images.
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// The energy of image b in nats, summed in double; writes its gradient with respect to `parameters` [C*H*W] unless
  /// empty.
  virtual double negative_log(std::int64_t b, std::span<const float> parameters, std::span<float> gradient) const = 0;
  /// The gradient that negative_log writes, bit for bit.
  virtual void gradient(std::int64_t b, std::span<const float> parameters, std::span<float> gradient) const = 0;
  /// The second derivative of image b's energy by each parameter [C*H*W], those by two parameters left out: what a
  /// Newton step or the derivative of a mode needs. Where the energy has a kink, that of one side.
  virtual void curvature(std::int64_t b, std::span<const float> parameters, std::span<float> curvature) const = 0;
  /// What the true image is thought to be where the decoder gives these outputs.
  virtual void true_image(std::int64_t b, std::span<const float> parameters, std::span<float> image) const = 0;
};

/// -log p(x | z) of the images [B, C*H*W] as they are.
std::unique_ptr<Observation> exact_observation(const models::Likelihood& likelihood, Matrix images);

/// The minimum over e with |e| <= radius and x + e in [0, 1] of -log p(x + e | z): a code is scored by the best image
/// that the attacker may have started from. Its gradient is the ordinary one at that image (Danskin 1967). radii: one
/// for each image; the true reference's code never scores worse than it does unattacked. Its curvature in L2, where the
/// best image moves with the parameters, is that of an image that stays: an upper bound. Throws Misuse for L1.
std::unique_ptr<Observation> minimum_observation(const models::Likelihood& likelihood, Matrix images, Norm norm,
                                                 std::vector<double> radii);
/// The minimiser for one image, in closed form for L-infinity, by bisection of one multiplier for L2.
void best_image(const models::Likelihood& likelihood, Norm norm, double radius, std::span<const float> image,
                std::span<const float> parameters, std::span<float> best);

/// -log sum over the true image v of p(x | v) p(v | z), with a channel for each image and the pixel law as p(v | z).
/// Tabulated per distinct pixel at the law's nodes, cubic between them (Catmull and Rom 1974), constant beyond.
std::unique_ptr<Observation> channel_observation(std::shared_ptr<const ChannelModel> model, Matrix images,
                                                 std::vector<Channel> channels);

/// sum (x - m)^2 / (2 s^2) + log(2 pi s^2) / 2: the image is the decoder's mean image m(z) under noise N(0, s^2) of
/// each pixel, whatever likelihood the decoder was trained with. scales: s > 0 of each image. The curvature is whole,
/// m'^2 / s^2 + (m - x) m'' / s^2: the second term, which a Gauss-Newton step leaves out, may make it negative. The
/// true image is m itself within [0, 1]: nothing but noise is between it and x, so that x adds nothing to what z says
/// of it.
std::unique_ptr<Observation> gaussian_observation(const models::Likelihood& likelihood, Matrix images,
                                                  std::vector<double> scales);

/// -log sum_v p(v | z) N(x; v, s^2): the image is a draw of the pixel law under that noise. The true image is
/// E[v | x, z], to which both contribute. Tables as for a channel, filled on `threads` threads.
std::unique_ptr<Observation> law_observation(std::shared_ptr<const models::PixelLaw> law, Matrix images,
                                             std::vector<double> scales, int threads = 1);
/// The E step for one image under that noise where the decoder gives `parameters`: writes E[v | x, a] with a law that
/// is linear between its nodes, and returns the mean over pixels of E[(x - v)^2 | x, a]. That is the s^2 of the M step,
/// so that passes of both climb to the most probable scale (Dempster, Laird and Rubin 1977).
double expect_under_noise(const models::PixelLaw& law, double scale, std::span<const float> image,
                          std::span<const float> parameters, std::span<float> expected);

}  // namespace vaeguard::energy
