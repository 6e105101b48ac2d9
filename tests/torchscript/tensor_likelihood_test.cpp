// Likelihoods on libtorch against those of the host: every one of the registry, or a refusal that names it.
#include "vaeguard/torchscript/tensor_likelihood.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/expect_misuse.h"
#include "vaeguard/base/random.h"

namespace vaeguard::torchscript {
namespace {

constexpr std::int64_t kRows = 3;
constexpr std::int64_t kPixels = 100;

torch::Tensor uniform(Key key, double low, double high) {
  torch::Tensor values = torch::empty({kRows, kPixels});
  fill_uniform(key, static_cast<float>(low), static_cast<float>(high),
               {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())});
  return values;
}

std::span<const float> row(const torch::Tensor& values, std::int64_t b) {
  return {values.data_ptr<float>() + b * kPixels, static_cast<std::size_t>(kPixels)};
}

// The host's float exponential errs by 2e-7, so does the value of each pixel; slopes are rounded to float.
void expect_as_on_the_host(const models::Likelihood& likelihood) {
  const TensorLikelihood found = tensor_likelihood(likelihood);
  const auto [first, last] = likelihood.usual_parameters();
  const torch::Tensor images = uniform(Key(1), 0.0, 1.0);
  const torch::Tensor parameters = uniform(Key(2), first, last);
  const torch::Tensor values = found.negative_log(parameters.to(torch::kFloat64), images);
  const torch::Tensor gradient = found.gradient(parameters, images).contiguous();
  ASSERT_EQ(values.numel(), kRows);
  std::vector<float> expected(kPixels);
  for (std::int64_t b = 0; b < kRows; ++b) {
    EXPECT_NEAR(values[b].item<double>(), likelihood.negative_log(row(images, b), row(parameters, b), expected),
                2e-7 * static_cast<double>(kPixels))
        << describe(likelihood);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(row(gradient, b)[i], expected[i], 4e-7 * (1.0 + std::abs(expected[i]))) << describe(likelihood);
    }
  }
}

TEST(TensorLikelihood, EveryOneAgreesWithTheHostsOrIsRefused) {
  for (const models::LikelihoodEntry& entry : models::likelihoods()) {
    if (entry.usual.published_only()) {
      expect_misuse([&] { (void)tensor_likelihood(entry.usual); }, {std::string(entry.name)});
    } else {
      expect_as_on_the_host(entry.usual);
    }
  }
  expect_as_on_the_host(models::gaussian(0.2));
  expect_as_on_the_host(models::laplace(0.2));
}

}  // namespace
}  // namespace vaeguard::torchscript
