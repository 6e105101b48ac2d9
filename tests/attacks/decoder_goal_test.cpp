// Goals on the reconstruction: their values by the model's own functions, signs, and the clean image.
#include "vaeguard/attacks/decoder_goal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/attacks/fixtures.h"
#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

double distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
  }
  return std::sqrt(sum);
}

TEST(DecoderGoal, DamageIsTheDistanceBetweenReconstructions) {
  for (const Target& target : {relu_target(3), linear_target(3)}) {
    const Matrix attacked = random_images(Key(30), 3, target.references.columns());
    const auto goal = target.goal("maximum_damage");
    const Objective objective(*target.victim, *goal);
    std::vector<double> values(3);
    objective.evaluate(consecutive(0, attacked.rows()), attacked, values, nullptr);
    const Matrix before = target.vae->decode(target.vae->encode(target.references).mean);
    const Matrix after = target.vae->decode(target.vae->encode(attacked).mean);
    for (std::int64_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(values[static_cast<std::size_t>(i)], distance(before.row(i), after.row(i)), 1e-5);
    }
  }
}

TEST(DecoderGoal, DamageAndItsGradientVanishAtTheReference) {
  const Target target = relu_target(3);
  const auto goal = target.goal("maximum_damage");
  const Objective objective(*target.victim, *goal);
  std::vector<double> values(3);
  Matrix gradients;
  objective.evaluate(consecutive(0, target.references.rows()), target.references, values, &gradients);
  EXPECT_THAT(values, testing::Each(0.0));
  EXPECT_THAT(gradients.values(), testing::Each(0.0F));
}

TEST(DecoderGoal, OutputTargetsAreTheLikelihoodAndTheDistanceOfTheTargetImage) {
  for (const Target& target : {relu_target(1), linear_target(1)}) {
    const Matrix wanted = random_images(Key(31), 1, target.references.columns());
    const TargetLikelihood likelihood("output_target", *target.vae, wanted);
    const ReconstructionDistance towards("output_target_l2", ReconstructionDistance::Sign::towards, *target.vae,
                                         wanted);
    const Matrix outputs = networks::forward_all(target.vae->layers()->encoder(), target.references, 1);
    const Matrix code = models::split_encoding(outputs).mean;
    const Matrix decoded = networks::forward_all(target.vae->layers()->decoder(), code, 1);
    EXPECT_NEAR(likelihood.value(0, outputs.row(0), {}),
                -target.vae->likelihood().negative_log(wanted.row(0), decoded.row(0), {}), 1e-9);
    EXPECT_NEAR(towards.value(0, outputs.row(0), {}), -distance(target.vae->decode(code).row(0), wanted.row(0)), 1e-6);
  }
}

TEST(DecoderGoal, ImagesOfTheWrongSizeAreNamed) {
  const Target target = relu_target(1);
  EXPECT_THAT([&] { TargetLikelihood("output_target", *target.vae, Matrix(1, 5)); },
              testing::ThrowsMessage<Misuse>(testing::HasSubstr("images to compare with must be")));
}

}  // namespace
}  // namespace vaeguard::attacks
