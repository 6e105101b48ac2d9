// A learned variance: it is the mean squared residual, and it is resumed, stored and refused as it should be.
#include "vaeguard/training/learned_variance.h"

#include <gtest/gtest.h>

#include "tests/expect_misuse.h"
#include "tests/training/tiny_vae.h"
#include "vaeguard/models/checkpoint.h"
#include "vaeguard/training/trainer.h"
#include "vaeguard/training/trainer_state.h"

namespace vaeguard::training {
namespace {

models::Likelihood learned() {
  Value variance;
  variance.set("variance", "learned");
  return models::gaussian(1.0).with(variance);
}

// Three steps an epoch.
TrainerOptions tiny_options() {
  TrainerOptions options;
  options.epochs = 3;
  options.batch = 70;
  options.schedule = {.kind = ScheduleKind::constant, .learning_rate = 1e-2};
  return options;
}

Trainer run_steps(const data::Dataset& dataset, const TrainerOptions& options, int steps) {
  Trainer trainer(tiny_vae(learned()), dataset, options);
  for (int i = 0; i < steps; ++i) {
    trainer.step();
  }
  return trainer;
}

TEST(LearnedVariance, IsSaidOfAGaussianAlone) {
  EXPECT_TRUE(learns_variance(learned()));
  EXPECT_EQ(models::describe(learned()), "gaussian, variance \"learned\"");
  EXPECT_NE(learned(), first_likelihood(learned()));
  EXPECT_NEAR(variance_of(first_likelihood(learned())), 0.159154943, 1e-9);
  for (const models::Likelihood& other : {models::bernoulli(), models::gaussian(0.5), models::laplace(0.5)}) {
    EXPECT_FALSE(learns_variance(other));
    EXPECT_EQ(first_likelihood(other), other);
  }
}

// -log p of residuals 0.1 and 0.3 under any variance gives back their mean square, 0.05. That is the variance under
// which they are most probable.
TEST(LearnedVariance, IsTheMeanSquaredResidual) {
  const std::vector<float> image{0.5F, 0.5F};
  const std::vector<float> means{0.6F, 0.2F};
  for (const double variance : {0.01, 0.05, 2.0}) {
    const double reconstruction = 0.5 * models::gaussian(variance).negative_log(image, means, {});
    EXPECT_NEAR(best_variance(reconstruction, variance), 0.05, 1e-7) << "residuals are rounded to float";
    EXPECT_GE(reconstruction, 0.5 * models::gaussian(0.05).negative_log(image, means, {}));
  }
  EXPECT_EQ(best_variance(0.5 * models::gaussian(0.3).negative_log(image, image, {}), 0.3), kLeastLearnedVariance);
}

// The sum that training reports of an epoch is under the variance of that epoch, so both epochs can be recomputed.
TEST(LearnedVariance, FollowsEveryEpoch) {
  const data::Dataset dataset = tiny_dataset();
  Trainer trainer = run_steps(dataset, tiny_options(), 2);
  EXPECT_EQ(trainer.current().likelihood, first_likelihood(learned())) << "within the first epoch";
  double variance = variance_of(trainer.current().likelihood);
  for (int epoch = 0; epoch < 2; ++epoch) {
    while (std::ssize(trainer.history()) == epoch) {
      trainer.step();
    }
    const double reconstruction = trainer.history().back().training.elbo.reconstruction / 36.0;
    const double now = variance_of(trainer.current().likelihood);
    EXPECT_NEAR(now, best_variance(reconstruction, variance), 1e-12);
    EXPECT_NE(now, variance);
    variance = now;
  }
}

TEST(LearnedVariance, ResumedAtAnyStepGivesTheSameBitsAsUnbroken) {
  const data::Dataset dataset = tiny_dataset();
  const models::Safetensors unbroken = run_steps(dataset, tiny_options(), 9).state();
  for (int stop = 0; stop < 9; ++stop) {
    const auto bytes = models::serialise_safetensors(run_steps(dataset, tiny_options(), stop).state());
    Trainer resumed(tiny_vae(learned()), dataset, tiny_options());
    resumed.restore(models::parse_safetensors(bytes, "memory"), "memory");
    for (int i = stop; i < 9; ++i) {
      resumed.step();
    }
    EXPECT_EQ(resumed.state(), unbroken) << "stopped after " << stop;
  }
  TrainerOptions two = tiny_options();
  two.threads = 2;
  EXPECT_EQ(run_steps(dataset, two, 9).state(), unbroken);
}

TEST(LearnedVariance, IsANumberInTheResultAndBetterThanAFixedOne) {
  const data::Dataset dataset = tiny_dataset();
  TrainerOptions options = tiny_options();
  options.epochs = 40;
  const TrainingResult result = train(tiny_vae(learned()), dataset, options, silent_observer());
  const TrainingResult fixed = train(tiny_vae(first_likelihood(learned())), dataset, options, silent_observer());
  const auto best = [](const TrainingResult& of) {
    return of.history[static_cast<std::size_t>(of.best_epoch - 1)].validation.elbo.loss(1.0);
  };
  EXPECT_LT(best(result), best(fixed) - 1.0);
  const models::Checkpoint stored{.vae = result.best, .classifier = std::nullopt, .metadata = {}};
  EXPECT_EQ(models::from_safetensors(models::to_safetensors(stored), "memory").vae.likelihood, result.best.likelihood);
  EXPECT_GE(variance_of(result.best.likelihood), kLeastLearnedVariance);
}

TEST(LearnedVariance, IsRefusedWhereThereIsNone) {
  const data::Dataset dataset = tiny_dataset();
  expect_misuse([] { (void)models::to_safetensors({.vae = tiny_vae(learned()), .classifier = {}, .metadata = {}}); },
                {"the variance of the likelihood gaussian must be a number in a checkpoint, got \"learned\""});
  TrainerOptions options = tiny_options();
  options.objective.name = "avae_ss";
  expect_misuse([&] { Trainer(tiny_vae(learned()), dataset, options); },
                {"objective avae_ss looks at no training images"});
  const models::Safetensors state = run_steps(dataset, tiny_options(), 2).state();
  Trainer fixed(tiny_vae(models::gaussian(0.5)), dataset, tiny_options());
  expect_misuse([&] { fixed.restore(state, "state"); }, {"this state is of another training", "gaussian \"learned\""});
}

}  // namespace
}  // namespace vaeguard::training
