// Fields as a whole: indices, values over threads, gradients without values.
#include "vaeguard/base/scalar_field.h"

#include <gtest/gtest.h>

namespace vaeguard {
namespace {

/// Function b is (b + 1) z, in one dimension.
class Slopes : public ScalarField {
 public:
  [[nodiscard]] std::int64_t size() const override { return 200; }
  [[nodiscard]] std::int64_t dimension() const override { return 1; }
  void evaluate(std::span<const std::int64_t> functions, const Matrix& points, std::span<double> values,
                Matrix* gradients) const override {
    if (gradients != nullptr) {
      gradients->resize(points.rows(), 1);
    }
    for (std::size_t i = 0; i < functions.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      const auto slope = static_cast<float>(functions[i] + 1);
      values[i] = slope * points(row, 0);
      if (gradients != nullptr) {
        (*gradients)(row, 0) = slope;
      }
    }
  }
};

TEST(ScalarField, ConsecutiveIndicesBeginWhereTheyAreTold) {
  EXPECT_EQ(consecutive(3, 4), (std::vector<std::int64_t>{3, 4, 5, 6}));
  EXPECT_TRUE(consecutive(3, 0).empty());
}

TEST(ScalarField, ValuesOfAreThoseOfEachFunctionOnAnyNumberOfThreads) {
  const Slopes field;
  const Matrix points(200, 1, 2.0F);
  const auto values = values_of(field, points, 1);
  for (std::size_t b = 0; b < 200; ++b) {
    EXPECT_EQ(values[b], 2.0 * static_cast<double>(b + 1));
  }
  EXPECT_EQ(values_of(field, points, 3), values);
}

TEST(ScalarField, GradientsAloneAreThoseOfEvaluate) {
  const Slopes field;
  Matrix gradients;
  field.gradients(std::vector<std::int64_t>{7, 0, 7}, Matrix(3, 1, 5.0F), gradients);
  EXPECT_EQ(gradients, Matrix(3, 1, std::vector<float>{8.0F, 1.0F, 8.0F}));
}

}  // namespace
}  // namespace vaeguard
