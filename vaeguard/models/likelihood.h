// Likelihoods p(x|z) on the decoder's outputs: negative log-likelihood, its gradient, and the mean image.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vaeguard/base/option_schema.h"
#include "vaeguard/base/registry.h"

namespace vaeguard::models {

/// -log p of one pixel in nats, and its first and second derivative by the pixel's parameter.
struct PixelTerms {
  double value = 0.0;
  double slope = 0.0;
  double curvature = 0.0;
};

/// An interval of parameters.
struct ParameterRange {
  double first;
  double last;
};

/// What a pixel may be.
struct PixelInterval {
  float low;
  float high;
};

/// Any likelihood as a value, with its options; copies share what they hold, which never changes. Each stands in a file
/// of its own and implements what likelihood_entry.h asks. Pixels are independent and have one parameter each; spans of
/// one call have one length.
class Likelihood {
 public:
  struct Interface;  // likelihood_entry.h

  /// The Bernoulli.
  Likelihood();
  explicit Likelihood(std::shared_ptr<const Interface> held) : held_(std::move(held)) {}

  /// Its entry's: "gaussian".
  [[nodiscard]] std::string_view name() const;
  /// All options that it has, with their values.
  [[nodiscard]] std::vector<Option> options() const;
  [[nodiscard]] Value values() const;
  /// Why it does not read the option, "the likelihood bernoulli has no variance"; empty if it does.
  [[nodiscard]] std::string why_unread(std::string_view key) const;
  /// Itself with the options of the table `changes`, each of which it must read.
  [[nodiscard]] Likelihood with(const Value& changes) const;
  /// Whether only published runs have it, so that nothing new should be built on it.
  [[nodiscard]] bool published_only() const;

  /// -log p(x | parameters) in nats, summed in double; writes its gradient with respect to `parameters` unless empty.
  double negative_log(std::span<const float> image, std::span<const float> parameters, std::span<float> gradient) const;
  /// The gradient that negative_log writes, bit for bit, without the sum.
  void gradient(std::span<const float> image, std::span<const float> parameters, std::span<float> gradient) const;
  /// The second derivative of each pixel's -log p by its parameter: the diagonal of a Hessian that has nothing else.
  void curvature(std::span<const float> image, std::span<const float> parameters, std::span<float> curvature) const;
  /// The same terms of one pixel, plainly and in double: the truth that the others are tested against.
  [[nodiscard]] PixelTerms pixel(double x, double parameter) const;

  /// E[x | parameters].
  void mean(std::span<const float> parameters, std::span<float> image) const;
  /// Pulls a gradient at the mean image, whose values are `mean`, back to the parameters.
  void pull_mean(std::span<const float> mean, std::span<const double> image_gradient, std::span<float> gradient) const;
  /// The second derivative by each parameter of a function of the mean image m that has this gradient g and this second
  /// derivative h by each pixel: h m'^2 + g m''.
  void pull_mean_curvature(std::span<const float> mean, std::span<const double> image_gradient,
                           std::span<const double> image_curvature, std::span<float> curvature) const;

  /// The pixels within `intervals` that the parameters make likeliest; that of `image` where all are equally likely.
  void likeliest_pixels(std::span<const float> image, std::span<const float> parameters,
                        std::span<const PixelInterval> intervals, std::span<float> likeliest) const;
  /// Sets `values` to 0 where that pixel is the mean itself, so that it follows the parameter and nothing depends on
  /// it.
  void clear_followers(std::span<const float> parameters, std::span<const PixelInterval> intervals,
                       std::span<float> values) const;
  /// The steps d that minimise -log p(x + d) + d^2 / (2 t), up to a factor of t that depends on the likelihood alone.
  /// They grow with t >= 0.
  void likelier_steps(std::span<const float> image, std::span<const float> parameters, double t,
                      std::span<double> steps) const;
  /// Where parameters of pixels from 0 to 1 usually lie.
  [[nodiscard]] ParameterRange usual_parameters() const;

  /// Whether name and options are the same.
  friend bool operator==(const Likelihood& one, const Likelihood& other);

 private:
  std::shared_ptr<const Interface> held_;
};

/// Those that code needs by themselves; bernoulli.cpp and so on have the formulas. `variance` is that of a pixel.
Likelihood bernoulli();
Likelihood gaussian(double variance);
Likelihood laplace(double variance);
Likelihood clamped_bernoulli();

struct LikelihoodEntry {
  std::string_view name;
  std::string_view title;
  std::string_view description;
  Likelihood usual;  // with its options as they are where nothing is said
  /// Why nothing new should be built on it. Only published runs have a likelihood with a caution.
  std::string_view caution = {};
};

/// All likelihoods, in the order in which they are shown.
const Registry<LikelihoodEntry>& likelihoods();

/// The option `likelihood` and those of all likelihoods; one that the chosen likelihood does not read is refused.
const OptionSchema<Likelihood>& likelihood_schema();

/// "bernoulli"; "gaussian, variance 0.5".
std::string describe(const Likelihood& likelihood);

}  // namespace vaeguard::models
