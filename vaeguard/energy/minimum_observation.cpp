// The best image within a ball: closed forms for each likelihood and norm.
#include <algorithm>
#include <cmath>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/energy/observation.h"

namespace vaeguard::energy {
namespace {

using models::Likelihood;
using models::LikelihoodKind;

constexpr int kBisections = 40;  // to float precision and below

// Bernoulli: -log p is linear in x with slope -logit, so a pixel goes to the end of its interval that the logit's sign
// names. Gaussian and Laplace: a pixel goes as near to the mean as it may.
void best_in_box(const Likelihood& likelihood, float radius, std::span<const float> image,
                 std::span<const float> parameters, std::span<float> best) {
  const bool bernoulli = likelihood.kind == LikelihoodKind::bernoulli;
  for (std::size_t i = 0; i < image.size(); ++i) {
    const float low = std::clamp(image[i] - radius, 0.0F, 1.0F);
    const float high = std::clamp(image[i] + radius, 0.0F, 1.0F);
    const float towards = bernoulli ? (parameters[i] > 0.0F ? high : low) : parameters[i];
    best[i] = parameters[i] == 0.0F && bernoulli ? image[i] : std::clamp(towards, low, high);
  }
}

// The minimiser in L2 for a multiplier t >= 0 of the ball: Bernoulli x + t l, Gaussian x + (m - x) t / (1 + t), Laplace
// a step of at most t towards m; all clipped to [0, 1]. Its distance to x grows with t.
float moved(const Likelihood& likelihood, float x, float parameter, double t) {
  const double gap = static_cast<double>(parameter) - x;
  const double step = likelihood.kind == LikelihoodKind::bernoulli  ? t * parameter
                      : likelihood.kind == LikelihoodKind::gaussian ? gap * t / (1.0 + t)
                                                                    : std::clamp(gap, -t, t);
  return static_cast<float>(std::clamp(x + step, 0.0, 1.0));
}

void best_in_ball(const Likelihood& likelihood, double radius, std::span<const float> image,
                  std::span<const float> parameters, std::span<float> best) {
  const auto distance = [&](double t) {
    double sum = 0.0;
    for (std::size_t i = 0; i < image.size(); ++i) {
      const double step = static_cast<double>(moved(likelihood, image[i], parameters[i], t)) - image[i];
      sum += step * step;
    }
    return std::sqrt(sum);
  };
  constexpr double kFarthest = 1e6;
  double low = 0.0;
  double high = 1e-3;
  while (high < kFarthest && distance(high) < radius) {
    low = high;
    high *= 10.0;
  }
  for (int i = 0; i < kBisections && high < kFarthest; ++i) {
    const double middle = 0.5 * (low + high);
    (distance(middle) < radius ? low : high) = middle;
  }
  const double t = high < kFarthest ? low : high;  // never outside the ball
  for (std::size_t i = 0; i < image.size(); ++i) {
    best[i] = moved(likelihood, image[i], parameters[i], t);
  }
}

class MinimumObservation : public Observation {
 public:
  MinimumObservation(const Likelihood& likelihood, Matrix images, BallNorm norm, std::vector<double> radii)
      : likelihood_(likelihood), images_(std::move(images)), norm_(norm), radii_(std::move(radii)) {
    check_finite("energy.observation", "images", images_);
    if (likelihood.kind == LikelihoodKind::clamped_bernoulli) {
      misuse("energy.observation",
             "the best image of a ball needs the likelihood bernoulli, gaussian or laplace, got {}",
             name(likelihood.kind));
    }
    if (static_cast<std::int64_t>(radii_.size()) != images_.rows()) {
      misuse("energy.observation", "radii must number {}, one an image, got {}", images_.rows(), radii_.size());
    }
    for (const double radius : radii_) {
      if (!std::isfinite(radius) || radius < 0.0) {
        misuse("energy.observation", "radius must be finite and >= 0, got {}", radius);
      }
    }
  }
  [[nodiscard]] std::int64_t size() const override { return images_.rows(); }
  double negative_log(std::int64_t b, std::span<const float> parameters, std::span<float> gradient) const override {
    return likelihood_.negative_log(best(b, parameters), parameters, gradient);
  }
  void gradient(std::int64_t b, std::span<const float> parameters, std::span<float> gradient) const override {
    likelihood_.gradient(best(b, parameters), parameters, gradient);
  }
  void true_image(std::int64_t b, std::span<const float> parameters, std::span<float> image) const override {
    best_image(likelihood_, norm_, radii_[static_cast<std::size_t>(b)], images_.row(b), parameters, image);
  }

 private:
  // Valid until the next call in this thread.
  std::span<const float> best(std::int64_t b, std::span<const float> parameters) const {
    thread_local std::vector<float> image;
    image.resize(parameters.size());
    true_image(b, parameters, image);
    return image;
  }

  Likelihood likelihood_;
  Matrix images_;
  BallNorm norm_;
  std::vector<double> radii_;
};

}  // namespace

void best_image(const Likelihood& likelihood, BallNorm norm, double radius, std::span<const float> image,
                std::span<const float> parameters, std::span<float> best) {
  if (radius == 0.0) {
    std::ranges::copy(image, best.begin());
  } else if (norm == BallNorm::linf) {
    best_in_box(likelihood, static_cast<float>(radius), image, parameters, best);
  } else {
    best_in_ball(likelihood, radius, image, parameters, best);
  }
}

std::unique_ptr<Observation> minimum_observation(const Likelihood& likelihood, Matrix images, BallNorm norm,
                                                 std::vector<double> radii) {
  return std::make_unique<MinimumObservation>(likelihood, std::move(images), norm, std::move(radii));
}

}  // namespace vaeguard::energy
