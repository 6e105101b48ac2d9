// The skeleton of docs/guide/add-an-attack.md, compiled and run; the page must show exactly what stands here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/attacks/fixtures.h"
#include "tests/shown_code.h"
#include "vaeguard/attacks/noise.h"

// [page: optimiser]
#include "vaeguard/attacks/entry.h"

namespace vaeguard::attacks {

/// One step along the steepest direction from a random start.
struct SingleStepOptions {
  double step = 1.0;  // in radii
};

const OptionSchema<SingleStepOptions>& single_step_schema() {
  static const auto schema =
      OptionSchema<SingleStepOptions>().number("step", &SingleStepOptions::step, above(0.0), "in radii");
  return schema;
}

void validate(const SingleStepOptions& options) { single_step_schema().check("attacks.single_step", options); }

class SingleStep : public Attack {
 public:
  explicit SingleStep(const SingleStepOptions& options = {}) : options_(options) { validate(options); }
  [[nodiscard]] std::string_view name() const override { return "single_step"; }

 private:
  [[nodiscard]] Matrix maximise(Search& search) const override {
    const Matrix& references = search.references();  // [n, P]
    Matrix points(references.rows(), references.columns());
    for (std::int64_t i = 0; i < points.rows(); ++i) {
      const Key key = search.keys()[static_cast<std::size_t>(i)].fold("start");
      search.threat(i).random_point(key, references.row(i), points.row(i));
    }
    std::vector<double> values;
    Matrix gradients;
    search.evaluate(points, values, &gradients);
    std::vector<float> direction(static_cast<std::size_t>(points.columns()));
    for (std::int64_t i = 0; i < points.rows(); ++i) {
      const auto step = static_cast<float>(options_.step * search.threat(i).radius);
      search.threat(i).steepest_direction(gradients.row(i), direction);
      for (std::int64_t j = 0; j < points.columns(); ++j) {
        points(i, j) += step * direction[static_cast<std::size_t>(j)];
      }
    }
    return points;  // the driver projects them
  }

  SingleStepOptions options_;
};

OptimiserEntries single_step_entries() {
  return {optimiser_entry<SingleStepOptions>(
      {.name = "single_step", .title = "Single step", .description = "One step along the steepest direction."},
      [](std::string_view /*goal*/) { return SingleStepOptions{}; }, single_step_schema(),
      [](const SingleStepOptions& options) { return std::make_unique<SingleStep>(options); })};
}

}  // namespace vaeguard::attacks
// [end]

// [page: goal]
#include "vaeguard/attacks/goal.h"

namespace vaeguard::attacks {

/// Squared distance between the latent means of the attacked and the clean image.
class MeanDistance : public Goal {
 public:
  explicit MeanDistance(Matrix reference_means) : reference_means_(std::move(reference_means)) {}
  [[nodiscard]] std::string_view name() const override { return "mean_distance"; }
  [[nodiscard]] std::int64_t size() const override { return reference_means_.rows(); }
  [[nodiscard]] std::int64_t latent_size() const override { return reference_means_.columns(); }

  double value(std::int64_t reference, std::span<const float> encoder_output,
               std::span<float> gradient) const override {
    const auto clean = reference_means_.row(reference);
    double sum = 0.0;
    for (std::size_t d = 0; d < clean.size(); ++d) {
      const double shift = static_cast<double>(encoder_output[d]) - clean[d];
      sum += shift * shift;
      if (!gradient.empty()) {
        gradient[d] = static_cast<float>(2.0 * shift);
        gradient[clean.size() + d] = 0.0F;  // log-variances do not matter
      }
    }
    return sum;
  }

 private:
  Matrix reference_means_;  // [references, D]
};

}  // namespace vaeguard::attacks
// [end]

namespace vaeguard::attacks {
namespace {

TEST(AttackSkeleton, ThePageShowsTheCodeThatIsCompiledHere) {
  const std::string page = text_of("/docs/guide/add-an-attack.md");
  const std::string source = text_of("/tests/attacks/skeleton_test.cpp");
  for (const std::string what : {"optimiser", "goal"}) {
    EXPECT_EQ(between(page, "<!-- " + what + " -->\n```cpp", "```"),
              between(source, "// [page: " + what + "]", "// [end]"));
  }
}

TEST(AttackSkeleton, TheOptimiserBeatsNoiseOnItsGoal) {
  const Target target = relu_target(10);
  const MeanDistance goal(target.vae->encode(target.references).mean);
  const Objective objective(*target.victim, goal);
  const auto keys = attack_keys(Key(1), goal.name(), positions(10), 1);
  const Threat threat{.radius = 0.1};
  const AttackResult attacked = SingleStep()(objective, target.references, threat, keys);
  const AttackResult noise = Noise()(objective, target.references, threat, keys);
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_GT(attacked.objective[i], noise.objective[i]);
  }
  EXPECT_EQ(attacked.gradients, 10);
}

TEST(AttackSkeleton, TheEntryMakesIt) {
  const Value options = Value::Table{{"step", 0.5}};
  OptionReader reader(options, "test");
  const Prepared prepared = single_step_entries().front().prepare(reader, "mean_distance");
  reader.finish();
  EXPECT_EQ(prepared.attack->name(), "single_step");
  EXPECT_EQ(prepared.options, options);
}

TEST(AttackSkeleton, BadOptionsAreNamed) {
  EXPECT_THAT([] { SingleStep({.step = 0.0}); },
              testing::ThrowsMessage<Misuse>("[attacks.single_step] step must be a number above 0, got 0.0"));
}

}  // namespace
}  // namespace vaeguard::attacks
