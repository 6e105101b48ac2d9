// Every likelihood of the registry keeps the contract, and its options are those that it lists.
#include <cmath>
#include <limits>
#include <vector>

#include "tests/base/choice_contract.h"
#include "tests/expect_misuse.h"
#include "tests/models/likelihood_contract.h"

namespace vaeguard::models {
namespace {

/// Every entry as it is, and with another variance where it has one.
std::vector<Likelihood> every_likelihood() { return every_choice(likelihoods(), {{"variance", 0.3}}); }

TEST(LikelihoodContract, EveryEntryIsAChoiceWithTheOptionsThatItLists) {
  expect_choices(likelihoods(), likelihood_schema(), "likelihood");
  for (const LikelihoodEntry& entry : likelihoods()) {
    EXPECT_EQ(entry.usual.published_only(), !entry.caution.empty()) << entry.name;
    EXPECT_THAT(describe(entry.usual), testing::StartsWith(std::string(entry.name)));
    for (const Option& option : entry.usual.options()) {
      for (const double bad : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
        Value wrong;
        wrong.set(option.key, bad);
        expect_misuse([&] { (void)entry.usual.with(wrong); }, {option.key + " must be " + option.expectation()});
      }
    }
  }
  expect_misuse([] { (void)gaussian(0.0); }, {"variance must be a number above 0 or \"learned\", got 0"});
  expect_misuse([] { (void)laplace(std::nan("")); }, {"variance must be a number above 0, got nan"});
}

TEST(LikelihoodContract, ValuesAreEqualWhereNameAndOptionsAre) {
  const std::vector<Likelihood> all = every_likelihood();
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < all.size(); ++j) {
      EXPECT_EQ(all[i] == all[j], i == j) << describe(all[i]) << ", " << describe(all[j]);
    }
    const Likelihood copy = all[i];  // NOLINT(performance-unnecessary-copy-initialization)
    EXPECT_EQ(copy, all[i]);
  }
}

TEST(LikelihoodContract, TermsOfAPixelAreTheDerivativesOfOneAnother) {
  for (const Likelihood& likelihood : every_likelihood()) {
    expect_terms_that_are_derivatives(likelihood);
  }
}

TEST(LikelihoodContract, ImagesAreTheirPixels) {
  for (const Likelihood& likelihood : every_likelihood()) {
    expect_images_to_be_their_pixels(likelihood);
  }
}

TEST(LikelihoodContract, GradientsAgreeWithFiniteDifferencesOfTheValue) {
  for (const Likelihood& likelihood : every_likelihood()) {
    expect_gradients_of_differences(likelihood);
  }
}

TEST(LikelihoodContract, ParametersThatAreNoNumbersGiveNoFiniteEnergy) {
  for (const Likelihood& likelihood : every_likelihood()) {
    expect_no_energy_of_no_number(likelihood);
  }
}

TEST(LikelihoodContract, APixelThatIsTheMeanHasNoGradient) {
  for (const Likelihood& likelihood : every_likelihood()) {
    expect_no_gradient_at_the_mean(likelihood);
  }
}

TEST(LikelihoodContract, AGradientAtTheMeanImageIsPulledBackToTheParameters) {
  for (const Likelihood& likelihood : every_likelihood()) {
    expect_gradients_pulled_back(likelihood);
  }
}

TEST(LikelihoodContract, NoPixelOfTheIntervalIsLikelierThanTheLikeliest) {
  for (const Likelihood& likelihood : every_likelihood()) {
    expect_likeliest_pixels(likelihood);
  }
}

TEST(LikelihoodContract, ValuesAreClearedWhereTheLikeliestPixelFollowsItsParameter) {
  for (const Likelihood& likelihood : every_likelihood()) {
    expect_followers_cleared(likelihood);
  }
}

TEST(LikelihoodContract, LikelierStepsMinimiseWithOneMultiplierForAllPixels) {
  for (const Likelihood& likelihood : every_likelihood()) {
    expect_likelier_steps(likelihood);
  }
}

}  // namespace
}  // namespace vaeguard::models
