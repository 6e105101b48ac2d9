// The list of likelihoods, their options as plans write them, and the calls into the one that is held.
#include "vaeguard/models/likelihood.h"

#include "vaeguard/models/likelihood_entry.h"

namespace vaeguard::models {

// Each stands beside its code; a declaration and its call below make a likelihood known.
LikelihoodEntry bernoulli_entry();
LikelihoodEntry gaussian_entry();
LikelihoodEntry laplace_entry();
LikelihoodEntry clamped_bernoulli_entry();

const Registry<LikelihoodEntry>& likelihoods() {
  static const Registry<LikelihoodEntry> all(
      "models.likelihood", "likelihood",
      {bernoulli_entry(), gaussian_entry(), laplace_entry(), clamped_bernoulli_entry()});
  return all;
}

const OptionSchema<Likelihood>& likelihood_schema() {
  static const auto schema =
      choice_schema<Likelihood>("likelihood", "of a pixel given the decoder's output", likelihoods());
  return schema;
}

std::string describe(const Likelihood& likelihood) { return describe_choice(likelihood.name(), likelihood.values()); }

Likelihood::Likelihood() : Likelihood(bernoulli()) {}

std::string_view Likelihood::name() const { return held_->name(); }

std::vector<Option> Likelihood::options() const { return held_->options(); }

Value Likelihood::values() const { return held_->values(); }

std::string Likelihood::why_unread(std::string_view key) const { return held_->why_unread(key); }

Likelihood Likelihood::with(const Value& changes) const { return held_->with(changes); }

bool Likelihood::published_only() const {
  const LikelihoodEntry* entry = likelihoods().lookup(name());
  return entry != nullptr && !entry->caution.empty();
}

double Likelihood::negative_log(std::span<const float> image, std::span<const float> parameters,
                                std::span<float> gradient) const {
  return held_->negative_log(image, parameters, gradient);
}

void Likelihood::gradient(std::span<const float> image, std::span<const float> parameters,
                          std::span<float> gradient) const {
  held_->gradient(image, parameters, gradient);
}

void Likelihood::curvature(std::span<const float> image, std::span<const float> parameters,
                           std::span<float> curvature) const {
  held_->curvature(image, parameters, curvature);
}

PixelTerms Likelihood::pixel(double x, double parameter) const { return held_->pixel(x, parameter); }

void Likelihood::mean(std::span<const float> parameters, std::span<float> image) const {
  held_->mean(parameters, image);
}

void Likelihood::pull_mean(std::span<const float> mean, std::span<const double> image_gradient,
                           std::span<float> gradient) const {
  held_->pull_mean(mean, image_gradient, gradient);
}

void Likelihood::pull_mean_curvature(std::span<const float> mean, std::span<const double> image_gradient,
                                     std::span<const double> image_curvature, std::span<float> curvature) const {
  held_->pull_mean_curvature(mean, image_gradient, image_curvature, curvature);
}

void Likelihood::likeliest_pixels(std::span<const float> image, std::span<const float> parameters,
                                  std::span<const PixelInterval> intervals, std::span<float> likeliest) const {
  held_->likeliest_pixels(image, parameters, intervals, likeliest);
}

void Likelihood::clear_followers(std::span<const float> parameters, std::span<const PixelInterval> intervals,
                                 std::span<float> values) const {
  held_->clear_followers(parameters, intervals, values);
}

void Likelihood::likelier_steps(std::span<const float> image, std::span<const float> parameters, double t,
                                std::span<double> steps) const {
  held_->likelier_steps(image, parameters, t, steps);
}

ParameterRange Likelihood::usual_parameters() const { return held_->usual_parameters(); }

bool operator==(const Likelihood& one, const Likelihood& other) {
  return one.name() == other.name() && one.values() == other.values();
}

}  // namespace vaeguard::models
