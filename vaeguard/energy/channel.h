// The attack as a noisy channel from true grey levels to observed ones.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/models/pixel_law.h"

namespace vaeguard::energy {

/// Prior probability that an extreme move went up.
inline constexpr double kEitherWay = 0.5;

/// What may have happened to a pixel, with shares of an image's pixels that sum to 1: it is `untouched`; it was moved
/// by a `uniform` amount within the radius; it was moved by the radius itself, up or down (`extreme`, as by the sign of
/// a gradient). All results are clipped to [0, 1].
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

/// Sums over the true levels v of p(x | v, c) p(v | a), for each kind c of change: untouched, uniform, extreme.
/// `moment` has v / 255 as a further factor.
struct ChannelTerms {
  std::array<double, 3> mass{};
  std::array<double, 3> moment{};
};

/// The share-weighted sum of terms.
double mixed(const Channel& channel, const std::array<double, 3>& terms);

/// A pixel law with cumulative sums in double, so that the terms of a pixel cost the same at any radius.
class ChannelModel {
 public:
  explicit ChannelModel(const models::PixelLaw& law);

  [[nodiscard]] std::int64_t nodes() const { return law_.nodes(); }
  [[nodiscard]] const models::PixelLaw& law() const { return law_; }
  /// Terms of the observed pixel x in [0, 1] for the decoder's output at a node; extreme moves go up with probability
  /// `up`.
  [[nodiscard]] ChannelTerms terms(double x, double radius, std::int64_t node, double up = kEitherWay) const;
  /// The same at any output of the decoder, linear between nodes.
  [[nodiscard]] ChannelTerms terms_at(double x, double radius, double parameter, double up = kEitherWay) const;
  /// Equal for two observed pixels only if their masses are equal at every node and any `up`. (The untouched moment
  /// contains x itself.)
  [[nodiscard]] std::uint64_t level_key(double x, double radius) const;

  /// The most probable shares at this radius, given the image and the decoder's outputs, by expectation maximisation
  /// from equal shares with one pseudo-pixel each, in a fixed number of rounds. Among touched pixels the extreme share
  /// is halfway between the image's estimate and 0.9. `evidence` gets sum log p(x) in nats.
  [[nodiscard]] Channel fit_shares(std::span<const float> image, std::span<const float> parameters, double radius,
                                   double* evidence = nullptr) const;
  /// The most probable channel among radii of whole levels, 1 and more, up to `largest`: all get one round, the best
  /// eight the rest.
  [[nodiscard]] Channel fit(std::span<const float> image, std::span<const float> parameters, double largest) const;
  /// Probabilities of each pixel's extreme moves, given the image and the decoder's outputs, with equal priors.
  [[nodiscard]] std::vector<ExtremeMove> extreme_moves(std::span<const float> image, std::span<const float> parameters,
                                                       const Channel& channel) const;
  /// E[v / 255 | x, a] of each pixel: the expected image before the attack.
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
  // The rows of the two nodes around a decoder's output, and its fractional position between them.
  struct Place {
    const Sums* low;
    const Sums* high;
    double share;
  };
  struct Observed;
  struct Reach;
  struct Window;
  // For uniform and extreme moves.
  static std::array<double, 2> touched_masses(const Window& window, const Sums* sums, double up);
  static std::array<double, 2> touched_moments(const Window& window, const Sums* sums, double up);
  static ChannelTerms terms_in(double x, const Window& window, const Sums* sums, double up);
  [[nodiscard]] Place place(double position) const;

  struct Group;
  using Masses = std::array<std::vector<double>, 3>;  // [groups] for each kind of change
  [[nodiscard]] std::vector<Group> groups_of(std::span<const float> image, std::span<const float> parameters) const;
  [[nodiscard]] Masses untouched_masses(const std::vector<Group>& groups) const;
  // Sets the masses of touched pixels for a radius.
  void touch(const std::vector<Group>& groups, double radius, Masses& masses) const;
  static void improve_shares(const std::vector<Group>& groups, const Masses& masses, Channel& channel);
  static double log_evidence(const std::vector<Group>& groups, const Masses& masses, const Channel& channel);
  // Improves the shares, beginning with equal ones, and returns the evidence of the last ones.
  double look(const std::vector<Group>& groups, double radius, int improvements, Masses& masses,
              Channel& channel) const;

  [[nodiscard]] const Sums* row(std::int64_t node) const {
    return sums_.data() + node * (models::PixelLaw::kLevels + 1);
  }

  models::PixelLaw law_;
  std::vector<Sums> sums_;  // [nodes, kLevels + 1]
};

}  // namespace vaeguard::energy
