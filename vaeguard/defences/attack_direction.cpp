// A logistic regression of moves on the encoder's Jacobian.
#include "vaeguard/defences/attack_direction.h"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>

#include "vaeguard/base/eigen_view.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/lbfgs.h"

namespace vaeguard::defences {
namespace {

using Features = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;  // [latents, pixels]

// Of the regression, which need not be precise: only signs are used.
constexpr std::int64_t kIterations = 20;
// Pixels count as informative if one direction is this much more probable than the other.
constexpr double kTelling = 0.05;

std::vector<std::int64_t> farthest_latents(std::span<const float> shift, std::int64_t count) {
  std::vector<std::int64_t> order(shift.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater<>{},
                           [&](std::int64_t d) { return std::abs(shift[static_cast<std::size_t>(d)]); });
  order.resize(std::min(order.size(), static_cast<std::size_t>(count)));
  return order;
}

// d mean_k / d x of these latents, scaled so that the average pixel's column has norm 1; empty where all is zero.
Features scaled_jacobian(const models::Vae& vae, const AttackedImage& attacked,
                         const std::vector<std::int64_t>& latents) {
  const std::int64_t rows = std::ssize(latents);
  Matrix inputs(rows, std::ssize(attacked.image));
  Matrix gradients(rows, 2 * vae.latent_size());
  for (std::int64_t k = 0; k < rows; ++k) {
    std::ranges::transform(attacked.image, attacked.true_image, inputs.row(k).begin(),
                           [](float one, float other) { return 0.5F * (one + other); });
    gradients(k, latents[static_cast<std::size_t>(k)]) = 1.0F;
  }
  const auto tape = vae.recognition().make_tape();
  Matrix outputs;
  Matrix jacobian;
  vae.recognition().forward(inputs, vae.latents().count(), outputs, *tape);
  vae.recognition().backward(gradients, jacobian, *tape);
  const Features features = eigen_view(jacobian).cast<double>();
  const double scale = features.colwise().norm().mean();
  return scale > 0.0 && std::isfinite(scale) ? Features(features / scale) : Features();
}

// The moves of some pixels, and their likelihood given a direction.
class Regression {
 public:
  Regression(const Features& features, std::span<const energy::ExtremeMove> moves, std::vector<Eigen::Index> pixels,
             double ridge)
      : features_(features(Eigen::all, pixels)), ridge_(ridge) {
    for (const Eigen::Index pixel : pixels) {
      moves_.push_back(moves[static_cast<std::size_t>(pixel)]);
    }
  }

  [[nodiscard]] Eigen::VectorXd fit() const {
    const auto function = [&](std::span<const double> point, std::span<double> gradient) {
      const Eigen::Map<const Eigen::VectorXd> w(point.data(), features_.rows());
      Eigen::VectorXd slopes(features_.cols());
      const double gained = gain(w, &slopes);
      Eigen::Map<Eigen::VectorXd>(gradient.data(), features_.rows()) = ridge_ * w - features_ * slopes;
      return 0.5 * ridge_ * w.squaredNorm() - gained;
    };
    const std::vector<double> start(static_cast<std::size_t>(features_.rows()), 0.0);
    const auto found = minimise(function, start, {.iterations = kIterations});
    return Eigen::Map<const Eigen::VectorXd>(found.point.data(), features_.rows());
  }

  // The moves' gain in log-likelihood, in nats, over no direction; also its derivatives with respect to w . J_i.
  double gain(const Eigen::VectorXd& w, Eigen::VectorXd* slopes = nullptr) const {
    const Eigen::VectorXd scores = features_.transpose() * w;
    double sum = 0.0;
    for (Eigen::Index i = 0; i < scores.size(); ++i) {
      const auto [up, down] = moves_[static_cast<std::size_t>(i)];
      const double share = 1.0 / (1.0 + std::exp(-scores[i]));
      const double likelihood = 1.0 - up - down + 2.0 * (share * up + (1.0 - share) * down);
      sum += std::log(likelihood);
      if (slopes != nullptr) {
        (*slopes)[i] = 2.0 * share * (1.0 - share) * (up - down) / likelihood;
      }
    }
    return sum;
  }

 private:
  Features features_;  // of these pixels
  std::vector<energy::ExtremeMove> moves_;
  double ridge_;
};

// The informative pixels in two halves, alternating.
std::array<std::vector<Eigen::Index>, 2> telling_pixels(std::span<const energy::ExtremeMove> moves) {
  std::array<std::vector<Eigen::Index>, 2> halves;
  std::size_t telling = 0;
  for (std::size_t i = 0; i < moves.size(); ++i) {
    if (std::abs(moves[i].up - moves[i].down) > kTelling) {
      halves[telling++ % 2].push_back(static_cast<Eigen::Index>(i));
    }
  }
  return halves;
}

}  // namespace

std::vector<float> attack_direction(const models::Vae& vae, const AttackedImage& attacked,
                                    std::span<const energy::ExtremeMove> moves, const DirectionOptions& options) {
  if (attacked.image.size() != moves.size() || attacked.true_image.size() != moves.size()) {
    misuse("defences.attack_direction", "expected moves and true image of {} pixels, got {} and {}",
           attacked.image.size(), moves.size(), attacked.true_image.size());
  }
  if (std::ssize(attacked.shift) != vae.latent_size()) {
    misuse("defences.attack_direction", "expected the shift of {} latents, got {}", vae.latent_size(),
           attacked.shift.size());
  }
  const auto halves = telling_pixels(moves);
  if (halves[1].empty()) {
    return {};
  }
  const Features features = scaled_jacobian(vae, attacked, farthest_latents(attacked.shift, options.latents));
  if (features.size() == 0) {
    return {};
  }
  const Regression even(features, moves, halves[0], options.ridge);
  const Regression odd(features, moves, halves[1], options.ridge);
  // NaN is no evidence.
  if (!(even.gain(odd.fit()) + odd.gain(even.fit()) >= options.evidence)) {
    return {};
  }
  std::vector<Eigen::Index> all = halves[0];
  all.insert(all.end(), halves[1].begin(), halves[1].end());
  const Eigen::VectorXd scores =
      features.transpose() * Regression(features, moves, std::move(all), options.ridge).fit();
  std::vector<float> up;
  for (const double score : scores) {
    up.push_back(static_cast<float>(score > 0.0   ? options.certainty
                                    : score < 0.0 ? 1.0 - options.certainty
                                                  : energy::kEitherWay));
  }
  return up;
}

}  // namespace vaeguard::defences
