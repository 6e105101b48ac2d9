// What every kernel promises: parameters are checked, chains keep to themselves, gradients are counted.
#include "vaeguard/mcmc/kernel.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/mcmc/replicates.h"
#include "vaeguard/base/error.h"

namespace vaeguard::mcmc {
namespace {

TEST(Validate, NamesThePlaceTheExpectationAndTheValue) {
  const GaussianField field = GaussianField::standard(2);
  const State state = make_state(first_functions(field, 3), Matrix(3, 2));
  EXPECT_NO_THROW(validate(parameters_of({}, 3, 2), state));
  EXPECT_THROW(validate(parameters_of({}, 2, 2), state), Misuse);
  EXPECT_THROW(validate(parameters_of({}, 3, 3), state), Misuse);
  for (const double step : {0.0, -1.0, std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(validate(parameters_of({.step_size = step}, 3, 2), state), Misuse);
  }
  try {
    validate(parameters_of({.step_size = std::numeric_limits<double>::quiet_NaN()}, 3, 2), state);
    FAIL() << "a step size of NaN was taken";
  } catch (const Misuse& error) {
    EXPECT_STREQ(error.what(), "[mcmc.kernel] step_size must be finite and > 0, got nan");
  }
}

TEST(FoldAll, FoldsEachKeyByItself) {
  const std::vector<Key> keys{Key(1), Key(2)};
  const std::vector<Key> folded = fold_all(keys, "momentum");
  ASSERT_EQ(folded.size(), 2U);
  EXPECT_EQ(folded[1].value(), Key(2).fold("momentum").value());
}

}  // namespace
}  // namespace vaeguard::mcmc
