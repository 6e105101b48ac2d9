// The check of a model finds each fault that it looks for, and nothing in a model that has none.
#include "vaeguard/runs/model_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/expect_misuse.h"
#include "tests/models/made_up_law.h"
#include "tests/two_level_vae.h"
#include "vaeguard/models/pair.h"

namespace vaeguard::runs {
namespace {

enum class Fault { none, gradient, no_gradient, tangent, rows, range };

/// Output j is offset + scale sin((1 + j / 4) x_i), i = j modulo the number of inputs; with a fault.
class Sines : public networks::DifferentiableFunction {
 public:
  Sines(std::int64_t inputs, std::int64_t outputs, float offset, Fault fault)
      : inputs_(inputs), outputs_(outputs), offset_(offset), fault_(fault) {}
  [[nodiscard]] std::int64_t input_size() const override { return inputs_; }
  [[nodiscard]] std::int64_t output_size() const override { return outputs_; }
  [[nodiscard]] std::string_view backend() const override { return "sines"; }
  [[nodiscard]] std::unique_ptr<networks::Tape> make_tape() const override { return std::make_unique<Memory>(); }
  void forward(const Matrix& inputs, Matrix& outputs, networks::Tape& tape) const override {
    dynamic_cast<Memory&>(tape).inputs = inputs;
    outputs.resize(inputs.rows(), outputs_);
    const float beside = fault_ == Fault::rows ? 0.1F * inputs(inputs.rows() - 1, 0) : 0.0F;
    const float range = fault_ == Fault::range ? 2.0F : 0.0F;
    each(inputs, [&](std::int64_t b, std::int64_t j, float x, float factor) {
      outputs(b, j) = offset_ + range + 0.4F * std::sin(factor * x) + beside;
    });
  }
  void backward(const Matrix& output_gradients, Matrix& input_gradients, networks::Tape& tape) const override {
    const Matrix& inputs = dynamic_cast<Memory&>(tape).inputs;
    input_gradients = Matrix(inputs.rows(), inputs_);
    const float wrong = fault_ == Fault::gradient ? 1.1F : fault_ == Fault::no_gradient ? 0.0F : 1.0F;
    each(inputs, [&](std::int64_t b, std::int64_t j, float x, float factor) {
      input_gradients(b, j % inputs_) += wrong * 0.4F * factor * std::cos(factor * x) * output_gradients(b, j);
    });
  }
  void tangent(const Matrix& input_tangents, Matrix& output_tangents, networks::Tape& tape) const override {
    const Matrix& inputs = dynamic_cast<Memory&>(tape).inputs;
    output_tangents.resize(inputs.rows(), outputs_);
    const float wrong = fault_ == Fault::tangent ? 0.9F : 1.0F;
    each(inputs, [&](std::int64_t b, std::int64_t j, float x, float factor) {
      output_tangents(b, j) = wrong * 0.4F * factor * std::cos(factor * x) * input_tangents(b, j % inputs_);
    });
  }

 private:
  struct Memory : networks::Tape {
    Matrix inputs;
  };
  template <typename Work>
  void each(const Matrix& inputs, const Work& work) const {
    for (std::int64_t b = 0; b < inputs.rows(); ++b) {
      for (std::int64_t j = 0; j < outputs_; ++j) {
        work(b, j, inputs(b, j % inputs_), 1.0F + 0.25F * static_cast<float>(j));
      }
    }
  }
  std::int64_t inputs_;
  std::int64_t outputs_;
  float offset_;
  Fault fault_;
};

models::Vae sines(Fault encoder, Fault decoder) {
  constexpr ImageShape kImage{1, 2, 4};
  constexpr ImageShape kLatents{4, 1, 1};
  return {models::pair_recognition(std::make_shared<Sines>(8, 8, 0.0F, encoder), kImage, kLatents),
          models::pair_generative(std::make_shared<Sines>(4, 8, 0.5F, decoder), std::make_shared<models::Prior>(),
                                  kImage, kLatents, models::gaussian(0.1))};
}

std::vector<std::string_view> wrong_words(const models::Vae& vae, bool pictures = false) {
  std::vector<std::string_view> words;
  for (const Finding& finding : check_model(vae, drawn_images(vae, 6, 1), pictures, 1)) {
    if (finding.wrong) {
      words.push_back(finding.word);
    }
  }
  return words;
}

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(ModelCheck, FindsNothingInASoundModel) {
  EXPECT_THAT(wrong_words(sines(Fault::none, Fault::none)), IsEmpty());
  EXPECT_THAT(wrong_words(models::two_level_vae()), IsEmpty());
}

TEST(ModelCheck, FindsTheFaultInEitherHalf) {
  const auto expect_wrong = [](Fault fault, const auto& words) {
    EXPECT_THAT(wrong_words(sines(fault, Fault::none)), words);
    EXPECT_THAT(wrong_words(sines(Fault::none, fault)), words);
  };
  expect_wrong(Fault::gradient, ElementsAre("gradients", "tangents"));  // which no longer agree
  expect_wrong(Fault::no_gradient, ElementsAre("gradients", "tangents"));
  expect_wrong(Fault::tangent, ElementsAre("tangents"));
  expect_wrong(Fault::rows, Contains("rows"));
  EXPECT_THAT(wrong_words(sines(Fault::none, Fault::range)), ElementsAre("prior mean"));
}

// The sines' encoder is no inverse of their decoder.
TEST(ModelCheck, ReconstructionsOfPicturesMustBeBetterThanOneForAll) {
  EXPECT_THAT(wrong_words(sines(Fault::none, Fault::none), true), ElementsAre("reconstruction"));
}

TEST(ModelCheck, NeedsTwoImagesOfTheModelsShape) {
  const models::Vae vae = sines(Fault::none, Fault::none);
  expect_misuse([&] { (void)check_model(vae, Matrix(1, 8), false, 1); }, {"at least 2 images are needed, got 1"});
  expect_misuse([&] { (void)check_model(vae, Matrix(2, 7), false, 1); }, {"images", "7"});
}

TEST(DefenceNeeds, AreThoseThatDefencesThemselvesTell) {
  const auto missing = [](const models::Vae& vae) {
    std::map<std::string_view, std::string> result;
    for (const DefenceNeed& need : defence_needs(vae, drawn_images(vae, 1, 1), 1)) {
      result[need.defence] = need.missing;
    }
    return result;
  };
  auto lawless = missing(models::two_level_vae());
  EXPECT_THAT(lawless.at("repair"), testing::StartsWith("the model must have a pixel law, it has none"));
  EXPECT_EQ(lawless.at("none"), "");
  EXPECT_EQ(lawless.at("map"), "");
  EXPECT_EQ(lawless.at("hmc"), "");
  const auto law = std::make_shared<const models::PixelLaw>(models::made_up_law());
  EXPECT_EQ(missing(models::two_level_vae(law)).at("repair"), "");
}

}  // namespace
}  // namespace vaeguard::runs
