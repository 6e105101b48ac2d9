// A VAE of two fully connected levels, written against the interfaces of models/ alone:
// q(z1|x) q(z2|z1), p(z1|z2) = N(dec(z2), I), p(z2) = N(0, I), p(x|z1) Bernoulli.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "vaeguard/models/vae.h"

namespace vaeguard::models {

inline constexpr std::int64_t kPixels = 40, kFirst = 4, kSecond = 2;  // and latents of z1 and z2
inline const LatentLayout kTwoLevels{{{"z1", {kFirst, 1, 1}}, {"z2", {kSecond, 1, 1}}}};

using networks::Tape;
using Network = std::shared_ptr<const networks::Network>;

/// One hidden layer of tanh, weights of deviation `scale` from `key`.
inline Network two_layers(std::int64_t inputs, std::int64_t outputs, Key key, float scale) {
  networks::LayerGraph graph{.inputs = {{inputs, 1, 1}}};
  graph.add(networks::Operation::convolution, {.channels = 16, .activation = networks::Activation::tanh});
  graph.add(networks::Operation::convolution, {.channels = outputs});
  fill_normal(key, graph.parameters);
  std::ranges::for_each(graph.parameters, [&](float& parameter) { parameter *= scale; });
  return networks::compile(graph);
}

/// left + factor right, element by element.
inline Matrix sum(Matrix left, const Matrix& right, float factor = 1.0F) {
  std::ranges::transform(left.values(), right.values(), left.data(), [=](float a, float b) { return a + factor * b; });
  return left;
}

inline Matrix z1_of(const Matrix& codes) { return codes.slice_columns(0, kFirst); }
inline Matrix z2_of(const Matrix& codes) { return codes.slice_columns(kFirst, kSecond); }

inline Matrix both(const Encoding& z1, const Encoding& z2) {
  return join_columns(join_columns(z1.mean, z2.mean), join_columns(z1.log_variance, z2.log_variance));
}

struct TwoTapes : Tape {
  TwoTapes(const Network& one, const Network& other) : first(one->make_tape()), second(other->make_tape()) {}
  std::unique_ptr<Tape> first, second;
  std::int64_t groups = 2;
  Matrix residual, z2;  // z1 - dec(z2), empty without the prior
};

class TwoLevelRecognition : public Recognition {
 public:
  [[nodiscard]] ImageShape image() const override { return {1, 5, 8}; }
  [[nodiscard]] const LatentLayout& latents() const override { return kTwoLevels; }
  [[nodiscard]] std::string_view backend() const override { return first_->backend(); }
  [[nodiscard]] std::unique_ptr<Tape> make_tape() const override { return std::make_unique<TwoTapes>(first_, second_); }
  void forward(const Matrix& images, std::int64_t groups, Matrix& outputs, Tape& tape) const override {
    auto& tapes = dynamic_cast<TwoTapes&>(tape);
    tapes.groups = groups;
    first_->forward(images, outputs, *tapes.first);
    if (groups == 2) {
      const Encoding first = split_encoding(outputs);
      second_->forward(first.mean, outputs, *tapes.second);
      outputs = both(first, split_encoding(outputs));
    }
  }
  void backward(const Matrix& gradients, Matrix& image_gradients, Tape& tape) const override {
    auto& tapes = dynamic_cast<TwoTapes&>(tape);
    Matrix of_first = gradients;
    if (tapes.groups == 2) {
      const Encoding of = split_encoding(gradients);
      Matrix through_second;
      second_->backward(join_columns(z2_of(of.mean), z2_of(of.log_variance)), through_second, *tapes.second);
      of_first = join_columns(sum(z1_of(of.mean), through_second), z1_of(of.log_variance));
    }
    first_->backward(of_first, image_gradients, *tapes.first);
  }
  void tangent(const Matrix& image_tangents, Matrix& output_tangents, Tape& tape) const override {
    auto& tapes = dynamic_cast<TwoTapes&>(tape);
    first_->tangent(image_tangents, output_tangents, *tapes.first);
    if (tapes.groups == 2) {
      const Encoding first = split_encoding(output_tangents);
      second_->tangent(first.mean, output_tangents, *tapes.second);
      output_tangents = both(first, split_encoding(output_tangents));
    }
  }
  [[nodiscard]] Draws draw(const Matrix& /*images*/, const Encoding& encoding, const Matrix& noise) const override {
    Draws z1 = models::draw({z1_of(encoding.mean), z1_of(encoding.log_variance)}, z1_of(noise));
    Matrix second;
    second_->forward(z1.codes, second, *second_->make_tape());
    const Draws z2 = models::draw(split_encoding(second), z2_of(noise));
    std::ranges::transform(z1.log_density, z2.log_density, z1.log_density.begin(), std::plus{});
    return {join_columns(z1.codes, z2.codes), z1.log_density};
  }

 private:
  Network first_ = two_layers(kPixels, 2 * kFirst, Key(61), 0.3F);
  Network second_ = two_layers(kFirst, 2 * kSecond, Key(62), 0.4F);
};

class TwoLevelGenerative : public Generative {
 public:
  [[nodiscard]] ImageShape image() const override { return {1, 5, 8}; }
  [[nodiscard]] const LatentLayout& latents() const override { return kTwoLevels; }
  [[nodiscard]] const Likelihood& likelihood() const override { return likelihood_; }
  [[nodiscard]] std::string_view backend() const override { return image_->backend(); }
  [[nodiscard]] std::unique_ptr<Tape> make_tape() const override { return std::make_unique<TwoTapes>(image_, middle_); }
  void forward(const Matrix& codes, Matrix& parameters, std::span<double> prior_energies, Tape& tape) const override {
    auto& tapes = dynamic_cast<TwoTapes&>(tape);
    image_->forward(z1_of(codes), parameters, *tapes.first);
    tapes.residual = {};
    if (!prior_energies.empty()) {
      tapes.z2 = z2_of(codes);
      middle_->forward(tapes.z2, tapes.residual, *tapes.second);
      tapes.residual = sum(z1_of(codes), tapes.residual, -1.0F);
      for (std::int64_t b = 0; b < codes.rows(); ++b) {
        prior_energies[static_cast<std::size_t>(b)] =
            standard_normal_energy(tapes.residual.row(b)) + standard_normal_energy(tapes.z2.row(b));
      }
    }
  }
  void backward(const Matrix& gradients, Matrix& code_gradients, Tape& tape) const override {
    auto& tapes = dynamic_cast<TwoTapes&>(tape);
    Matrix of_first, of_second(gradients.rows(), kSecond);
    image_->backward(gradients, of_first, *tapes.first);
    if (!tapes.residual.empty()) {
      middle_->backward(tapes.residual, of_second, *tapes.second);
      of_first = sum(of_first, tapes.residual);
      of_second = sum(tapes.z2, of_second, -1.0F);
    }
    code_gradients = join_columns(of_first, of_second);
  }
  void tangent(const Matrix& code_tangents, Matrix& parameter_tangents, Tape& tape) const override {
    image_->tangent(z1_of(code_tangents), parameter_tangents, *dynamic_cast<TwoTapes&>(tape).first);
  }
  [[nodiscard]] Matrix draw(const Matrix& base, int threads) const override {
    const Matrix z2 = z2_of(base);
    return join_columns(sum(networks::forward_all(*middle_, z2, threads), z1_of(base)), z2);
  }

 private:
  Likelihood likelihood_;
  Network image_ = two_layers(kFirst, kPixels, Key(63), 0.8F);
  Network middle_ = two_layers(kSecond, kFirst, Key(64), 0.8F);
};

inline Vae two_level_vae(std::shared_ptr<const PixelLaw> law = nullptr) {
  return {std::make_shared<TwoLevelRecognition>(), std::make_shared<TwoLevelGenerative>(), std::move(law)};
}

}  // namespace vaeguard::models
