// The contract of every objective of the registry: right gradients, same bits for any threads, and a loss that falls.
#include "vaeguard/training/objective.h"

#include <algorithm>
#include <numeric>

#include "tests/training/tiny_vae.h"
#include "vaeguard/training/batch_gradient.h"
#include "vaeguard/training/registry.h"
#include "vaeguard/training/self_consistency.h"
#include "vaeguard/training/trainer.h"
#include "vaeguard/training/trainer_state.h"

namespace vaeguard::training {
namespace {

// Other than their defaults, so that every term takes part.
ObjectiveOptions options_of(std::string_view name) {
  return {
      .name = std::string(name), .beta = 3.0, .smooth = {.gamma = 0.7, .radius = 0.2, .steps = 2}, .correlation = 0.6};
}

struct Evaluated {
  double loss = 0.0;  // mean over images
  std::vector<float> gradient;
};

// 20 images: two chunks, the last of 4.
Evaluated evaluate(const models::VaeWeights& vae, const ObjectiveOptions& options, int threads = 1) {
  constexpr std::int64_t kImages = 20;
  const auto encoder = networks::compile_trainable(vae.encoder);
  const auto decoder = networks::compile_trainable(vae.decoder);
  const auto objective = make_objective(options, 100);
  BatchGradient batch(*objective, {*encoder, *decoder, vae.likelihood}, threads);
  const Matrix images = tiny_images(kImages, Key(1)).pixels;
  std::vector<std::int64_t> rows(kImages);
  std::iota(rows.begin(), rows.end(), 0);
  const BatchKeys keys{.noise = Key(2), .choices = Key(3)};
  LossSum sum;
  const auto gradient = batch.add_value_and_gradient(images, rows, keys, sum);
  Evaluated result{.loss = objective->loss(sum) / kImages, .gradient = {gradient.begin(), gradient.end()}};
  LossSum value;
  batch.add_value(images, rows, keys, value);
  EXPECT_EQ(objective->loss(value), objective->loss(sum)) << "the value alone must be the same";
  return result;
}

// How many of the parameters first .. last have a gradient that is not the loss's slope. The loss is a mean of about 30
// from float networks: rounding of about 3e-6, which a step of 2^-9 to either side turns into 1e-3. ReLUs that
// switch within the step spoil a few.
double wrong_share(models::VaeWeights vae, const ObjectiveOptions& options, bool encoder) {
  const std::vector<float> gradient = evaluate(vae, options).gradient;
  const std::size_t first = encoder ? 0 : vae.encoder.parameters.size();
  std::vector<float>& parameters = encoder ? vae.encoder.parameters : vae.decoder.parameters;
  double wrong = 0.0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    constexpr float kStep = 0x1p-9F;
    const float kept = parameters[i];
    parameters[i] = kept + kStep;
    const double up = evaluate(vae, options).loss;
    parameters[i] = kept - kStep;
    const double slope = (up - evaluate(vae, options).loss) / (2.0 * kStep);
    parameters[i] = kept;
    wrong += std::abs(slope - gradient[first + i]) > 5e-3 * (1.0 + std::abs(slope)) ? 1.0 : 0.0;
  }
  return wrong / static_cast<double>(parameters.size());
}

TEST(Objective, GradientsOfWholeLossesAgreeWithDifferences) {
  // A sign of the inner ascent that switches makes a jump, and 20 images of 36 pixels have many. Without the part that
  // runs through the fictive codes the gradient is wrong for half of the encoder.
  for (const auto& [name, allowed] : {std::pair("elbo", 0.06), {"beta_tcvae", 0.06}, {"smooth_encoder", 0.25}}) {
    EXPECT_LE(wrong_share(tiny_vae(), options_of(name), true), allowed) << name;
    EXPECT_LE(wrong_share(tiny_vae(), options_of(name), false), allowed) << name;
  }
}

TEST(Objective, SelfSupervisionHasAGradientForTheEncoderAlone) {
  const models::VaeWeights vae = tiny_vae();
  EXPECT_LE(wrong_share(vae, options_of("avae_ss"), true), 0.06);
  const std::vector<float> gradient = evaluate(vae, options_of("avae_ss")).gradient;
  EXPECT_TRUE(std::all_of(gradient.begin() + std::ssize(vae.encoder.parameters), gradient.end(),
                          [](float g) { return g == 0.0F; }));
}

// AVAE holds the reconstruction, so its gradient is no slope of the loss as a whole. Here the images of the second pass
// are held too.
TEST(Objective, SelfConsistencyAgreesWithDifferencesAtHeldReconstructions) {
  models::VaeWeights vae = tiny_vae();
  const Matrix images = tiny_images(5, Key(1)).pixels;
  const Matrix held = tiny_images(5, Key(4)).pixels;
  const auto evaluate_at = [&](std::vector<float>& gradient) {
    const auto encoder = networks::compile_trainable(vae.encoder);
    gradient.assign(vae.encoder.parameters.size(), 0.0F);
    const auto tape = encoder->make_tape();
    Matrix encoded;
    encoder->forward(images, encoded, *tape);
    EncoderPass pass;
    pass.images = held;
    Matrix encoded_gradients(5, encoded.columns());
    const double sum = add_inconsistency(*encoder, encoded, 0.6, pass, encoded_gradients, gradient);
    encoder->backward_parameters(encoded_gradients, nullptr, gradient, *tape);
    return sum;
  };
  std::vector<float> gradient;
  evaluate_at(gradient);
  std::vector<float> ignored;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    constexpr float kStep = 0x1p-9F;
    const float kept = vae.encoder.parameters[i];
    vae.encoder.parameters[i] = kept + kStep;
    const double up = evaluate_at(ignored);
    vae.encoder.parameters[i] = kept - kStep;
    const double slope = (up - evaluate_at(ignored)) / (2.0 * kStep);
    vae.encoder.parameters[i] = kept;
    wrong += std::abs(slope - gradient[i]) > 5e-3 * (1.0 + std::abs(slope)) ? 1 : 0;
  }
  EXPECT_LE(static_cast<double>(wrong), 0.06 * static_cast<double>(gradient.size()));
}

TEST(Objective, SmoothAndConsistentPenaltiesAddUp) {
  const models::VaeWeights vae = tiny_vae();
  const Evaluated plain = evaluate(vae, options_of("elbo"));
  const Evaluated smooth = evaluate(vae, options_of("smooth_encoder"));
  const Evaluated consistent = evaluate(vae, options_of("avae"));
  const Evaluated both = evaluate(vae, options_of("se_avae"));
  EXPECT_NEAR(both.loss - plain.loss, smooth.loss + consistent.loss - 2.0 * plain.loss, 1e-9 * std::abs(both.loss));
  for (std::size_t i = 0; i < both.gradient.size(); ++i) {
    const double expected = static_cast<double>(smooth.gradient[i]) + consistent.gradient[i] - plain.gradient[i];
    EXPECT_NEAR(both.gradient[i], expected, 1e-4 * (1.0 + std::abs(expected)));
  }
}

TEST(Objective, TotalCorrelationWithoutWeightIsTheElbo) {
  ObjectiveOptions options = options_of("beta_tcvae");
  options.beta = 1.0;
  ObjectiveOptions elbo = options_of("elbo");
  elbo.beta = 1.0;
  EXPECT_EQ(evaluate(tiny_vae(), options).gradient, evaluate(tiny_vae(), elbo).gradient);
}

TEST(EveryObjective, SameBitsForOneAndThreeThreads) {
  for (const ObjectiveEntry& entry : objectives()) {
    const Evaluated one = evaluate(tiny_vae(), options_of(entry.name), 1);
    const Evaluated three = evaluate(tiny_vae(), options_of(entry.name), 3);
    EXPECT_EQ(one.loss, three.loss) << entry.name;
    EXPECT_EQ(one.gradient, three.gradient) << entry.name;
  }
}

TrainerOptions training_with(std::string_view name) {
  TrainerOptions options;
  options.epochs = 3;
  options.batch = 70;
  options.objective = options_of(name);
  options.schedule = {.kind = ScheduleKind::plateau, .learning_rate = 1e-2, .patience = 0};
  return options;
}

TEST(EveryObjective, ResumedTrainingGivesTheBitsOfAnUnbrokenOne) {
  const data::Dataset dataset = tiny_dataset();
  for (const ObjectiveEntry& entry : objectives()) {
    const TrainerOptions options = training_with(entry.name);
    Trainer unbroken(tiny_vae(), dataset, options);
    models::Safetensors half;
    for (int step = 0; step < 9; ++step) {
      if (step == 4) {
        half = unbroken.state();
      }
      unbroken.step();
    }
    Trainer resumed(tiny_vae(), dataset, options);
    resumed.restore(half, "memory");
    for (int step = 4; step < 9; ++step) {
      resumed.step();
    }
    EXPECT_EQ(resumed.state(), unbroken.state()) << entry.name;
  }
}

TEST(EveryObjective, TrainingLowersItsLossOnOtherImages) {
  const data::Dataset dataset = tiny_dataset();
  for (const ObjectiveEntry& entry : objectives()) {
    TrainerOptions options = training_with(entry.name);
    options.epochs = 15;
    const TrainingResult result = train(tiny_vae(), dataset, options, silent_observer());
    const auto objective = make_objective(options.objective, dataset.train.pixels.rows());
    EXPECT_LT(objective->loss(result.history.back().validation),
              objective->loss(result.history.front().validation) - 0.05)
        << entry.name;
    if (entry.name == "avae_ss") {
      EXPECT_EQ(result.best.decoder.parameters, tiny_vae().decoder.parameters) << "a given decoder stays, bit for bit";
    }
  }
}

}  // namespace
}  // namespace vaeguard::training
