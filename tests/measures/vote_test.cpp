// Votes and class probabilities of draws against counts by hand.
#include "vaeguard/measures/vote.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "vaeguard/base/random.h"
#include "vaeguard/mcmc/diagnostics.h"

namespace vaeguard::measures {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Two classes on one latent: class 1 for z > 0, with probability 1 / (1 + exp(-z)).
models::LinearClassifier sign_classifier() {
  return {.weight = Matrix(2, 1, std::vector<float>{0.0F, 1.0F}), .bias = {0.0F, 0.0F}};
}

double sigmoid(double z) { return 1.0 / (1.0 + std::exp(-z)); }

TEST(Vote, CountsClassesAndAveragesProbabilitiesOverTheDrawsThatWereTaken) {
  defences::Inference inference;
  inference.chains = 2;
  // Two chains of three draws; those of the second image ended after two.
  inference.draws =
      Matrix(2, 6, std::vector<float>{-0.1F, -0.2F, 5.0F, -0.1F, 4.0F, -0.3F, 1.0F, -2.0F, kNan, 3.0F, 4.0F, kNan});
  const Vote found = vote(sign_classifier(), inference);
  EXPECT_THAT(found.winners, testing::ElementsAre(0, 1));
  const double first =
      (sigmoid(-0.1) + sigmoid(-0.2) + sigmoid(5.0) + sigmoid(-0.1) + sigmoid(4.0) + sigmoid(-0.3)) / 6.0;
  EXPECT_NEAR(found.probabilities(0, 1), first, 1e-7);  // the mean may prefer what the vote does not
  EXPECT_GT(found.probabilities(0, 1), 0.5F);
  EXPECT_NEAR(found.probabilities(1, 1), (sigmoid(1.0) + sigmoid(-2.0) + sigmoid(3.0) + sigmoid(4.0)) / 4.0, 1e-7);
  EXPECT_TRUE(std::isnan(found.error[0]));  // three draws say nothing of their error
}

TEST(Vote, DrawsThatOverflowedHaveNoVoice) {
  const models::LinearClassifier classifier{Matrix(2, 1, std::vector<float>{1.0F, -1.0F}), {0.0F, 0.0F}};
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  defences::Inference inference;
  inference.chains = 1;
  inference.draws = Matrix(2, 3, std::vector<float>{kInfinite, -kInfinite, -1.0F, kInfinite, kInfinite, -kInfinite});
  EXPECT_THAT(vote(classifier, inference).winners, testing::ElementsAre(1, models::kNoClass));
}

TEST(Vote, HasTheMonteCarloErrorOfTheMostProbableClass) {
  defences::Inference inference;
  inference.chains = 2;
  inference.draws = Matrix(1, 200);
  fill_normal(Key(1), inference.draws.flat());
  const Vote found = vote(sign_classifier(), inference);
  const std::int64_t top = found.probabilities(0, 1) > 0.5F ? 1 : 0;
  mcmc::Chains chains(2);
  for (std::int64_t k = 0; k < 200; ++k) {
    const Matrix draw(1, 1, std::vector<float>{inference.draws(0, k)});
    chains[static_cast<std::size_t>(k / 100)].push_back(sign_classifier().probabilities(draw)(0, top));
  }
  EXPECT_DOUBLE_EQ(found.error[0], mcmc::mcse_mean(chains));
  EXPECT_GT(found.error[0], 0.0);
}

}  // namespace
}  // namespace vaeguard::measures
