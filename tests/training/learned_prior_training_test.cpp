// Training of a prior together with its VAE: gradients per objective, resuming, and whether it is worth its cost.
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "tests/expect_misuse.h"
#include "tests/models/learned_prior.h"
#include "tests/training/tiny_vae.h"
#include "vaeguard/models/linear_vae.h"
#include "vaeguard/training/evaluation.h"
#include "vaeguard/training/registry.h"
#include "vaeguard/training/trainer.h"
#include "vaeguard/training/trainer_state.h"

namespace vaeguard::training {
namespace {

models::VaeWeights tiny_learned_vae() {
  models::VaeWeights vae = tiny_vae();
  vae.prior = models::learned_prior(2, Key(31), {.couplings = 3, .hidden = 4});
  return vae;
}

TrainerOptions tiny_options() {
  TrainerOptions options;
  options.epochs = 3;
  options.batch = 70;
  options.schedule = {.kind = ScheduleKind::plateau, .learning_rate = 1e-2, .patience = 0};
  return options;
}

TEST(LearnedPriorTraining, SameBitsForAnyThreadsAndAfterAnyInterruption) {
  const data::Dataset dataset = tiny_dataset();
  for (const std::string_view objective : {"elbo", "smooth_encoder"}) {
    TrainerOptions options = tiny_options();
    options.objective.name = objective;
    const auto run = [&](Trainer trainer, int steps) {
      for (int i = 0; i < steps; ++i) {
        trainer.step();
      }
      return trainer.state();
    };
    const models::Safetensors unbroken = run(Trainer(tiny_learned_vae(), dataset, options), 9);
    for (const int stop : {1, 4, 8}) {
      const auto bytes = models::serialise_safetensors(run(Trainer(tiny_learned_vae(), dataset, options), stop));
      options.threads = 3;
      Trainer resumed(tiny_learned_vae(), dataset, options);
      resumed.restore(models::parse_safetensors(bytes, "memory"), "memory");
      EXPECT_EQ(run(std::move(resumed), 9 - stop), unbroken) << objective << ", stopped after " << stop;
      options.threads = 1;
    }
  }
}

TEST(LearnedPriorTraining, TheBestEpochKeepsItsPrior) {
  const data::Dataset dataset = tiny_dataset();
  TrainerOptions options = tiny_options();
  options.epochs = 6;
  options.schedule = {.kind = ScheduleKind::constant, .learning_rate = 0.3};  // large enough to get worse again
  Trainer trainer(tiny_learned_vae(), dataset, options);
  trainer.run(silent_observer());
  ASSERT_LT(trainer.best_epoch(), 6) << "this test needs a training that gets worse";
  const auto& best = trainer.best().prior.couplings;
  EXPECT_NE(best.front().parameters, tiny_learned_vae().prior.couplings.front().parameters);
  EXPECT_NE(best.front().parameters, trainer.current().prior.couplings.front().parameters);
  const double loss = trainer.history()[static_cast<std::size_t>(trainer.best_epoch() - 1)].validation.elbo.loss(1.0);
  const ElboEstimate again = estimate_elbo(models::Vae(trainer.best(), "native"), dataset.validation.pixels,
                                           Key(options.seed).fold("training").fold("validation"), 1);
  EXPECT_NEAR(-again.elbo, loss, 1e-4) << "the kept weights are those of the epoch whose loss is on record";
}

TEST(LearnedPriorTraining, RefusesTheStateOfAnotherPrior) {
  const data::Dataset dataset = tiny_dataset();
  const models::Safetensors state = Trainer(tiny_learned_vae(), dataset, tiny_options()).state();
  models::VaeWeights other = tiny_learned_vae();
  other.prior.bound = 1.0;
  expect_misuse([&] { Trainer(other, dataset, tiny_options()).restore(state, "state"); },
                {"another training", "realnvp of 3 couplings bound 2"});
  expect_misuse([&] { Trainer(tiny_vae(), dataset, tiny_options()).restore(state, "state"); }, {"another training"});
}

TEST(LearnedPriorTraining, ObjectivesThatPresumeTheStandardNormalAreRefusedWithTheReason) {
  const data::Dataset dataset = tiny_dataset();
  for (const ObjectiveEntry& entry : objectives()) {
    TrainerOptions options = tiny_options();
    options.objective.name = entry.name;
    const auto make = [&] { Trainer(tiny_learned_vae(), dataset, options); };
    if (entry.needs_standard_normal.empty()) {
      EXPECT_NO_THROW(make()) << entry.name;
    } else {
      expect_misuse(make, {fmt::format("objective {} needs the prior standard_normal", entry.name), "got realnvp",
                           std::string(entry.needs_standard_normal)});
    }
  }
  EXPECT_TRUE(objectives().find("elbo").needs_standard_normal.empty());
  EXPECT_FALSE(objectives().find("avae_ss").needs_standard_normal.empty()) << "it draws codes and moves them";
}

// Images of a plane in 6 pixels whose coordinates lie on a parabola, where no linear map takes a standard normal.
// Encoder and decoder are linear, so that all the bending is up to the prior.
constexpr std::int64_t kPixels = 6;

models::VaeWeights linear_vae() {
  models::VaeWeights vae{.architecture = "parabola",
                         .encoder = {.inputs = {{kPixels, 1, 1}}},
                         .decoder = {.inputs = {{2, 1, 1}}},
                         .likelihood = models::gaussian(0.0025)};
  vae.encoder.add(networks::Operation::convolution, {.channels = 4});
  vae.decoder.add(networks::Operation::convolution, {.channels = kPixels});
  fill_uniform(Key(41), -0.3F, 0.3F, vae.encoder.parameters);
  fill_uniform(Key(42), -0.3F, 0.3F, vae.decoder.parameters);
  vae.prior = models::realnvp(2, Key(43), {.couplings = 4, .hidden = 24});
  return vae;
}

data::Images parabola_images(std::int64_t count, Key key) {
  data::Images images{.pixels = Matrix(count, kPixels),
                      .labels = std::vector<std::int64_t>(static_cast<std::size_t>(count))};
  Matrix maps(2, kPixels);
  fill_normal(Key(44), maps.flat());
  for (std::int64_t i = 0; i < count; ++i) {
    Stream stream(key.fold(static_cast<std::uint64_t>(i)));
    const double along = std::sqrt(3.0) * (2.0 * stream.uniform() - 1.0);  // of variance 1
    const double across = along * along - 1.0;                             // of variance 4 / 5
    std::vector<float> noise(kPixels);
    fill_normal(key.fold("noise").fold(static_cast<std::uint64_t>(i)), noise);
    for (std::int64_t p = 0; p < kPixels; ++p) {
      images.pixels(i, p) =
          static_cast<float>(along * maps(0, p) + across * maps(1, p)) + 0.05F * noise[static_cast<std::size_t>(p)];
    }
  }
  return images;
}

// The least negative log-likelihood that a Gaussian can have on these images. A linear VAE with the standard normal
// prior is a Gaussian, so no training brings it below.
double least_gaussian_nll(const Matrix& images) {
  const auto count = static_cast<double>(images.rows());
  models::Gaussian gaussian{.mean = std::vector<double>(kPixels), .covariance = std::vector<double>(kPixels * kPixels)};
  for (std::int64_t i = 0; i < images.rows(); ++i) {
    for (std::int64_t p = 0; p < kPixels; ++p) {
      gaussian.mean[static_cast<std::size_t>(p)] += images(i, p) / count;
    }
  }
  for (std::int64_t i = 0; i < images.rows(); ++i) {
    for (std::size_t pq = 0; pq < kPixels * kPixels; ++pq) {
      const std::size_t p = pq / kPixels;
      const std::size_t q = pq % kPixels;
      gaussian.covariance[pq] += (images.row(i)[p] - gaussian.mean[p]) * (images.row(i)[q] - gaussian.mean[q]) / count;
    }
  }
  double sum = 0.0;
  for (std::int64_t i = 0; i < images.rows(); ++i) {
    const std::vector<double> image(images.row(i).begin(), images.row(i).end());
    sum -= models::log_density(gaussian, image) / count;
  }
  return sum;
}

TEST(LearnedPriorTraining, BeatsEveryStandardNormalWhereCodesLieOnAParabola) {
  const data::Dataset dataset{.name = "parabola",
                              .shape = {kPixels, 1, 1},
                              .classes = 1,
                              .digest = "none",
                              .train = parabola_images(2000, Key(51)),
                              .validation = parabola_images(300, Key(52)),
                              .test = parabola_images(1000, Key(53))};
  TrainerOptions options;
  options.epochs = 25;
  options.batch = 50;
  options.schedule.learning_rate = 0.03;
  const TrainingResult result = train(linear_vae(), dataset, options, silent_observer());
  const models::Vae vae(result.best);
  const double nll =
      estimate_likelihood(vae, dataset.test.pixels, 50, Key(54), 1, silent_observer()).negative_log_likelihood;
  // To the plane's coordinates a Gaussian with their moments gives log(2 pi e) + log(4 / 5) / 2 = 2.7 nats. A
  // parabola's arc of about 5 with noise of about 0.02 across has log 5 + log(0.02 sqrt(2 pi e)) = -0.9, and one affine
  // coupling bends a line to a parabola: of 3.6 nats to gain, the half must be.
  EXPECT_LT(nll, least_gaussian_nll(dataset.test.pixels) - 1.8);
}

}  // namespace
}  // namespace vaeguard::training
