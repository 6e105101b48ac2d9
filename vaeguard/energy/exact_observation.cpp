// The image as it is.
#include "vaeguard/energy/observation.h"

#include <algorithm>
#include <utility>

namespace vaeguard::energy {
namespace {

class ExactObservation : public Observation {
 public:
  ExactObservation(const models::Likelihood& likelihood, Matrix images)
      : likelihood_(likelihood), images_(std::move(images)) {
    check_finite("energy.observation", "images", images_);
  }
  [[nodiscard]] std::int64_t size() const override { return images_.rows(); }
  double negative_log(std::int64_t b, std::span<const float> parameters, std::span<float> gradient) const override {
    return likelihood_.negative_log(images_.row(b), parameters, gradient);
  }
  void gradient(std::int64_t b, std::span<const float> parameters, std::span<float> gradient) const override {
    likelihood_.gradient(images_.row(b), parameters, gradient);
  }
  void curvature(std::int64_t b, std::span<const float> parameters, std::span<float> curvature) const override {
    likelihood_.curvature(images_.row(b), parameters, curvature);
  }
  void true_image(std::int64_t b, std::span<const float> /*parameters*/, std::span<float> image) const override {
    std::ranges::copy(images_.row(b), image.begin());
  }

 private:
  models::Likelihood likelihood_;
  Matrix images_;
};

}  // namespace

std::unique_ptr<Observation> exact_observation(const models::Likelihood& likelihood, Matrix images) {
  return std::make_unique<ExactObservation>(likelihood, std::move(images));
}

}  // namespace vaeguard::energy
