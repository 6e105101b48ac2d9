// Codes of a hundred thousand dimensions: what is computed of them, and in how much memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>

#include "tests/defences/fixtures.h"
#include "vaeguard/defences/posterior_sampling.h"
#include "vaeguard/mcmc/monitor.h"

namespace vaeguard::defences {
namespace {

using networks::Operation;

/// Latents are maps of the image's own size, `channels` of them; encoder and decoder are one convolution each.
models::Vae map_vae(std::int64_t side, std::int64_t channels) {
  models::VaeWeights weights{.architecture = "maps",
                             .encoder = {.inputs = {{1, side, side}}},
                             .decoder = {.inputs = {{channels, side, side}}},
                             .likelihood = {}};
  weights.encoder.add(Operation::convolution, {.channels = 2 * channels, .kernel = 1});
  weights.decoder.add(Operation::convolution, {.channels = 1, .kernel = 3, .padding = 1});
  networks::randomise(weights.encoder, Key(41));
  networks::randomise(weights.decoder, Key(42));
  return models::Vae(weights);
}

PosteriorSamplingOptions few_draws(int transitions) {
  PosteriorSamplingOptions options = default_hmc();
  options.metric = MetricChoice::identity;
  options.warmup = 4;
  options.transitions = transitions;
  options.leapfrog_steps = 2;
  options.step_size = 0.1;
  return options;
}

Inference infer(const models::Vae& vae, std::int64_t images, const PosteriorSamplingOptions& options, int threads = 2) {
  Matrix pixels(images, vae.image().size());
  fill_uniform(Key(8), 0.0F, 1.0F, pixels.flat());
  return make_posterior_sampling(options)->infer(vae, pixels, make_keys(images), threads, silent_observer());
}

TEST(LargeCodes, AreDiagnosedByProjectionsAndEnergyAndTheirDrawsAreNotKept) {
  const models::Vae vae = map_vae(12, 40);  // 5,760 latents
  ASSERT_GT(vae.latent_size(), mcmc::kLargestSmallCode);
  const Inference inference = infer(vae, 3, few_draws(20));
  EXPECT_TRUE(inference.draws.empty());
  EXPECT_EQ(inference.kept, std::vector<double>(3, 20.0));
  for (const auto* values : {&inference.rhat, &inference.bulk_ess, &inference.e_bfmi}) {
    ASSERT_EQ(values->size(), 3U);
    EXPECT_THAT(*values, testing::Each(testing::Truly([](double value) { return std::isfinite(value); })));
  }
  const auto finite = testing::Each(testing::Truly([](float value) { return std::isfinite(value) && value > 0.0F; }));
  EXPECT_THAT(inference.variance.values(), finite);
}

TEST(LargeCodes, KeepTheirDrawsOnlyWhereAskedToWhichChangesNothingElse) {
  const models::Vae vae = map_vae(12, 40);
  PosteriorSamplingOptions options = few_draws(12);
  const Inference without = infer(vae, 2, options);
  options.keep_draws = KeepDraws::always;
  const Inference with = infer(vae, 2, options, 1);
  EXPECT_EQ(with.mean, without.mean);
  EXPECT_EQ(with.variance, without.variance);
  EXPECT_EQ(with.rhat, without.rhat);
  ASSERT_EQ(with.draws.columns(), 12 * vae.latent_size());
  EXPECT_TRUE(
      std::ranges::equal(with.draws.row(1).last(static_cast<std::size_t>(vae.latent_size())), with.draw.row(1)));
}

TEST(SmallCodes, LoseTheirDrawsAndNothingElseWhereTheyAreNotToBeKept) {
  const models::Vae vae(small_weights());
  PosteriorSamplingOptions options = few_draws(12);
  const Inference with = infer(vae, 2, options);
  EXPECT_EQ(with.draws.columns(), 12 * kSmallLatents);
  options.keep_draws = KeepDraws::never;
  const Inference without = infer(vae, 2, options);
  EXPECT_TRUE(without.draws.empty());
  EXPECT_EQ(without.mean, with.mean);
  EXPECT_EQ(without.rhat, with.rhat);
}

// A draw of 64 images of 102,400 latents takes 26 MB. 14 of them, kept twice as they once were, would be 730 MB beside
// the rest, and 40 of them 2.1 GB.
TEST(LargeCodes, AHundredThousandLatentsOf64ImagesFitIntoOneGigabyte) {
  const models::Vae vae = map_vae(32, 100);
  PosteriorSamplingOptions options = few_draws(14);
  options.warmup = 2;
  options.leapfrog_steps = 1;
  const Inference inference = infer(vae, 64, options);
  EXPECT_EQ(inference.mean.columns(), 102400);
  EXPECT_EQ(inference.rhat.size(), 64U);
  rusage usage{};
  ASSERT_EQ(getrusage(RUSAGE_SELF, &usage), 0);
  RecordProperty("peak_megabytes", static_cast<int>(usage.ru_maxrss / 1024));
#ifndef __SANITIZE_ADDRESS__                 // which keeps for a while what was freed
  EXPECT_LT(usage.ru_maxrss, 1024L * 1024);  // in kB
#endif
}

}  // namespace
}  // namespace vaeguard::defences
