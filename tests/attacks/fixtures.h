// What the attack tests share: a small linear VAE in the middle of the pixel box, its goals, and a small ReLU encoder.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "vaeguard/attacks/objective.h"
#include "vaeguard/attacks/registry.h"
#include "vaeguard/models/linear_vae.h"
#include "vaeguard/networks/network.h"

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

/// A model to attack: an encoder, references, and what goals are made of. Copies share the compiled encoder.
struct Target {
  std::shared_ptr<const networks::Network> encoder;
  Matrix references;
  models::LinearClassifier classifier;

  [[nodiscard]] std::unique_ptr<Goal> goal(std::string_view name) const {
    return make_goal(name, {models::split_encoding(networks::forward_all(*encoder, references, 1)), &classifier});
  }
  [[nodiscard]] Target gather(std::span<const std::int64_t> rows) const {
    return {encoder, references.gather(rows), classifier};
  }
};

/// Six pixels, two latents, references within 0.3 of the middle, so that small radii never meet the pixel box.
inline Target linear_target(std::int64_t references, std::int64_t pixels = 6) {
  const models::LinearVae vae = models::LinearVae::random(Key(1), pixels, 2, 0.5, 0.05);
  return {networks::compile(vae.weights().encoder), random_images(Key(2), references, pixels, 0.2F, 0.8F),
          random_classifier(Key(3), 4, 2)};
}

/// 1 x 8 x 8 images, two strided convolutions with a ReLU between, four latents; log-variances vary with the image.
inline Target relu_target(std::int64_t references) {
  using networks::Operation;
  networks::LayerGraph graph{.input = {1, 8, 8}, .layers = {}, .parameters = {}};
  graph.add(Operation::convolution,
            {.channels = 6, .kernel = 3, .stride = 2, .padding = 1, .activation = networks::Activation::relu});
  graph.add(Operation::convolution, {.channels = 8, .kernel = 4});
  fill_normal(Key(4).fold("parameters"), graph.parameters);
  for (float& parameter : graph.parameters) {
    parameter *= 0.25F;
  }
  return {networks::compile(graph), random_images(Key(5), references, 64), random_classifier(Key(6), 5, 4)};
}

/// Runs an attack on `restarts` restarts of every reference.
inline AttackResult run(const Attack& attack, const Target& target, std::string_view goal_name, const Threat& threat,
                        std::int64_t restarts = 1, const Execution& execution = {}) {
  const auto goal = target.goal(goal_name);
  const Objective objective(*target.encoder, *goal, restarts);
  return attack(objective, repeat_rows(target.references, restarts), threat,
                attack_keys(Key(7), goal_name, positions(target.references.rows()), restarts), execution);
}

}  // namespace vaeguard::attacks
