// Mean squared error on the 0 to 255 scale against a sum by hand.
#include "vaeguard/metrics/image_metrics.h"

#include <gtest/gtest.h>

#include "vaeguard/base/error.h"

namespace vaeguard::metrics {
namespace {

TEST(Mse255, IsTheMeanSquareOfDifferencesInGreyLevels) {
  const Matrix a(2, 2, std::vector<float>{0.0F, 1.0F, 0.5F, 0.5F});
  const Matrix b(2, 2, std::vector<float>{1.0F, 1.0F, 0.5F, 0.0F});
  const auto found = mse255(a, b);
  EXPECT_DOUBLE_EQ(found.at(0), 255.0 * 255.0 / 2.0);
  EXPECT_DOUBLE_EQ(found.at(1), 127.5 * 127.5 / 2.0);
}

TEST(Mse255, RefusesShapesThatDisagreeAndImagesWithoutPixels) {
  EXPECT_THROW(mse255(Matrix(2, 3), Matrix(2, 2)), Misuse);
  EXPECT_THROW(mse255(Matrix(2, 0), Matrix(2, 0)), Misuse);
  EXPECT_TRUE(mse255(Matrix(0, 3), Matrix(0, 3)).empty());
}

}  // namespace
}  // namespace vaeguard::metrics
