// Total correlations against autograd of torch (tools/make_golden_total_correlation.py), closed forms and differences.
#include "vaeguard/training/total_correlation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "vaeguard/base/error.h"
#include "vaeguard/base/random.h"

namespace vaeguard::training {
namespace {

using Estimator = TotalCorrelationEstimator;

struct Codes {
  Matrix encoded;  // [B, 2 D]
  Matrix latents;  // [B, D]
};

Codes random_codes(std::int64_t rows, std::int64_t size) {
  Codes codes{Matrix(rows, 2 * size), Matrix(rows, size)};
  fill_normal(Key(1), codes.encoded.flat());
  fill_normal(Key(2), codes.latents.flat());
  return codes;
}

double value(const Codes& codes, const TotalCorrelationOptions& options) {
  return total_correlation(codes.encoded, codes.latents, options, nullptr, nullptr);
}

TEST(TotalCorrelation, ValuesAndGradientsAreThoseOfAutograd) {
  std::ifstream file(VAEGUARD_SOURCE_DIR "/tests/golden/total_correlation.json");
  const auto golden = nlohmann::json::parse(file);
  const auto rows = golden["rows"].get<std::int64_t>();
  const auto size = golden["latents_size"].get<std::int64_t>();
  const Codes codes{Matrix(rows, 2 * size, golden["encoded"].get<std::vector<float>>()),
                    Matrix(rows, size, golden["latents"].get<std::vector<float>>())};
  for (const auto& expected : golden["cases"]) {
    const auto name = expected["estimator"].get<std::string>();
    const TotalCorrelationOptions options{.estimator = total_correlation_estimator(name),
                                          .training_images = golden["training_images"].get<std::int64_t>()};
    Matrix encoded_gradients;
    Matrix latent_gradients;
    const double found =
        total_correlation(codes.encoded, codes.latents, options, &encoded_gradients, &latent_gradients);
    // Both sum in double; gradients are rounded to float at the end.
    EXPECT_NEAR(found, expected["value"].get<double>(), 1e-10 * std::abs(found)) << name;
    for (const auto& [gradients, key] :
         {std::pair(&encoded_gradients, "encoded_gradients"), std::pair(&latent_gradients, "latent_gradients")}) {
      const auto truth = expected[key].get<std::vector<double>>();
      ASSERT_EQ(gradients->values().size(), truth.size());
      for (std::size_t i = 0; i < truth.size(); ++i) {
        EXPECT_NEAR(gradients->values()[i], truth[i], 1e-6 * (1.0 + std::abs(truth[i]))) << name << " " << key << i;
      }
    }
  }
}

// The value is computed in double from float inputs, so a difference over a step of 2^-10 errs by the third derivative
// times 2^-20 / 6 alone; third derivatives reach some tens here, as precisions reach exp(2).
TEST(TotalCorrelation, GradientsAgreeWithDifferences) {
  Codes codes = random_codes(18, 3);
  for (const Estimator estimator : {Estimator::weighted, Estimator::stratified, Estimator::published}) {
    const TotalCorrelationOptions options{.estimator = estimator, .training_images = 40};
    Matrix encoded_gradients;
    Matrix latent_gradients;
    total_correlation(codes.encoded, codes.latents, options, &encoded_gradients, &latent_gradients);
    for (const auto& [matrix, gradients] :
         {std::pair(&codes.encoded, &encoded_gradients), std::pair(&codes.latents, &latent_gradients)}) {
      for (std::size_t i = 0; i < matrix->values().size(); i += 5) {
        float& variable = matrix->flat()[i];
        const float kept = variable;
        variable = kept + 0x1p-10F;
        const double above = variable;
        const double up = value(codes, options);
        variable = kept - 0x1p-10F;
        const double slope = (up - value(codes, options)) / (above - variable);
        variable = kept;
        EXPECT_NEAR(gradients->values()[i], slope, 1e-4 * (1.0 + std::abs(slope))) << name(estimator) << " " << i;
      }
    }
  }
}

TEST(TotalCorrelation, EqualCodesFactorise) {
  Codes codes = random_codes(20, 4);
  for (std::int64_t b = 1; b < 20; ++b) {
    std::ranges::copy(codes.encoded.row(0), codes.encoded.row(b).begin());
  }
  EXPECT_NEAR(value(codes, {.estimator = Estimator::stratified, .training_images = 300}), 0.0, 1e-9)
      << "its weights add up to 1";
  EXPECT_NEAR(value(codes, {.estimator = Estimator::weighted, .training_images = 300}), 20 * 3 * std::log(300.0), 1e-9)
      << "its weights add up to 1/N, once in the joint law and D times in the marginals";
}

// Codes with means from a Gaussian of correlation c and one variance s: q(z) tends to a Gaussian whose total
// correlation is -log(1 - r^2) / 2 with r = c / (1 + s). With 1500 images the mean of log ratios of spread 0.7 has the
// standard error 0.02, and a sample's own component lifts it by about as much.
TEST(TotalCorrelation, CorrelatedGaussiansHaveTheirs) {
  constexpr std::int64_t kImages = 1500;
  constexpr float kVariance = 0.25F;
  for (const float correlation : {0.0F, 0.8F}) {
    Codes codes{Matrix(kImages, 4, std::log(kVariance)), Matrix(kImages, 2)};
    Matrix normals(kImages, 4);
    fill_normal(Key(3), normals.flat());
    for (std::int64_t b = 0; b < kImages; ++b) {
      codes.encoded(b, 0) = normals(b, 0);
      codes.encoded(b, 1) = correlation * normals(b, 0) + std::sqrt(1.0F - correlation * correlation) * normals(b, 1);
      for (std::int64_t d = 0; d < 2; ++d) {
        codes.latents(b, d) = codes.encoded(b, d) + std::sqrt(kVariance) * normals(b, 2 + d);
      }
    }
    const double r = correlation / (1.0 + kVariance);
    const double found = value(codes, {.estimator = Estimator::stratified, .training_images = kImages, .threads = 2});
    EXPECT_NEAR(found / kImages, -0.5 * std::log(1.0 - r * r), 0.08) << correlation;
  }
}

TEST(TotalCorrelation, PublishedSumsOverTheOtherIndex) {
  const Codes codes = random_codes(18, 3);
  Matrix correct;
  Matrix published;
  total_correlation(codes.encoded, codes.latents, {.training_images = 18}, nullptr, &correct);
  total_correlation(codes.encoded, codes.latents, {.estimator = Estimator::published, .training_images = 18}, nullptr,
                    &published);
  double largest = 0.0;
  for (std::size_t i = 0; i < correct.values().size(); ++i) {
    largest = std::max<double>(largest, std::abs(correct.values()[i] - published.values()[i]));
  }
  EXPECT_GT(largest, 0.1);
}

TEST(TotalCorrelation, SameBitsForOneAndThreeThreads) {
  const Codes codes = random_codes(50, 3);
  Matrix one;
  Matrix three;
  const double first = total_correlation(codes.encoded, codes.latents, {.training_images = 50}, &one, nullptr);
  const double second =
      total_correlation(codes.encoded, codes.latents, {.training_images = 50, .threads = 3}, &three, nullptr);
  EXPECT_EQ(first, second);
  EXPECT_EQ(one, three);
}

TEST(TotalCorrelation, OneImageHasNone) {
  const Codes codes = random_codes(1, 3);
  Matrix gradients;
  EXPECT_EQ(total_correlation(codes.encoded, codes.latents, {.training_images = 9}, &gradients, nullptr), 0.0);
  EXPECT_EQ(gradients, Matrix(1, 6));
}

TEST(TotalCorrelation, RefusesUnknownEstimatorsAndTooFewImages) {
  EXPECT_THROW(total_correlation_estimator("mw"), Misuse);
  EXPECT_THROW(value(random_codes(4, 2), {.training_images = 3}), Misuse);
}

}  // namespace
}  // namespace vaeguard::training
