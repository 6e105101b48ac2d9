// Posterior sampling by every kernel, with several chains an image, and what it says of its draws.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/defences/fixtures.h"
#include "tests/expect_misuse.h"
#include "vaeguard/defences/posterior_sampling.h"
#include "vaeguard/models/linear_vae.h"

namespace vaeguard::defences {
namespace {

bool reads_steps(std::string_view kernel) {
  return mcmc::why_unread(mcmc::kernels().find(kernel), "leapfrog_steps").empty();
}

PosteriorSamplingOptions short_chain(std::string_view kernel, int chains) {
  PosteriorSamplingOptions options = default_hmc();
  options.kernel = kernel;
  options.chains = chains;
  options.start = Start::draw;
  options.warmup = 4;
  options.transitions = 12;
  if (reads_steps(kernel)) {
    options.leapfrog_steps = 3;
  }
  return options;
}

Inference infer(const models::Vae& vae, const Matrix& images, const PosteriorSamplingOptions& options,
                int threads = 1) {
  return make_posterior_sampling(options)->infer(vae, images, make_keys(images.rows()), threads, silent_observer());
}

TEST(PosteriorKernels, GiveEachImageTheSameResultInAnyBatchAndNumberOfThreads) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(19);
  const auto keys = make_keys(19);
  for (const std::string& kernel : mcmc::kernels().names()) {
    for (const int chains : {1, 3}) {
      PosteriorSamplingOptions options = short_chain(kernel, chains);
      options.metric = MetricChoice::learned;
      options.first_step_trials = 3;
      options.learn_length = kernel == "hmc";
      const Inference whole = infer(vae, images, options, 2);
      EXPECT_EQ(infer(vae, images, options, 1).mean, whole.mean);
      const Inference alone = make_posterior_sampling(options)->infer(
          vae, images.slice(7, 1), std::span(keys).subspan(7, 1), 1, silent_observer());
      EXPECT_EQ(alone.mean, whole.mean.slice(7, 1));
      EXPECT_EQ(alone.draws, whole.draws.slice(7, 1));
      EXPECT_EQ(alone.acceptance[0], whole.acceptance[7]);
      EXPECT_EQ(alone.rhat[0], whole.rhat[7]);
    }
  }
}

TEST(PosteriorKernels, SayOfTheirDrawsWhatTheKernelsTypeSays) {
  const models::Vae vae(small_weights());
  for (const std::string& kernel : mcmc::kernels().names()) {
    const bool langevin = kernel == "langevin";
    EXPECT_EQ(infer(vae, level_images(1), short_chain(kernel, 1)).exact, !langevin);
    const bool single = langevin || kernel == "mala";
    const int dynamic = kernel == "dynamic" ? 5 : 3;  // 3 steps one way, 2 the other
    EXPECT_EQ(gradients_per_transition(short_chain(kernel, 1)), single ? 1 : dynamic);
  }
}

TEST(PosteriorKernels, FindTheMeanOfTheClosedFormPosterior) {
  const auto oracle = models::LinearVae::random(Key(2), 12, 4, 0.4, 0.05);
  const models::Vae vae(oracle.weights({.mean_error = 0.5, .log_variance_shift = 0.0}, Key(3)));
  Matrix images(6, 12);
  fill_uniform(Key(8), 0.0F, 1.0F, images.flat());
  for (const std::string& kernel : mcmc::kernels().names()) {
    PosteriorSamplingOptions options = default_sampling(kernel);
    options.warmup = 200;
    options.transitions = kernel == "hmc" || kernel == "dynamic" ? 1000 : 12000;
    const Inference inference = infer(vae, images, options, 2);
    for (std::int64_t b = 0; b < 6; ++b) {
      const auto truth = oracle.posterior(images.row(b));
      for (std::size_t d = 0; d < 4; ++d) {
        const double deviation = std::sqrt(truth.covariance[d * 4 + d]);
        // At least 200 independent draws: six standard errors fail once in 5e8 of the 120 comparisons. Langevin's
        // mean is right on a normal, only its width is not.
        EXPECT_NEAR(inference.mean(b, static_cast<std::int64_t>(d)), truth.mean[d], 6.0 * deviation / std::sqrt(200.0))
            << kernel;
      }
    }
  }
}

TEST(PosteriorKernels, ManyChainsAreTheMeanOfTheirs) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(2);
  const auto keys = make_keys(2);
  const Inference both = infer(vae, images, short_chain("hmc", 2));
  Matrix sum(2, kSmallLatents);
  double gradients = 0.0;
  for (std::uint64_t chain = 0; chain < 2; ++chain) {
    std::vector<Key> own;
    for (const Key& key : keys) {
      own.push_back(key.fold("chain").fold(chain));
    }
    const Inference one = make_posterior_sampling(short_chain("hmc", 1))->infer(vae, images, own, 1, silent_observer());
    std::ranges::transform(sum.values(), one.mean.values(), sum.data(), std::plus<>{});
    gradients += one.gradients;
    EXPECT_EQ(both.draws.columns(), 2 * one.draws.columns());
  }
  for (std::size_t i = 0; i < sum.values().size(); ++i) {
    EXPECT_NEAR(both.mean.values()[i], sum.values()[i] / 2.0F, 1e-6F);
  }
  EXPECT_DOUBLE_EQ(both.gradients, gradients);
}

TEST(PosteriorKernels, CountTheGradientsThatTheySpend) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(3);
  for (const std::string& kernel : mcmc::kernels().names()) {
    PosteriorSamplingOptions options = short_chain(kernel, 1);
    options.start = Start::map;
    options.start_gradients = 8;
    const double spent = infer(vae, images, options).gradients;
    if (kernel == "dynamic") {
      EXPECT_GT(spent, 1.0 + 8.0 + 16.0);
      EXPECT_LE(spent, gradients_per_image(options));
    } else {
      EXPECT_EQ(spent, gradients_per_image(options));
    }
  }
}

TEST(PosteriorKernels, SayWhetherChainsAgree) {
  const models::Vae vae(small_weights());
  const Matrix images = level_images(4);
  PosteriorSamplingOptions options = short_chain("hmc", 4);
  options.warmup = 30;
  options.transitions = 200;
  options.leapfrog_steps = 8;
  const Inference settled = infer(vae, images, options, 2);
  for (std::size_t b = 0; b < 4; ++b) {
    EXPECT_LT(settled.rhat[b], 1.05);
    EXPECT_GT(settled.bulk_ess[b], 100.0);
    EXPECT_GT(settled.e_bfmi[b], 0.3);
    EXPECT_LT(settled.relative_mcse[b], 0.15);
  }
  options.warmup = 0;
  options.transitions = 12;
  options.step_size = 1e-3;  // goes nowhere from four different draws
  const Inference stuck = infer(vae, images, options, 2);
  EXPECT_THAT(stuck.rhat, testing::Each(testing::Gt(1.2)));
  options.transitions = 11;  // a draw too few
  EXPECT_TRUE(infer(vae, images, options, 2).rhat.empty());
}

TEST(PosteriorKernels, AnotherKernelInAPlanForgetsWhatItDoesNotRead) {
  const Value table = Value::Table{{"kernel", "mala"}};
  const PosteriorSamplingOptions options = posterior_sampling_schema().read(table, "test", short_hmc());
  EXPECT_EQ(options.leapfrog_steps, PosteriorSamplingOptions{}.leapfrog_steps);
  EXPECT_NO_THROW(validate(options));
  EXPECT_EQ(gradients_per_transition(options), 1);
}

TEST(PosteriorKernels, VarianceIsThatOfAllDrawsOfAnImage) {
  const models::Vae vae(small_weights());
  const Inference inference = infer(vae, level_images(5), short_chain("hmc", 3), 2);
  ASSERT_EQ(inference.variance.rows(), 5);
  for (std::int64_t b = 0; b < 5; ++b) {
    for (std::int64_t d = 0; d < kSmallLatents; ++d) {
      double sum = 0.0;
      double squares = 0.0;
      for (std::int64_t k = 0; k < 36; ++k) {
        const double z = inference.draws(b, k * kSmallLatents + d);
        sum += z;
        squares += z * z;
      }
      EXPECT_NEAR(inference.mean(b, d), sum / 36.0, 1e-5);
      EXPECT_NEAR(inference.variance(b, d), (squares - sum * sum / 36.0) / 35.0, 1e-5 * (1.0 + squares));
    }
  }
}

TEST(PosteriorKernels, TheFirstDivergencesOfEachChainAreKeptToBeLookedAt) {
  const models::Vae vae(small_weights());
  PosteriorSamplingOptions options = short_chain("hmc", 2);
  options.step_size = 1e4;
  options.warmup = 0;
  options.transitions = 6;
  options.keep_divergences = 2;
  const Matrix images = level_images(3);
  const Inference inference = infer(vae, images, options, 2);
  ASSERT_EQ(inference.divergences, std::vector<double>(3, 12.0));
  for (std::int64_t b = 0; b < 3; ++b) {
    const auto& of_image = inference.first_divergences[static_cast<std::size_t>(b)];
    ASSERT_EQ(of_image.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(of_image[i].chain, static_cast<std::int64_t>(i / 2));
      EXPECT_EQ(of_image[i].transition, static_cast<int>(i % 2) + 1);
      EXPECT_GT(of_image[i].step_size, 5e3);
      EXPECT_EQ(std::ssize(of_image[i].position), kSmallLatents);
    }
  }
  // No chain moved: the first one is where it started.
  EXPECT_TRUE(std::ranges::equal(inference.first_divergences[1][0].position, inference.draw.row(1)));
  const auto keys = make_keys(3);
  const Inference alone =
      make_posterior_sampling(options)->infer(vae, images.slice(2, 1), std::span(keys).last(1), 1, silent_observer());
  EXPECT_EQ(alone.first_divergences[0][3].momentum, inference.first_divergences[2][3].momentum);
  options.keep_divergences = 0;
  EXPECT_THAT(infer(vae, images, options).first_divergences, testing::Each(testing::IsEmpty()));
}

TEST(PosteriorKernels, RefuseImpossibleOptions) {
  PosteriorSamplingOptions options = default_hmc();
  options.chains = 0;
  expect_misuse([&] { make_posterior_sampling(options); }, {"chains must be a whole number of at least 1, got 0"});
  options.chains = 1;
  options.persistence = 0.5;
  expect_misuse([&] { make_posterior_sampling(options); }, {"the kernel hmc has no option persistence, got 0.5"});
  PosteriorSamplingOptions mala = default_sampling("mala");
  mala.leapfrog_steps = 99;
  expect_misuse([&] { make_posterior_sampling(mala); }, {"the kernel mala has no option leapfrog_steps, got 99"});
  mala = default_sampling("mala");
  mala.learn_length = true;
  expect_misuse([&] { make_posterior_sampling(mala); }, {"learn_length"});
}

}  // namespace
}  // namespace vaeguard::defences
