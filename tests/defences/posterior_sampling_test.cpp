// Posterior sampling: closed form on the linear VAE, independence of batch and threads, options, interruption.
#include "vaeguard/defences/posterior_sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <mutex>
#include <numeric>
#include <set>

#include "tests/models/learned_prior.h"
#include "vaeguard/base/error.h"
#include "vaeguard/energy/maker.h"
#include "vaeguard/energy/posterior.h"
#include "vaeguard/mcmc/integrator.h"
#include "vaeguard/models/conv_vae.h"
#include "vaeguard/models/linear_vae.h"

namespace vaeguard::defences {
namespace {

std::vector<Key> make_keys(std::int64_t count) {
  std::vector<Key> keys;
  for (std::int64_t i = 0; i < count; ++i) {
    keys.push_back(Key(5).fold(static_cast<std::uint64_t>(i)));
  }
  return keys;
}

PosteriorSamplingOptions short_chain() {
  PosteriorSamplingOptions options = default_hmc();
  options.warmup = 3;
  options.transitions = 4;
  options.leapfrog_steps = 3;
  return options;
}

Matrix random_images(std::int64_t count, std::int64_t pixels) {
  Matrix images(count, pixels);
  fill_uniform(Key(8), 0.0F, 1.0F, images.flat());
  return images;
}

TEST(PosteriorSampling, GivesEachImageTheSameResultInAnyBatchOrderAndNumberOfThreads) {
  const models::Vae vae(models::conv_vae({1, 28, 28}, {}, Key(1)));
  const Matrix images = random_images(23, 784);
  const auto keys = make_keys(23);
  PosteriorSamplingOptions several = short_chain();
  several.start = Start::map;
  several.starts = 3;
  several.start_gradients = 2;
  for (const PosteriorSamplingOptions& options : {short_chain(), several}) {
    const auto defence = make_posterior_sampling(options);
    const Inference whole = defence->infer(vae, images, keys, 2, silent_observer());
    const Inference single = defence->infer(vae, images, keys, 1, silent_observer());
    EXPECT_EQ(whole.draw, single.draw);
    EXPECT_EQ(whole.mean_reconstruction, single.mean_reconstruction);
    for (const std::int64_t row : {22, 3, 16}) {
      const Inference alone = defence->infer(
          vae, images.slice(row, 1), std::span(keys).subspan(static_cast<std::size_t>(row), 1), 1, silent_observer());
      EXPECT_EQ(alone.draw, whole.draw.slice(row, 1));
      EXPECT_EQ(alone.mean, whole.mean.slice(row, 1));
      EXPECT_EQ(alone.mean_reconstruction, whole.mean_reconstruction.slice(row, 1));
      EXPECT_EQ(alone.energy_drop[0], whole.energy_drop[static_cast<std::size_t>(row)]);
      EXPECT_EQ(alone.step_size[0], whole.step_size[static_cast<std::size_t>(row)]);
    }
  }
}

TEST(PosteriorSampling, StartsAtTheCentreOfALearnedPriorWhateverTheBatch) {
  models::VaeWeights weights = models::LinearVae::random(Key(2), 12, 4, 0.4, 0.05).weights();
  weights.prior = models::learned_prior(4, Key(6));
  const models::Vae vae(weights);
  const Matrix images = random_images(19, 12);
  const auto keys = make_keys(19);
  PosteriorSamplingOptions options = short_chain();
  options.start = Start::prior;
  const auto defence = make_posterior_sampling(options);
  const Inference whole = defence->infer(vae, images, keys, 2, silent_observer());
  const Matrix centre = vae.layers()->prior().from_base(Matrix(19, 4));
  EXPECT_NE(centre, Matrix(19, 4));
  EXPECT_EQ(whole.snapshots.front().latent, centre);
  const Inference alone = defence->infer(vae, images.slice(18, 1), std::span(keys).last(1), 1, silent_observer());
  EXPECT_EQ(alone.draw, whole.draw.slice(18, 1));
  EXPECT_EQ(alone.energy_drop[0], whole.energy_drop[18]);
}

TEST(PosteriorSampling, MeanOverDrawsApproachesTheClosedFormPosterior) {
  const auto oracle = models::LinearVae::random(Key(2), 12, 4, 0.4, 0.05);
  const models::Vae vae(oracle.weights({.mean_error = 0.5, .log_variance_shift = 0.0}, Key(3)));
  const Matrix images = random_images(8, 12);
  PosteriorSamplingOptions options = default_hmc();
  options.warmup = 50;
  options.transitions = 2000;
  const Inference inference = make_posterior_sampling(options)->infer(vae, images, make_keys(8), 2, silent_observer());
  for (std::int64_t b = 0; b < 8; ++b) {
    const auto truth = oracle.posterior(images.row(b));
    for (std::size_t d = 0; d < 4; ++d) {
      const double deviation = std::sqrt(truth.covariance[d * 4 + d]);
      // 2,000 draws worth at least 200 independent ones: six standard errors fail once in 5e8 of the 32 comparisons.
      EXPECT_NEAR(inference.mean(b, static_cast<std::int64_t>(d)), truth.mean[d], 6.0 * deviation / std::sqrt(200.0));
    }
  }
}

TEST(PosteriorSampling, LowersTheEnergyFromAWrongEncodersCode) {
  const auto oracle = models::LinearVae::random(Key(2), 12, 4, 0.4, 0.01);
  const models::Vae vae(oracle.weights({.mean_error = 2.0}, Key(3)));
  const Inference inference =
      make_posterior_sampling(default_hmc())->infer(vae, random_images(16, 12), make_keys(16), 1, silent_observer());
  EXPECT_GT(std::accumulate(inference.energy_drop.begin(), inference.energy_drop.end(), 0.0), 16.0);
}

TEST(PosteriorSampling, CountsGradientsAsTheStateMakesThem) {
  EXPECT_EQ(gradients_per_image(published_hmc()), 1.0 + 750.0 * 20.0);
  EXPECT_LE(gradients_per_image(default_hmc()) * 20.0, gradients_per_image(published_hmc()));
  EXPECT_EQ(gradients_per_image(short_hmc()), 1.0 + 24.0 + 22.0 * 5.0);
  EXPECT_EQ(gradients_per_image(multistart_hmc()), 1.0 + 16.0 * 31.0 + 22.0 * 5.0);
}

TEST(PosteriorSampling, SnapshotsEndAtTheLastDraw) {
  const models::Vae vae(models::conv_vae({1, 28, 28}, {}, Key(1)));
  const Inference inference =
      make_posterior_sampling(short_chain())->infer(vae, random_images(3, 784), make_keys(3), 1, silent_observer());
  EXPECT_EQ(inference.snapshots.back().latent, inference.draw);
  EXPECT_EQ(inference.snapshots.back().mean_reconstruction, inference.mean_reconstruction);
  EXPECT_EQ(inference.snapshots.back().gradients, inference.gradients);
  EXPECT_TRUE(inference.snapshots.front().mean_reconstruction.empty());
}

TEST(PosteriorSampling, PublishedStepSizeKeepsMovingByTheAuthorsRule) {
  const models::Vae vae(models::conv_vae({1, 28, 28}, {}, Key(1)));
  PosteriorSamplingOptions options = published_hmc();
  options.warmup = 2;
  options.transitions = 3;
  options.thin = 1;
  options.leapfrog_steps = 2;
  const Inference inference =
      make_posterior_sampling(options)->infer(vae, random_images(2, 784), make_keys(2), 1, silent_observer());
  // Five accepted transitions raise the step by (1 + 0.01 * 0.1 / 0.9)^5, a rejected one lowers it.
  EXPECT_LE(inference.step_size[0], 0.1 * std::pow(1.0 + 0.01 * 0.1 / 0.9, 5) * (1.0 + 1e-12));
  EXPECT_NE(inference.step_size[0], 0.1);
}

/// Stands still, and notes the batches that it is handed.
class DeviceLikeEnergy : public mcmc::TrajectoryField {
 public:
  DeviceLikeEnergy(const models::Vae& vae, Matrix images, std::int64_t preferred, std::set<std::int64_t>& batches)
      : energy_(vae, std::move(images)), preferred_(preferred), batches_(batches) {}
  [[nodiscard]] std::int64_t size() const override { return energy_.size(); }
  [[nodiscard]] std::int64_t dimension() const override { return energy_.dimension(); }
  [[nodiscard]] std::int64_t preferred_chains() const override { return preferred_; }
  void evaluate(std::span<const std::int64_t> functions, const Matrix& points, std::span<double> values,
                Matrix* gradients) const override {
    energy_.evaluate(functions, points, values, gradients);
  }
  void leapfrog(std::span<const std::int64_t> /*functions*/, const mcmc::Metric& /*metric*/,
                std::span<const double> /*step_size*/, int /*steps*/, mcmc::State& state,
                Matrix& /*momentum*/) const override {
    const std::scoped_lock lock(mutex_);
    batches_.insert(state.chains());
  }

 private:
  energy::PosteriorEnergy energy_;
  std::int64_t preferred_;
  std::set<std::int64_t>& batches_;
  mutable std::mutex mutex_;
};

TEST(PosteriorSampling, HandsAFieldThatIntegratesItselfAsManyChainsAsItPrefers) {
  const models::Vae vae(models::LinearVae::random(Key(2), 12, 4, 0.4, 0.05).weights(), "reference");
  const auto batches_of = [&](std::int64_t preferred) {
    std::set<std::int64_t> batches;
    energy::register_posterior_maker("reference", [&](const models::Vae& of, Matrix images) {
      return std::make_unique<DeviceLikeEnergy>(of, std::move(images), preferred, batches);
    });
    const Inference inference =
        make_posterior_sampling(short_chain())->infer(vae, random_images(40, 12), make_keys(40), 4, silent_observer());
    EXPECT_EQ(inference.acceptance, std::vector<double>(40, 1.0));
    return batches;
  };
  EXPECT_EQ(batches_of(1000), std::set<std::int64_t>{40});
  EXPECT_EQ(batches_of(30), (std::set<std::int64_t>{10, 30}));
  EXPECT_EQ(batches_of(0), std::set<std::int64_t>{10});  // as many as four threads share
  energy::register_posterior_maker("reference", [](const models::Vae& of, Matrix images) {
    return std::make_unique<energy::PosteriorEnergy>(of, std::move(images));
  });
}

/// Two chains an image on the linear VAE, with an end of their own.
struct Stopping {
  models::LinearVae oracle = models::LinearVae::random(Key(2), 12, 4, 0.4, 0.05);
  models::Vae vae{oracle.weights({.mean_error = 0.5, .log_variance_shift = 0.0}, Key(3))};
  Matrix images = random_images(5, 12);

  [[nodiscard]] static PosteriorSamplingOptions options() {
    PosteriorSamplingOptions options = default_hmc();
    options.chains = 2;
    options.warmup = 10;
    options.transitions = 400;
    options.leapfrog_steps = 3;
    return options;
  }
  [[nodiscard]] Inference infer(const PosteriorSamplingOptions& options, int threads = 1) const {
    return make_posterior_sampling(options)->infer(vae, images, make_keys(5), threads, silent_observer());
  }
};

TEST(PosteriorSampling, StopsBeforeABudgetOfGradientsIsExceededWithTheDrawsMadeSoFar) {
  const Stopping problem;
  auto options = Stopping::options();
  const Inference whole = problem.infer(options);
  options.stop.gradients = 200.0;
  const Inference stopped = problem.infer(options, 2);
  EXPECT_EQ(stopped.mean, problem.infer(options).mean);
  // 2 (1 + 3 (10 + draws)) <= 200
  const std::int64_t draws = 23;
  const std::int64_t row_of_chain = std::ssize(whole.draws.row(0)) / 2;
  for (std::size_t b = 0; b < 5; ++b) {
    EXPECT_EQ(stopped.spent[b], 2.0 * (1.0 + 3.0 * (10.0 + static_cast<double>(draws))));
    EXPECT_EQ(stopped.kept[b], 2.0 * static_cast<double>(draws));
    EXPECT_EQ(stopped.transitions[b], 2.0 * (10.0 + static_cast<double>(draws)));
    for (std::int64_t i = 0; i < 2 * row_of_chain; ++i) {
      const auto row = static_cast<std::int64_t>(b);
      if (i % row_of_chain < draws * 4) {
        ASSERT_EQ(stopped.draws(row, i), whole.draws(row, i)) << i;
      } else {
        ASSERT_TRUE(std::isnan(stopped.draws(row, i))) << i;
      }
    }
  }
  EXPECT_EQ(stopped.gradients, stopped.spent[0]);
  EXPECT_EQ(stopped.snapshots.back().latent, stopped.draw);
  EXPECT_EQ(stopped.snapshots.back().mean_reconstruction, stopped.mean_reconstruction);
  EXPECT_LT(stopped.rhat[0], 1.3);
}

TEST(PosteriorSampling, StopsOnceTheMeanIsKnownWellEnough) {
  const Stopping problem;
  auto options = Stopping::options();
  options.stop.error = 0.15;
  const Inference stopped = problem.infer(options);
  for (std::size_t b = 0; b < 5; ++b) {
    EXPECT_LE(stopped.relative_mcse[b], 0.15);
    EXPECT_EQ(std::fmod(stopped.kept[b], 24.0), 0.0);
    EXPECT_LT(stopped.kept[b], 800.0);
  }
}

TEST(PosteriorSampling, TakesOneDrawHoweverSmallTheBudget) {
  const Stopping problem;
  auto options = Stopping::options();
  options.stop.milliseconds = 1e-9;
  options.thin = 2;
  const Inference stopped = problem.infer(options);
  EXPECT_EQ(stopped.kept, std::vector<double>(5, 2.0));
  EXPECT_EQ(stopped.transitions, std::vector<double>(5, 24.0));
  EXPECT_TRUE(std::isnan(stopped.rhat[0]));
}

TEST(PosteriorSampling, RefusesImpossibleOptionsByName) {
  const auto message = [](auto change) {
    PosteriorSamplingOptions options = default_hmc();
    change(options);
    try {
      validate(options);
    } catch (const Misuse& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(message([](auto& o) { o.step_size = std::nan(""); }),
              testing::HasSubstr("step_size must be a number above 0, got nan"));
  EXPECT_THAT(message([](auto& o) { o.transitions = 0; }),
              testing::HasSubstr("transitions must be a whole number of at least 1, got 0"));
  EXPECT_THAT(message([](auto& o) {
                o.start = Start::map;
                o.starts = 0;
              }),
              testing::HasSubstr("starts must be a whole number of at least 1, got 0"));
  EXPECT_THAT(message([](auto& o) { o.starts = 4; }), testing::HasSubstr("starts = 4 needs the start map or lowest"));
  EXPECT_THAT(message([](auto& o) { o.thin = 10000; }), testing::HasSubstr("thin must be at most"));
  EXPECT_THAT(message([](auto& o) { o.target_acceptance = 1.0; }), testing::HasSubstr("target_acceptance"));
  EXPECT_THAT(message([](auto& o) { o.jitter = -0.1; }), testing::HasSubstr("jitter"));
  EXPECT_THAT(message([](auto& o) { o.stop.error = -1.0; }),
              testing::HasSubstr("stop_error must be a number of at least 0"));
  EXPECT_THAT(message([](auto& o) {
                o.stop.gradients = 100.0;
                o.adaptation = Adaptation::published;
              }),
              testing::HasSubstr("a stop needs dual averaging"));
  EXPECT_THAT(message([](auto& o) {
                o.first_step_trials = 3;
                o.adaptation = Adaptation::published;
              }),
              testing::HasSubstr("first_step_trials needs dual averaging"));
  EXPECT_THAT(message([](auto& o) { o.keep_divergences = -1; }), testing::HasSubstr("keep_divergences"));
  EXPECT_THAT(message([](auto& o) { o.kernel = "hcm"; }), testing::HasSubstr("hmc"));
}

TEST(PosteriorSampling, RefusesPixelsThatAreNoNumbers) {
  const models::Vae vae(models::conv_vae({1, 28, 28}, {}, Key(1)));
  Matrix images = random_images(2, 784);
  images(1, 7) = std::nanf("");
  EXPECT_THROW(
      static_cast<void>(make_posterior_sampling(short_chain())->infer(vae, images, make_keys(2), 1, silent_observer())),
      Misuse);
}

TEST(PosteriorSampling, StopsAtATransitionWhenInterrupted) {
  class Impatient : public Observer {
   public:
    [[nodiscard]] bool interrupted() const override { return true; }
  } observer;
  const models::Vae vae(models::conv_vae({1, 28, 28}, {}, Key(1)));
  EXPECT_THROW(
      static_cast<void>(
          make_posterior_sampling(short_chain())->infer(vae, random_images(2, 784), make_keys(2), 2, observer)),
      Interrupted);
}

TEST(Undefended, GivesTheEncodersMeanAndADrawOfIt) {
  const models::Vae vae(models::conv_vae({1, 28, 28}, {}, Key(1)));
  const Matrix images = random_images(4, 784);
  const Inference inference = make_undefended()->infer(vae, images, make_keys(4), 1, silent_observer());
  EXPECT_EQ(inference.mean, vae.encode(images).mean);
  EXPECT_NE(inference.draw, inference.mean);
  EXPECT_EQ(inference.gradients, 0.0);
}

}  // namespace
}  // namespace vaeguard::defences
