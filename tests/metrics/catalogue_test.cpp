// The metrics of the catalogue: ranges that their other words do not contradict.
#include "vaeguard/metrics/catalogue.h"

#include <gtest/gtest.h>

namespace vaeguard::metrics {
namespace {

TEST(Catalogue, RangesHoldMoreThanOneValueAndProportionsLieBetweenZeroAndOne) {
  for (const MetricEntry& entry : catalogue()) {
    EXPECT_LT(entry.range.least, entry.range.most) << entry.name;
    if (entry.proportion) {
      EXPECT_EQ(entry.range.least, 0.0) << entry.name;
      EXPECT_EQ(entry.range.most, 1.0) << entry.name;
    }
  }
}

}  // namespace
}  // namespace vaeguard::metrics
