// What every prior of the registry promises, untrained and with other weights: density, gradients, draws, options.
#include "tests/base/choice_contract.h"
#include "tests/expect_misuse.h"
#include "tests/models/learned_prior.h"
#include "vaeguard/models/prior_design.h"
#include "vaeguard/models/reference_prior.h"

namespace vaeguard::models {
namespace {

/// Every entry as it is, and with other values of the options that it reads.
std::vector<PriorDesign> every_design() {
  return every_choice(priors(), {{"couplings", 3}, {"hidden", 4}, {"bound", 1.5}});
}

PriorWeights learned(const PriorDesign& design, std::int64_t latents) {
  return learned(design.make(latents, Key(1)), Key(1));
}

Matrix random_codes(std::int64_t count, std::int64_t size) {
  Matrix codes(count, size);
  fill_normal(Key(5), codes.flat());
  return codes;
}

TEST(PriorContract, EveryEntryIsAChoiceWithTheOptionsThatItLists) {
  expect_choices(priors(), prior_schema(), "prior");
  for (const PriorEntry& entry : priors()) {
    for (const Option& option : entry.usual.options()) {
      Value wrong;
      wrong.set(option.key, -1);
      expect_misuse([&] { (void)entry.usual.with(wrong); }, {option.key + " must be " + option.expectation()});
    }
  }
}

TEST(PriorContract, WeightsTellTheDesignThatTheyWereMadeBy) {
  const std::vector<PriorDesign> all = every_design();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const PriorWeights weights = all[i].make(5, Key(1));
    EXPECT_NO_THROW(validate(weights, 5, "test")) << describe(all[i]);
    EXPECT_EQ(name(weights), all[i].name());
    for (std::size_t j = 0; j < all.size(); ++j) {
      EXPECT_EQ(design_of(weights) == all[j], i == j) << describe(all[i]) << ", " << describe(all[j]);
    }
  }
}

TEST(PriorContract, UntrainedItIsTheStandardNormal) {
  for (const PriorDesign& design : every_design()) {
    const Prior prior(design.make(6, Key(1)));
    const Matrix codes = random_codes(4, 6);
    PriorTape tape;
    prior.forward(codes, tape);
    for (std::int64_t b = 0; b < 4; ++b) {
      EXPECT_EQ(tape.energy(b), standard_normal_energy(codes.row(b))) << describe(design);
    }
    EXPECT_EQ(prior.from_base(codes), codes) << describe(design);
  }
}

// Values move in double between couplings, but the networks' outputs are floats: 6e-8 of numbers near 1 with a few
// roundings on the way, in 4 couplings of up to 16 moved dimensions each.
TEST(PriorContract, AgreesWithTheReference) {
  for (const PriorDesign& design : every_design()) {
    const PriorWeights weights = learned(design, 33);
    const Prior prior(weights);
    const Matrix codes = random_codes(5, 33);
    PriorTape tape;
    prior.forward(codes, tape);
    prior.backward(tape);
    for (std::int64_t b = 0; b < 5; ++b) {
      const std::vector<double> latent(codes.row(b).begin(), codes.row(b).end());
      std::vector<double> gradient;
      EXPECT_NEAR(tape.energy(b), reference_prior_energy(weights, latent, &gradient), 2e-4) << describe(design);
      const auto base = reference_base(weights, latent);
      EXPECT_NEAR(tape.log_determinant[static_cast<std::size_t>(b)], base.log_determinant, 1e-4) << describe(design);
      for (std::size_t d = 0; d < 33; ++d) {
        EXPECT_NEAR(tape.gradient[static_cast<std::size_t>(b) * 33 + d], gradient[d],
                    2e-4 * (1.0 + std::abs(gradient[d])))
            << describe(design);
      }
    }
  }
}

TEST(PriorContract, DrawsAreTheCodesOfBasePoints) {
  for (const PriorDesign& design : every_design()) {
    const PriorWeights weights = learned(design, 7);
    const Prior prior(weights);
    const Matrix base = random_codes(70, 7);
    const Matrix codes = prior.from_base(base);
    PriorTape tape;
    prior.forward(codes, tape);
    for (std::int64_t b = 0; b < base.rows(); ++b) {
      const std::vector<double> point(base.row(b).begin(), base.row(b).end());
      const auto expected = reference_from_base(weights, point);
      for (std::int64_t d = 0; d < 7; ++d) {
        // A code is a float; going back multiplies its rounding by scales of up to exp(4).
        EXPECT_NEAR(codes(b, d), expected[static_cast<std::size_t>(d)], 1e-5 * (1.0 + std::abs(codes(b, d))))
            << describe(design);
        EXPECT_NEAR(tape.point[static_cast<std::size_t>(b * 7 + d)], base(b, d), 1e-4) << describe(design);
      }
    }
  }
}

TEST(PriorContract, ARowDoesNotDependOnTheOthersNorOnThreads) {
  for (const PriorDesign& design : every_design()) {
    const Prior prior(learned(design, 7));
    const Matrix codes = random_codes(70, 7);
    PriorTape all;
    prior.forward(codes, all);
    prior.backward(all);
    for (const std::int64_t row : {0, 13, 69}) {
      PriorTape one;
      prior.forward(codes.slice(row, 1), one);
      prior.backward(one);
      EXPECT_EQ(one.energy(0), all.energy(row)) << describe(design);
      EXPECT_TRUE(std::equal(one.gradient.begin(), one.gradient.end(), all.gradient.begin() + row * 7));
      EXPECT_EQ(prior.from_base(codes.slice(row, 1)), prior.from_base(codes, 3).slice(row, 1)) << describe(design);
    }
  }
}

TEST(PriorContract, StaysFiniteFarAway) {
  for (const PriorDesign& design : every_design()) {
    const Prior prior(learned(design, 6));
    PriorTape tape;
    prior.forward(Matrix(1, 6, 1e4F), tape);
    prior.backward(tape);
    EXPECT_TRUE(std::isfinite(tape.energy(0))) << describe(design);
    EXPECT_TRUE(std::ranges::all_of(tape.gradient, [](double slope) { return std::isfinite(slope); }));
  }
}

double summed_energy(const Prior& prior, const Matrix& codes, PriorTape& tape) {
  prior.forward(codes, tape);
  double sum = 0.0;
  for (std::int64_t b = 0; b < codes.rows(); ++b) {
    sum += tape.energy(b);
  }
  return sum;
}

// Ways to move the parameters, each by at most 1: one parameter at a time, or, of priors with too many for that, all at
// once, up or down at random.
std::vector<std::vector<float>> directions(std::size_t parameters) {
  constexpr std::size_t kFew = 1000;
  constexpr std::size_t kRandom = 16;
  const bool few = parameters <= kFew;
  std::vector<std::vector<float>> result(few ? parameters : kRandom, std::vector<float>(parameters));
  for (std::size_t k = 0; k < result.size(); ++k) {
    if (few) {
      result[k][k] = 1.0F;
      continue;
    }
    fill_normal(Key(7).fold(k), result[k]);
    std::ranges::transform(result[k], result[k].begin(), [](float value) { return std::copysign(1.0F, value); });
  }
  return result;
}

// Steps of 2^-9 in float networks: a summed energy of about 40 carries rounding of about 4e-6, over 2^-8 that is 1e-3.
// The networks of large priors round more, but all their parameters together change the energy by far more than that.
TEST(PriorContract, ParameterGradientsAgreeWithFiniteDifferences) {
  for (const PriorDesign& design : every_design()) {
    const PriorWeights weights = learned(design, 5);
    const Matrix codes = random_codes(6, 5);
    TrainablePrior prior(weights);
    PriorTape tape;
    (void)summed_energy(prior, codes, tape);
    std::vector<float> gradient(prior.parameters(), 1.0F);
    constexpr double kWeight = 3.0;
    prior.backward_parameters(kWeight, gradient, tape);
    std::vector<float> parameters;
    for (const auto& coupling : weights.couplings) {
      parameters.insert(parameters.end(), coupling.parameters.begin(), coupling.parameters.end());
    }
    ASSERT_EQ(parameters.size(), gradient.size());
    for (const std::vector<float>& direction : directions(parameters.size())) {
      constexpr float kStep = 0x1p-9F;
      const auto energy_at = [&](float step) {
        std::vector<float> moved = parameters;
        for (std::size_t i = 0; i < moved.size(); ++i) {
          moved[i] += step * direction[i];
        }
        prior.set_parameters(moved);
        return summed_energy(prior, codes, tape);
      };
      const double slope = kWeight * (energy_at(kStep) - energy_at(-kStep)) / (2.0 * kStep);
      double expected = 0.0;
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        expected += (static_cast<double>(gradient[i]) - 1.0) * direction[i];
      }
      EXPECT_NEAR(expected, slope, 5e-3 * (1.0 + std::abs(slope))) << describe(design);
    }
  }
}

}  // namespace
}  // namespace vaeguard::models
