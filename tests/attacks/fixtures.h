// What the attack tests share: a small linear VAE in the middle of the pixel box, a small ReLU one, and their goals.
#pragma once

#include <algorithm>
#include <iterator>
#include <memory>
#include <string_view>
#include <vector>

#include "tests/two_level_vae.h"
#include "vaeguard/attacks/objective.h"
#include "vaeguard/attacks/registry.h"
#include "vaeguard/models/linear_vae.h"

namespace vaeguard::attacks {

/// References x restarts are told apart by their position, keys by this seed.
inline std::vector<std::int64_t> positions(std::int64_t count) {
  std::vector<std::int64_t> result(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    result[static_cast<std::size_t>(i)] = i;
  }
  return result;
}

inline Matrix random_images(Key key, std::int64_t rows, std::int64_t pixels, float low = 0.0F, float high = 1.0F) {
  Matrix images(rows, pixels);
  fill_uniform(key.fold("images"), low, high, images.flat());
  return images;
}

inline models::LinearClassifier random_classifier(Key key, std::int64_t classes, std::int64_t latents) {
  models::LinearClassifier classifier{Matrix(classes, latents), std::vector<float>(static_cast<std::size_t>(classes))};
  fill_normal(key.fold("weight"), classifier.weight.flat());
  fill_normal(key.fold("bias"), classifier.bias);
  return classifier;
}

/// The same with biases that make all classes equally likely at the mean code of some images, so that several occur.
inline models::LinearClassifier centred_classifier(Key key, std::int64_t classes, const models::Vae& vae,
                                                   const Matrix& images) {
  models::LinearClassifier classifier = random_classifier(key, classes, vae.latent_size());
  const Matrix means = vae.encode(images).mean;
  for (std::int64_t c = 0; c < classes; ++c) {
    double logit = 0.0;
    for (std::int64_t i = 0; i < means.rows(); ++i) {
      for (std::int64_t d = 0; d < means.columns(); ++d) {
        logit += static_cast<double>(classifier.weight(c, d)) * means(i, d) / static_cast<double>(means.rows());
      }
    }
    classifier.bias[static_cast<std::size_t>(c)] = static_cast<float>(-logit);
  }
  return classifier;
}

/// A model to attack: encoder and decoder, references, and what goals are made of. Copies share the compiled model.
struct Target {
  std::shared_ptr<const models::Vae> vae;
  Matrix references;
  models::LinearClassifier classifier;
  std::shared_ptr<const Victim> victim = std::make_shared<const UndefendedVictim>(vae->recognition());

  /// Labels alternate, so that every reference has a target.
  [[nodiscard]] std::unique_ptr<Goal> goal(std::string_view name, std::int64_t draws = 0) const {
    std::vector<std::int64_t> labels = positions(references.rows());
    std::ranges::for_each(labels, [](std::int64_t& label) { label %= 2; });
    return make_goal(name, {.references = vae->encode(references),
                            .classifier = &classifier,
                            .vae = vae.get(),
                            .images = &references,
                            .labels = labels,
                            .key = Key(12),
                            .draws = draws});
  }
  [[nodiscard]] Target gather(std::span<const std::int64_t> rows) const {
    return {vae, references.gather(rows), classifier};
  }
};

/// Six pixels, two latents, references within 0.3 of the middle, so that small radii never meet the pixel box.
inline Target linear_target(std::int64_t references, std::int64_t pixels = 6) {
  const models::LinearVae linear = models::LinearVae::random(Key(1), pixels, 2, 0.5, 0.05);
  const auto vae = std::make_shared<const models::Vae>(linear.weights());
  const Matrix images = random_images(Key(2), references, pixels, 0.2F, 0.8F);
  return {vae, images, centred_classifier(Key(3), 4, *vae, images)};
}

inline void fill_parameters(Key key, float deviation, networks::LayerGraph& graph) {
  fill_normal(key.fold("parameters"), graph.parameters);
  for (float& parameter : graph.parameters) {
    parameter *= deviation;
  }
}

/// 1 x 8 x 8 images, two strided convolutions with a ReLU between, four latents; log-variances vary with the image. The
/// decoder is smooth and gives logits.
inline Target relu_target(std::int64_t references) {
  using networks::Activation;
  using networks::Operation;
  networks::LayerGraph encoder{.inputs = {{1, 8, 8}}};
  encoder.add(Operation::convolution,
              {.channels = 6, .kernel = 3, .stride = 2, .padding = 1, .activation = Activation::relu});
  encoder.add(Operation::convolution, {.channels = 8, .kernel = 4});
  fill_parameters(Key(4), 0.25F, encoder);
  networks::LayerGraph decoder{.inputs = {{4, 1, 1}}};
  decoder.add(Operation::transposed_convolution, {.channels = 5, .kernel = 4, .activation = Activation::tanh});
  decoder.add(Operation::transposed_convolution, {.channels = 1, .kernel = 4, .stride = 2, .padding = 1});
  fill_parameters(Key(10), 0.5F, decoder);
  const auto vae = std::make_shared<const models::Vae>(models::VaeWeights{"relu", encoder, decoder, {}});
  const Matrix images = random_images(Key(5), references, 64);
  return {vae, images, centred_classifier(Key(6), 5, *vae, images)};
}

/// A hierarchy of two levels, which is no pair of layer graphs.
inline Target two_level_target(std::int64_t references) {
  const auto vae = std::make_shared<const models::Vae>(models::two_level_vae());
  const Matrix images = random_images(Key(7), references, models::kPixels);
  return {vae, images, centred_classifier(Key(8), 4, *vae, images)};
}

inline std::vector<Norm> all_norms() {
  std::vector<Norm> result;
  std::ranges::transform(norms(), std::back_inserter(result), &NormEntry::norm);
  return result;
}

/// The norms in which an optimiser exists.
inline std::vector<Norm> norms_of(const OptimiserEntry& entry) {
  return entry.linf_only ? std::vector<Norm>{Norm::linf} : all_norms();
}

/// Every way to leave a part of the threat out that exists in this norm. The wide margin holds about half of the pixels
/// that are uniform in 0 .. 1.
inline std::vector<PixelBudget> partial_budgets(Norm norm) {
  const PixelBudget masked{.mask = Mask::unsaturated, .mask_margin = 0.25};
  if (norm != Norm::linf) {
    return {masked};
  }
  PixelBudget everything = masked;
  everything.pixel_radii = PixelRadii::random;
  everything.decoy = Decoy::noise;
  return {masked,
          {.pixel_radii = PixelRadii::random},
          {.mask = Mask::unsaturated, .mask_margin = 0.25, .decoy = Decoy::noise},
          everything};
}

/// A radius at which attacks of 40 or 64 pixels do something and are not done.
inline double radius_of(Norm norm) {
  switch (norm) {
    case Norm::linf:
      return 0.1;
    case Norm::l2:
      return 0.6;
    case Norm::l1:
      return 2.0;
  }
  return 0.0;
}

/// An optimiser as plans get it, but for the number of its iterations and a short sweep of L-BFGS.
inline std::unique_ptr<Attack> quick(const OptimiserEntry& entry, std::string_view goal, std::int64_t iterations = 8) {
  Value options;
  for (const Option& option : entry.options) {
    if (option.key == "iterations") {
      options.set("iterations", iterations);
    }
    if (option.key == "penalties") {
      options.set("penalties", 3);
      options.set("least", 1e-4);
      options.set("greatest", 1.0);
    }
  }
  return make_attack(entry.name, goal, options);
}

/// Runs an attack on `restarts` restarts of every reference.
inline AttackResult run(const Attack& attack, const Target& target, std::string_view goal_name, const Threat& threat,
                        std::int64_t restarts = 1, const Execution& execution = {}) {
  const auto goal = target.goal(goal_name);
  const Objective objective(*target.victim, *goal, restarts);
  return attack(objective, repeat_rows(target.references, restarts), threat,
                attack_keys(Key(7), goal_name, positions(target.references.rows()), restarts), execution);
}

}  // namespace vaeguard::attacks
