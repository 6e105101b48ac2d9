// A VAE of two functions that are no layer graphs: it computes what they compute, with the prior, and refuses misfits.
#include "vaeguard/models/pair.h"

#include <algorithm>

#include "tests/expect_misuse.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::models {
namespace {

/// Output j is the square of input j modulo the number of inputs.
class Squares : public networks::DifferentiableFunction {
 public:
  Squares(std::int64_t inputs, std::int64_t outputs) : inputs_(inputs), outputs_(outputs) {}
  [[nodiscard]] std::int64_t input_size() const override { return inputs_; }
  [[nodiscard]] std::int64_t output_size() const override { return outputs_; }
  [[nodiscard]] std::string_view backend() const override { return "squares"; }
  [[nodiscard]] std::unique_ptr<networks::Tape> make_tape() const override { return std::make_unique<Memory>(); }
  void forward(const Matrix& inputs, Matrix& outputs, networks::Tape& tape) const override {
    dynamic_cast<Memory&>(tape).inputs = inputs;
    outputs.resize(inputs.rows(), outputs_);
    each(inputs.rows(),
         [&](std::int64_t b, std::int64_t i, std::int64_t j) { outputs(b, j) = inputs(b, i) * inputs(b, i); });
  }
  void backward(const Matrix& output_gradients, Matrix& input_gradients, networks::Tape& tape) const override {
    const Matrix& x = dynamic_cast<Memory&>(tape).inputs;
    input_gradients = Matrix(x.rows(), inputs_);
    each(x.rows(), [&](std::int64_t b, std::int64_t i, std::int64_t j) {
      input_gradients(b, i) += 2.0F * x(b, i) * output_gradients(b, j);
    });
  }
  void tangent(const Matrix& input_tangents, Matrix& output_tangents, networks::Tape& tape) const override {
    const Matrix& x = dynamic_cast<Memory&>(tape).inputs;
    output_tangents.resize(x.rows(), outputs_);
    each(x.rows(), [&](std::int64_t b, std::int64_t i, std::int64_t j) {
      output_tangents(b, j) = 2.0F * x(b, i) * input_tangents(b, i);
    });
  }

 private:
  struct Memory : networks::Tape {
    Matrix inputs;
  };
  template <typename Work>
  void each(std::int64_t rows, const Work& work) const {
    for (std::int64_t b = 0; b < rows; ++b) {
      for (std::int64_t j = 0; j < outputs_; ++j) {
        work(b, j % inputs_, j);
      }
    }
  }
  std::int64_t inputs_;
  std::int64_t outputs_;
};

constexpr ImageShape kImage{1, 2, 4};
constexpr ImageShape kLatents{2, 1, 2};

std::shared_ptr<const Generative> generative(std::int64_t latents = 4, std::int64_t pixels = 8) {
  return pair_generative(std::make_shared<Squares>(latents, pixels), std::make_shared<const Prior>(), kImage, kLatents,
                         gaussian(0.5));
}

std::shared_ptr<const Recognition> recognition(std::int64_t pixels = 8, std::int64_t outputs = 8) {
  return pair_recognition(std::make_shared<Squares>(pixels, outputs), kImage, kLatents);
}

TEST(Pair, IsAVaeWithoutLayers) {
  const Vae vae(recognition(), generative());
  EXPECT_EQ(vae.layers(), nullptr);
  EXPECT_EQ(vae.image(), kImage);
  EXPECT_EQ(vae.latents().groups.at(0).shape, kLatents);
  EXPECT_EQ(vae.generative().backend(), "squares");
  const Encoding encoding = vae.encode(Matrix(2, 8, {1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 1}), 2);
  EXPECT_EQ(encoding.mean, Matrix(2, 4, {1, 4, 9, 16, 0, 0, 0, 0}));
  EXPECT_EQ(encoding.log_variance, Matrix(2, 4, {25, 36, 49, 64, 0, 0, 0, 1}));
  EXPECT_EQ(vae.decode(Matrix(1, 4, {1, 2, 3, 0.5F})), Matrix(1, 8, {1, 4, 9, 0.25F, 1, 4, 9, 0.25F}));
}

TEST(Pair, GradientsHaveThePriorWhereTheForwardPassHadIt) {
  const auto model = generative();
  const auto tape = model->make_tape();
  const Matrix codes(1, 4, {1, 2, 3, 4});
  const Matrix ones(1, 8, 1.0F);
  Matrix parameters;
  Matrix gradients;
  std::vector<double> energy(1);
  model->forward(codes, parameters, {}, *tape);
  model->backward(ones, gradients, *tape);
  EXPECT_EQ(gradients, Matrix(1, 4, {4, 8, 12, 16}));
  model->forward(codes, parameters, energy, *tape);
  model->backward(ones, gradients, *tape);
  EXPECT_EQ(gradients, Matrix(1, 4, {5, 10, 15, 20}));
  EXPECT_EQ(energy[0], standard_normal_energy(codes.row(0)));
  Matrix tangents;
  model->tangent(Matrix(1, 4, {1, 0, 0, 0.5F}), tangents, *tape);
  EXPECT_EQ(tangents, Matrix(1, 8, {2, 0, 0, 4, 2, 0, 0, 4}));
}

TEST(Pair, RefusesFunctionsThatDoNotFit) {
  expect_misuse([] { (void)recognition(9); }, {"models.pair", "take 8 pixels", "4 latents; it takes 9 and gives 8"});
  expect_misuse([] { (void)recognition(8, 4); }, {"it takes 8 and gives 4"});
  expect_misuse([] { (void)generative(3); }, {"take 4 latents and give 8 pixels; it takes 3 and gives 8"});
  expect_misuse([] { (void)generative(4, 7); }, {"it takes 4 and gives 7"});
}

}  // namespace
}  // namespace vaeguard::models
