// The best image within a ball: closed forms for each likelihood and norm.
#include <algorithm>
#include <cmath>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/energy/observation.h"

namespace vaeguard::energy {
namespace {

using models::Likelihood;
using models::PixelInterval;

constexpr int kBisections = 40;  // to float precision and below

void check_norm(Norm norm) {
  if (norm != Norm::linf && norm != Norm::l2) {
    misuse("energy.observation", "the norm must be linf or l2, got {}", name(norm));
  }
}

// What each pixel may be. Valid until the next call on this thread.
std::span<const PixelInterval> box(std::span<const float> image, float radius) {
  thread_local std::vector<PixelInterval> intervals;
  intervals.resize(image.size());
  std::ranges::transform(image, intervals.begin(), [radius](float x) {
    return PixelInterval{std::clamp(x - radius, 0.0F, 1.0F), std::clamp(x + radius, 0.0F, 1.0F)};
  });
  return intervals;
}

// The minimiser in L2 for a multiplier t >= 0 of the ball, clipped to [0, 1]. Its distance to the image grows with t.
void take_steps(const Likelihood& likelihood, double t, std::span<const float> image, std::span<const float> parameters,
                std::span<float> moved) {
  thread_local std::vector<double> steps;
  steps.resize(image.size());
  likelihood.likelier_steps(image, parameters, t, steps);
  for (std::size_t i = 0; i < image.size(); ++i) {
    moved[i] = static_cast<float>(std::clamp(image[i] + steps[i], 0.0, 1.0));
  }
}

void best_in_ball(const Likelihood& likelihood, double radius, std::span<const float> image,
                  std::span<const float> parameters, std::span<float> best) {
  const auto distance = [&](double t) {
    take_steps(likelihood, t, image, parameters, best);
    double sum = 0.0;
    for (std::size_t i = 0; i < image.size(); ++i) {
      const double step = static_cast<double>(best[i]) - image[i];
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
  take_steps(likelihood, t, image, parameters, best);
}

class MinimumObservation : public Observation {
 public:
  MinimumObservation(const Likelihood& likelihood, Matrix images, Norm norm, std::vector<double> radii)
      : likelihood_(likelihood), images_(std::move(images)), norm_(norm), radii_(std::move(radii)) {
    check_finite("energy.observation", "images", images_);
    if (likelihood.published_only()) {
      misuse("energy.observation", "the best image of a ball needs a likelihood of more than published runs, got {}",
             likelihood.name());
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
  void curvature(std::int64_t b, std::span<const float> parameters, std::span<float> curvature) const override {
    const std::span<const float> image = best(b, parameters);
    likelihood_.curvature(image, parameters, curvature);
    if (norm_ == Norm::linf) {
      const auto radius = static_cast<float>(radii_[static_cast<std::size_t>(b)]);
      likelihood_.clear_followers(parameters, box(images_.row(b), radius), curvature);
    }
  }
  void true_image(std::int64_t b, std::span<const float> parameters, std::span<float> image) const override {
    best_image(likelihood_, norm_, radii_[static_cast<std::size_t>(b)], images_.row(b), parameters, image);
  }

 private:
  // Valid until the next call on this thread.
  std::span<const float> best(std::int64_t b, std::span<const float> parameters) const {
    thread_local std::vector<float> image;
    image.resize(parameters.size());
    true_image(b, parameters, image);
    return image;
  }

  Likelihood likelihood_;
  Matrix images_;
  Norm norm_;
  std::vector<double> radii_;
};

}  // namespace

void best_image(const Likelihood& likelihood, Norm norm, double radius, std::span<const float> image,
                std::span<const float> parameters, std::span<float> best) {
  check_norm(norm);
  if (radius == 0.0) {
    std::ranges::copy(image, best.begin());
  } else if (norm == Norm::linf) {
    likelihood.likeliest_pixels(image, parameters, box(image, static_cast<float>(radius)), best);
  } else {
    best_in_ball(likelihood, radius, image, parameters, best);
  }
}

std::unique_ptr<Observation> minimum_observation(const Likelihood& likelihood, Matrix images, Norm norm,
                                                 std::vector<double> radii) {
  check_norm(norm);
  return std::make_unique<MinimumObservation>(likelihood, std::move(images), norm, std::move(radii));
}

}  // namespace vaeguard::energy
