// How a pixel came to be what is observed: the attack as a noisy channel from true grey levels to observed ones.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/models/pixel_law.h"

namespace vaeguard::energy {

/// Of an extreme move to have gone up, where nothing tells.
inline constexpr double kEitherWay = 0.5;

/// What happened to a pixel, with these shares of an image's pixels (sum 1): it is `untouched`; it was moved by a
/// `uniform` amount within the radius; it was moved by the radius itself, up or down (`extreme`, what the sign of a
/// gradient does). All results are clipped to [0, 1].
struct Channel {
  double radius = 0.0;  // of the L-infinity ball, in units of the pixel range
  double untouched = 1.0;
  double uniform = 0.0;
  double extreme = 0.0;
  std::vector<float> up = {};  // [C*H*W] probability that an extreme move of this pixel went up; empty: one half

  [[nodiscard]] double up_at(std::size_t pixel) const { return up.empty() ? kEitherWay : up[pixel]; }
};

/// Probabilities that a pixel was moved by the radius, up and down.
struct ExtremeMove {
  double up = 0.0;
  double down = 0.0;
};

/// Sums over the true levels v of p(x | v, c) p(v | a), for each thing c that may have happened: untouched, uniform,
/// extreme. `moment` has v / 255 as a further factor.
struct ChannelTerms {
  std::array<double, 3> mass{};
  std::array<double, 3> moment{};
};

/// The share-weighted sum of terms.
double mixed(const Channel& channel, const std::array<double, 3>& terms);

/// A pixel law with running sums, so that the terms of a pixel cost the same at any radius. In double.
class ChannelModel {
 public:
  explicit ChannelModel(const models::PixelLaw& law);

  [[nodiscard]] std::int64_t nodes() const { return law_.nodes(); }
  [[nodiscard]] const models::PixelLaw& law() const { return law_; }
  /// Terms of the observed pixel x in [0, 1] where the decoder's output is that of a node; extreme moves go up with
  /// probability `up`.
  [[nodiscard]] ChannelTerms terms(double x, double radius, std::int64_t node, double up = kEitherWay) const;
  /// The same at any output of the decoder, linear between nodes.
  [[nodiscard]] ChannelTerms terms_at(double x, double radius, double parameter, double up = kEitherWay) const;
  /// Equal for two observed pixels only where their masses are equal at every node and any `up`. (The untouched moment
  /// has x itself.)
  [[nodiscard]] std::uint64_t level_key(double x, double radius) const;

  /// The shares that the image and the decoder's outputs make most probable at this radius, by expectation
  /// maximisation from equal shares with one made-up pixel for each, in a fixed number of rounds. Among touched pixels
  /// the extreme share is halfway between what the image says and 0.9. `evidence` gets sum log p(x) in nats.
  [[nodiscard]] Channel fit_shares(std::span<const float> image, std::span<const float> parameters, double radius,
                                   double* evidence = nullptr) const;
  /// The most probable channel among radii of whole levels, 1 and more, up to `largest`: all get one round, the best
  /// eight the rest.
  [[nodiscard]] Channel fit(std::span<const float> image, std::span<const float> parameters, double largest) const;
  /// What the image and the decoder's outputs say of each pixel's extreme moves, were both ways equally likely before.
  [[nodiscard]] std::vector<ExtremeMove> extreme_moves(std::span<const float> image, std::span<const float> parameters,
                                                       const Channel& channel) const;
  /// E[v / 255 | x, a] of each pixel: the image as it was before the attack, as far as can be told.
  void expected_image(std::span<const float> image, std::span<const float> parameters, const Channel& channel,
                      std::span<float> expected) const;

 private:
  // Sums over levels below v of p(v), v p(v) and v^2 p(v), and p(v) itself.
  struct Sums {
    double mass = 0.0;
    double first = 0.0;
    double second = 0.0;
    double level = 0.0;
  };
  // The rows of the nodes around a decoder's output, and how far it is towards the higher one.
  struct Place {
    const Sums* low;
    const Sums* high;
    double share;
  };
  struct Observed;
  struct Reach;
  struct Window;
  // Of uniform and extreme.
  static std::array<double, 2> touched_masses(const Window& window, const Sums* sums, double up);
  static std::array<double, 2> touched_moments(const Window& window, const Sums* sums, double up);
  static ChannelTerms terms_in(double x, const Window& window, const Sums* sums, double up);
  [[nodiscard]] Place place(double position) const;

  struct Group;
  using Masses = std::array<std::vector<double>, 3>;  // [groups] of what may have happened
  [[nodiscard]] std::vector<Group> groups_of(std::span<const float> image, std::span<const float> parameters) const;
  [[nodiscard]] Masses untouched_masses(const std::vector<Group>& groups) const;
  // Sets the other masses to those at a radius.
  void touch(const std::vector<Group>& groups, double radius, Masses& masses) const;
  static void improve_shares(const std::vector<Group>& groups, const Masses& masses, Channel& channel);
  static double log_evidence(const std::vector<Group>& groups, const Masses& masses, const Channel& channel);
  // Improves the shares from equal ones, and gives the evidence of the last ones.
  double look(const std::vector<Group>& groups, double radius, int improvements, Masses& masses,
              Channel& channel) const;

  [[nodiscard]] const Sums* row(std::int64_t node) const {
    return sums_.data() + node * (models::PixelLaw::kLevels + 1);
  }

  models::PixelLaw law_;
  std::vector<Sums> sums_;  // [nodes, kLevels + 1]
};

}  // namespace vaeguard::energy
