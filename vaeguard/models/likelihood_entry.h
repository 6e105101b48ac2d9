// What a likelihood implements, pixel by pixel, and how it becomes a value that any code can hold.
#pragma once

#include <algorithm>
#include <concepts>
#include <memory>
#include <utility>

#include "vaeguard/base/choice.h"
#include "vaeguard/models/likelihood.h"

namespace vaeguard::models {

/// An aggregate of options with a name, a schema of these, and the functions of likelihood.h: value and gradient of
/// whole images, which are hot and may share work between pixels; everything else for one pixel. mean_slope() and
/// mean_curvature() are the first and second derivative of the mean by the parameter, in terms of the mean.
template <typename L>
concept PixelLikelihood = requires(const L& likelihood, std::span<const float> pixels, std::span<float> gradient,
                                   float pixel, double number) {
  { likelihood.name() } -> std::convertible_to<std::string_view>;
  { L::schema() } -> std::convertible_to<const OptionSchema<L>&>;
  { likelihood.negative_log(pixels, pixels, gradient) } -> std::same_as<double>;
  likelihood.gradient(pixels, pixels, gradient);
  { likelihood.pixel(number, number) } -> std::same_as<PixelTerms>;
  { likelihood.mean(pixel) } -> std::same_as<float>;
  { likelihood.mean_slope(number) } -> std::same_as<double>;
  { likelihood.mean_curvature(number) } -> std::same_as<double>;
  { likelihood.likeliest_pixel(pixel, pixel, PixelInterval{}) } -> std::same_as<float>;
  { likelihood.follows(pixel, PixelInterval{}) } -> std::same_as<bool>;
  { likelihood.likelier_step(pixel, pixel, number) } -> std::same_as<double>;
  { likelihood.usual_parameters() } -> std::same_as<ParameterRange>;
};

/// The functions of a likelihood whose parameter is the mean of the pixel.
struct ParameterIsMean {
  [[nodiscard]] float mean(float parameter) const { return parameter; }
  [[nodiscard]] double mean_slope(double /*mean*/) const { return 1.0; }
  [[nodiscard]] double mean_curvature(double /*mean*/) const { return 0.0; }
  [[nodiscard]] ParameterRange usual_parameters() const { return {-0.25, 1.25}; }
};

/// Those of one that falls on both sides of its mean: a pixel goes as near to the mean as it may.
struct LikeliestAtMean : ParameterIsMean {
  [[nodiscard]] float likeliest_pixel(float /*x*/, float parameter, PixelInterval interval) const {
    return std::clamp(parameter, interval.low, interval.high);
  }
  [[nodiscard]] bool follows(float parameter, PixelInterval interval) const {
    return interval.low < parameter && parameter < interval.high;
  }
};

/// Those of one whose -log p is linear in the pixel, with slope -logit: the pixel goes to the end that the logit's sign
/// names, and no step is too long.
struct LinearInPixel {
  [[nodiscard]] static float end(float x, double logit, PixelInterval interval) {
    return logit == 0.0 ? x : logit > 0.0 ? interval.high : interval.low;
  }
  [[nodiscard]] bool follows(float /*parameter*/, PixelInterval /*interval*/) const { return false; }
};

/// One call each for a whole span.
struct Likelihood::Interface : ChoiceInterface {
  static constexpr std::string_view kNoun = "likelihood";
  [[nodiscard]] virtual Likelihood with(const Value& changes) const = 0;
  virtual double negative_log(std::span<const float> image, std::span<const float> parameters,
                              std::span<float> gradient) const = 0;
  virtual void gradient(std::span<const float> image, std::span<const float> parameters,
                        std::span<float> gradient) const = 0;
  virtual void curvature(std::span<const float> image, std::span<const float> parameters,
                         std::span<float> curvature) const = 0;
  [[nodiscard]] virtual PixelTerms pixel(double x, double parameter) const = 0;
  virtual void mean(std::span<const float> parameters, std::span<float> image) const = 0;
  virtual void pull_mean(std::span<const float> mean, std::span<const double> image_gradient,
                         std::span<float> gradient) const = 0;
  virtual void pull_mean_curvature(std::span<const float> mean, std::span<const double> image_gradient,
                                   std::span<const double> image_curvature, std::span<float> curvature) const = 0;
  virtual void likeliest_pixels(std::span<const float> image, std::span<const float> parameters,
                                std::span<const PixelInterval> intervals, std::span<float> likeliest) const = 0;
  virtual void clear_followers(std::span<const float> parameters, std::span<const PixelInterval> intervals,
                               std::span<float> values) const = 0;
  virtual void likelier_steps(std::span<const float> image, std::span<const float> parameters, double t,
                              std::span<double> steps) const = 0;
  [[nodiscard]] virtual ParameterRange usual_parameters() const = 0;
};

template <PixelLikelihood L>
struct HeldLikelihood : HeldChoice<L, Likelihood::Interface> {
  using HeldChoice<L, Likelihood::Interface>::HeldChoice;
  using HeldChoice<L, Likelihood::Interface>::model;

  [[nodiscard]] Likelihood with(const Value& changes) const override;
  double negative_log(std::span<const float> image, std::span<const float> parameters,
                      std::span<float> gradient) const override {
    return model.negative_log(image, parameters, gradient);
  }
  void gradient(std::span<const float> image, std::span<const float> parameters,
                std::span<float> gradient) const override {
    model.gradient(image, parameters, gradient);
  }
  void curvature(std::span<const float> image, std::span<const float> parameters,
                 std::span<float> curvature) const override {
    for (std::size_t i = 0; i < image.size(); ++i) {
      curvature[i] = static_cast<float>(model.pixel(image[i], parameters[i]).curvature);
    }
  }
  [[nodiscard]] PixelTerms pixel(double x, double parameter) const override { return model.pixel(x, parameter); }
  void mean(std::span<const float> parameters, std::span<float> image) const override {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      image[i] = model.mean(parameters[i]);
    }
  }
  void pull_mean(std::span<const float> mean, std::span<const double> image_gradient,
                 std::span<float> gradient) const override {
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      gradient[i] = static_cast<float>(image_gradient[i] * model.mean_slope(mean[i]));
    }
  }
  void pull_mean_curvature(std::span<const float> mean, std::span<const double> image_gradient,
                           std::span<const double> image_curvature, std::span<float> curvature) const override {
    for (std::size_t i = 0; i < curvature.size(); ++i) {
      const double slope = model.mean_slope(mean[i]);
      curvature[i] =
          static_cast<float>(image_curvature[i] * slope * slope + image_gradient[i] * model.mean_curvature(mean[i]));
    }
  }
  void likeliest_pixels(std::span<const float> image, std::span<const float> parameters,
                        std::span<const PixelInterval> intervals, std::span<float> likeliest) const override {
    for (std::size_t i = 0; i < image.size(); ++i) {
      likeliest[i] = model.likeliest_pixel(image[i], parameters[i], intervals[i]);
    }
  }
  void clear_followers(std::span<const float> parameters, std::span<const PixelInterval> intervals,
                       std::span<float> values) const override {
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = model.follows(parameters[i], intervals[i]) ? 0.0F : values[i];
    }
  }
  void likelier_steps(std::span<const float> image, std::span<const float> parameters, double t,
                      std::span<double> steps) const override {
    for (std::size_t i = 0; i < image.size(); ++i) {
      steps[i] = model.likelier_step(image[i], parameters[i], t);
    }
  }
  [[nodiscard]] ParameterRange usual_parameters() const override { return model.usual_parameters(); }
};

/// The likelihood as a value. Throws Misuse naming the option that is out of bounds.
template <PixelLikelihood L>
Likelihood likelihood_of(L likelihood) {
  L::schema().check("models.likelihood", likelihood);
  return Likelihood(std::make_shared<const HeldLikelihood<L>>(std::move(likelihood)));
}

template <PixelLikelihood L>
Likelihood HeldLikelihood<L>::with(const Value& changes) const {
  return likelihood_of(L::schema().read(changes, "models.likelihood", model));
}

}  // namespace vaeguard::models
