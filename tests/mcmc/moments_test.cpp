// Streamed moments: those of draws that are all there, for any number of chains in a group.
#include "vaeguard/mcmc/moments.h"

#include <gtest/gtest.h>

#include <cmath>

#include "vaeguard/base/error.h"
#include "vaeguard/base/random.h"

namespace vaeguard::mcmc {
namespace {

constexpr std::int64_t kChains = 6;
constexpr std::int64_t kDimension = 3;
constexpr std::int64_t kDraws = 50;

/// Far from 0 beside their width, and each chain somewhere else.
std::vector<Matrix> draws() {
  std::vector<Matrix> result;
  for (std::uint64_t t = 0; t < kDraws; ++t) {
    Matrix draw(kChains, kDimension);
    for (std::int64_t b = 0; b < kChains; ++b) {
      fill_normal(Key(1).fold(t).fold(static_cast<std::uint64_t>(b)), draw.row(b));
      for (float& value : draw.row(b)) {
        value = 1000.0F + 0.1F * static_cast<float>(b) + 0.5F * value;
      }
    }
    result.push_back(std::move(draw));
  }
  return result;
}

TEST(Moments, AreThoseOfTheDrawsThatAreNotKept) {
  const auto all = draws();
  Moments moments;
  for (const Matrix& draw : all) {
    moments.add(draw);
  }
  EXPECT_EQ(moments.draws(), kDraws);
  for (const std::int64_t group : {1, 2, 6}) {
    const Matrix variances = moments.variances(group);
    ASSERT_EQ(variances.rows(), kChains / group);
    for (std::int64_t g = 0; g < variances.rows(); ++g) {
      for (std::int64_t d = 0; d < kDimension; ++d) {
        double mean = 0.0;
        for (const Matrix& draw : all) {
          for (std::int64_t b = g * group; b < (g + 1) * group; ++b) {
            mean += draw(b, d) / static_cast<double>(kDraws * group);
          }
        }
        double sum = 0.0;
        for (const Matrix& draw : all) {
          for (std::int64_t b = g * group; b < (g + 1) * group; ++b) {
            sum += (draw(b, d) - mean) * (draw(b, d) - mean);
          }
        }
        EXPECT_NEAR(variances(g, d), sum / static_cast<double>(kDraws * group - 1), 1e-6);
        if (group == 1) {
          EXPECT_NEAR(moments.means()(g, d), mean, 0.01);  // sums of floats around 50,000
        }
      }
    }
  }
}

TEST(Moments, OneDrawHasNoVarianceAndGroupsDivideTheChains) {
  Moments moments;
  moments.add(Matrix(2, 1, 3.0F));
  EXPECT_EQ(moments.means(), Matrix(2, 1, 3.0F));
  EXPECT_TRUE(std::isnan(moments.variances(1)(0, 0)));
  EXPECT_THROW((void)moments.variances(3), Misuse);
  EXPECT_THROW(moments.add(Matrix(2, 2)), Misuse);
}

}  // namespace
}  // namespace vaeguard::mcmc
