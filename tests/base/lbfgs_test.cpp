// L-BFGS: known minima, every reason to end, and what a function throws.
#include "vaeguard/base/lbfgs.h"

#include <limits>
#include <stdexcept>

#include "tests/expect_misuse.h"

namespace vaeguard {
namespace {

using Point = std::span<const double>;
using Slope = std::span<double>;

/// sum over d of 10^d (x_d - d)^2 / 2.
double quadratic(Point x, Slope gradient) {
  double value = 0.0;
  for (std::size_t d = 0; d < x.size(); ++d) {
    const auto mode = static_cast<double>(d);
    const double curvature = std::pow(10.0, mode);
    gradient[d] = curvature * (x[d] - mode);
    value += 0.5 * curvature * (x[d] - mode) * (x[d] - mode);
  }
  return value;
}

double rosenbrock(Point x, Slope gradient) {
  const double valley = x[1] - x[0] * x[0];
  gradient[0] = -400.0 * x[0] * valley - 2.0 * (1.0 - x[0]);
  gradient[1] = 200.0 * valley;
  return 100.0 * valley * valley + (1.0 - x[0]) * (1.0 - x[0]);
}

/// (x - 3)^2 up to 2, no number beyond.
double broken_beyond_two(Point x, Slope gradient) {
  gradient[0] = 2.0 * (x[0] - 3.0);
  return x[0] <= 2.0 ? (x[0] - 3.0) * (x[0] - 3.0) : std::nan("");
}

const std::vector<double> kRosenbrockStart{-1.2, 1.0};

TEST(Minimise, FindsTheModeOfAQuadraticInFewEvaluationsAndCountsThem) {
  std::int64_t calls = 0;
  const auto counted = [&](Point x, Slope gradient) { return ++calls, quadratic(x, gradient); };
  const Minimum found = minimise(counted, std::vector<double>(4, 1.0));
  EXPECT_EQ(found.ending, Ending::converged);
  for (std::size_t d = 0; d < 4; ++d) {
    // The gradient is below 1e-5 of the point's length, which is below 4, and curvatures are at least 1.
    EXPECT_NEAR(found.point[d], static_cast<double>(d), 4e-5);
  }
  EXPECT_EQ(found.evaluations, calls);
  EXPECT_LE(calls, 40);
}

TEST(Minimise, FollowsRosenbrocksValleyAsFarAsTheToleranceAsks) {
  const Minimum found = minimise(rosenbrock, kRosenbrockStart, {.tolerance = 1e-10});
  EXPECT_EQ(found.ending, Ending::converged);
  // The least curvature at (1, 1) is 0.4.
  EXPECT_NEAR(found.point[0], 1.0, 1e-9);
  EXPECT_NEAR(found.point[1], 1.0, 1e-9);
  std::vector<double> gradient(2);
  EXPECT_EQ(found.value, rosenbrock(found.point, gradient));
}

TEST(Minimise, TellsEveryIterationAndEndsAtTheirLimit) {
  std::vector<double> values;
  const Minimum found = minimise(rosenbrock, kRosenbrockStart,
                                 {.iterations = 5, .after_iteration = [&](std::int64_t iteration, double value) {
                                    values.push_back(value);
                                    EXPECT_EQ(iteration, std::ssize(values));
                                  }});
  EXPECT_EQ(found.ending, Ending::limit);
  EXPECT_EQ(found.iterations, 5);
  ASSERT_EQ(values.size(), 5U);
  EXPECT_TRUE(std::ranges::is_sorted(values, std::ranges::greater{})) << "values fall";
  EXPECT_EQ(found.value, values.back());
}

TEST(Minimise, EndsWithTheIterationThatReachesTheEvaluations) {
  const Minimum found = minimise(rosenbrock, kRosenbrockStart, {.evaluations = 7});
  EXPECT_EQ(found.ending, Ending::limit);
  EXPECT_GE(found.evaluations, 7);
  const Minimum before = minimise(rosenbrock, kRosenbrockStart, {.iterations = found.iterations - 1});
  EXPECT_LT(before.evaluations, 7);
}

TEST(Minimise, KeepsTheLastGoodPointWhereTheFunctionBecomesNoNumber) {
  const std::vector<double> start{0.0};
  const Minimum found = minimise(broken_beyond_two, start);
  EXPECT_EQ(found.ending, Ending::not_finite);
  EXPECT_LE(found.point[0], 2.0);
  std::vector<double> gradient(1);
  EXPECT_EQ(found.value, broken_beyond_two(found.point, gradient));
  EXPECT_LE(found.value, 9.0);
}

TEST(Minimise, StaysWhereItStartsIfThatIsNoNumber) {
  const std::vector<double> start{5.0};
  const Minimum found = minimise(broken_beyond_two, start);
  EXPECT_EQ(found.ending, Ending::not_finite);
  EXPECT_EQ(found.point, start);
  EXPECT_TRUE(std::isnan(found.value));
}

TEST(Minimise, SaysThatAnInfiniteValueIsNoMinimum) {
  const auto bottomless = [](Point x, Slope gradient) {
    gradient[0] = -1.0;
    return x[0] > 10.0 ? -std::numeric_limits<double>::infinity() : -x[0];
  };
  const Minimum found = minimise(bottomless, std::vector<double>{0.0}, {.iterations = 50});
  EXPECT_EQ(found.ending, Ending::not_finite);
  EXPECT_TRUE(std::isfinite(found.point[0]));
}

TEST(Minimise, IsStuckWhereTheGradientPointsTheWrongWay) {
  const auto uphill = [](Point x, Slope gradient) {
    gradient[0] = -2.0 * x[0];
    return x[0] * x[0];
  };
  const std::vector<double> start{1.0};
  const Minimum found = minimise(uphill, start);
  EXPECT_EQ(found.ending, Ending::stuck);
  EXPECT_EQ(found.point, start);
  EXPECT_EQ(found.value, 1.0);
}

TEST(Minimise, EndsAtOnceWithWhatTheFunctionOrTheListenerThrows) {
  std::int64_t calls = 0;
  const auto interrupted = [&](Point x, Slope gradient) {
    if (++calls == 3) {
      throw std::runtime_error("enough");
    }
    return rosenbrock(x, gradient);
  };
  EXPECT_THROW(minimise(interrupted, kRosenbrockStart), std::runtime_error);
  EXPECT_EQ(calls, 3);
  std::int64_t iterations = 0;
  const MinimiseOptions options{.after_iteration = [&](std::int64_t iteration, double) {
    iterations = iteration;
    throw std::runtime_error("enough");
  }};
  EXPECT_THROW(minimise(rosenbrock, kRosenbrockStart, options), std::runtime_error);
  EXPECT_EQ(iterations, 1);
}

TEST(Minimise, RefusesWhatCannotBe) {
  expect_misuse([] { minimise(quadratic, std::vector<double>{}); }, {"[base.lbfgs]", "1 to", "got 0"});
  expect_misuse([] { validate(MinimiseOptions{.memory = 0}); }, {"memory must be at least 1", "got 0, 0 and 0"});
  expect_misuse([] { validate(MinimiseOptions{.tolerance = std::nan("")}); }, {"tolerance", "got nan"});
  expect_misuse([] { validate(MinimiseOptions{.iterations = -1}); }, {"iterations", "-1"});
}

}  // namespace
}  // namespace vaeguard
