// Softmax: known values, logits of any size, and what overflows otherwise.
#include "vaeguard/base/softmax.h"

#include <numeric>

namespace vaeguard {
namespace {

TEST(Softmax, GivesSharesAndTheLogarithmOfTheirSum) {
  std::vector<double> values{std::log(1.0), std::log(2.0), std::log(5.0)};
  EXPECT_NEAR(softmax(std::span(values)), std::log(8.0), 1e-15);
  EXPECT_NEAR(values[0], 0.125, 1e-15);
  EXPECT_NEAR(values[1], 0.25, 1e-15);
  EXPECT_NEAR(values[2], 0.625, 1e-15);
}

TEST(Softmax, DoesNotOverflow) {
  std::vector<float> values{1e30F, 1e30F, -1e30F};
  EXPECT_EQ(softmax(std::span(values)), 1e30F);
  EXPECT_THAT(values, testing::ElementsAre(0.5F, 0.5F, 0.0F));
}

TEST(Softmax, OfOneValueIsOne) {
  std::vector<double> values{-3.0};
  EXPECT_EQ(softmax(std::span(values)), -3.0);
  EXPECT_EQ(values[0], 1.0);
}

TEST(Softmax, ExponentialsAreWhatItDividesByTheirSum) {
  std::vector<double> values{-1.0, 0.5, 2.0};
  std::vector<double> shares = values;
  const auto all = exponentiate(std::span(values));
  softmax(std::span(shares));
  EXPECT_EQ(all.largest, 2.0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(shares[i], values[i] / all.sum);
  }
}

}  // namespace
}  // namespace vaeguard
