// Accuracies as zeros and ones, one reference's restarts in a row.
#include "vaeguard/metrics/accuracy.h"

#include <gtest/gtest.h>

#include "vaeguard/base/error.h"

namespace vaeguard::metrics {
namespace {

using Classes = std::vector<std::int64_t>;

TEST(SameClass, ComparesEachRestartWithItsReference) {
  EXPECT_EQ(same_class(Classes{3, 5, 7, 7}, Classes{3, 7}), (std::vector<double>{1.0, 0.0, 1.0, 1.0}));
  EXPECT_EQ(same_class(Classes{3, 5}, Classes{3, 7}), (std::vector<double>{1.0, 0.0}));
  EXPECT_TRUE(same_class(Classes{}, Classes{}).empty());
}

TEST(SameClass, RefusesCountsThatDoNotDivide) {
  EXPECT_THROW(same_class(Classes{1, 2, 3}, Classes{1, 2}), Misuse);
  EXPECT_THROW(same_class(Classes{1, 2, 3}, Classes{}), Misuse);
  EXPECT_THROW(same_class(Classes{}, Classes{1}), Misuse);
}

}  // namespace
}  // namespace vaeguard::metrics
