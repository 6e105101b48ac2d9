// What every goal of the registry promises: gradients that agree with finite differences, and batches that do not mix.
#include "vaeguard/attacks/goal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/attacks/fixtures.h"

namespace vaeguard::attacks {
namespace {

constexpr std::int64_t kReferences = 5;

/// Encoder outputs [kReferences, 2 D] that are not those of the references.
Matrix random_outputs(const Target& target) {
  Matrix outputs(kReferences, 2 * target.vae->latent_size());
  fill_normal(Key(20).fold("outputs"), outputs.flat());
  return outputs;
}

std::int64_t draws_of(const GoalEntry& entry, bool drawn) { return drawn && entry.reads_code ? 3 : 0; }

TEST(Goal, GradientsOfAllGoalsAgreeWithFiniteDifferences) {
  for (const Target& target : {relu_target(kReferences), linear_target(kReferences)}) {
    const Matrix outputs = random_outputs(target);
    for (const GoalEntry& entry : goals()) {
      for (const bool drawn : {false, true}) {
        const auto goal = target.goal(entry.name, draws_of(entry, drawn));
        EXPECT_EQ(goal->name(), entry.name);
        EXPECT_EQ(goal->size(), kReferences);
        EXPECT_EQ(goal->latent_size(), target.vae->latent_size());
        for (std::int64_t i = 0; i < kReferences; ++i) {
          const std::vector<float> output(outputs.row(i).begin(), outputs.row(i).end());
          std::vector<float> gradient(output.size());
          const double value = goal->value(i, output, gradient);
          EXPECT_EQ(value, goal->value(i, output, {}));
          for (std::size_t k = 0; k < output.size(); ++k) {
            auto up = output;
            auto down = output;
            up[k] += 0x1p-10F;
            down[k] -= 0x1p-10F;
            const double difference =
                (goal->value(i, up, {}) - goal->value(i, down, {})) / (static_cast<double>(up[k]) - down[k]);
            // Central differences err by h^2 f''' / 6, about 2e-7 of exponentials of order 10. What goes through a
            // decoder, or a drawn code, is rounded to float on the way: 6e-8 of a value, over a step of 1e-3.
            const bool rounded = entry.needs_decoder || drawn;
            const double tolerance = rounded ? 2e-4 * (1.0 + std::abs(value)) : 1e-5;
            EXPECT_NEAR(gradient[k], difference, tolerance * (1 + std::abs(difference)))
                << entry.name << " output " << k << (drawn ? ", drawn" : "");
          }
        }
      }
    }
  }
}

TEST(Goal, ARowDoesNotDependOnItsBatch) {
  const Target target = relu_target(kReferences);
  const Matrix outputs = random_outputs(target);
  std::vector<GoalRow> rows;
  for (std::int64_t i = 0; i < kReferences; ++i) {
    rows.push_back({.reference = i, .restart = 2});
  }
  for (const GoalEntry& entry : goals()) {
    for (const bool drawn : {false, true}) {
      const auto goal = target.goal(entry.name, draws_of(entry, drawn));
      std::vector<double> together(kReferences);
      Matrix gradients;
      goal->evaluate(rows, outputs, together, &gradients);
      for (std::int64_t i = 0; i < kReferences; ++i) {
        std::vector<double> alone(1);
        Matrix gradient;
        goal->evaluate({&rows[static_cast<std::size_t>(i)], 1}, outputs.slice(i, 1), alone, &gradient);
        EXPECT_EQ(alone[0], together[static_cast<std::size_t>(i)]) << entry.name;
        EXPECT_EQ(gradient, gradients.slice(i, 1)) << entry.name;
      }
    }
  }
}

}  // namespace
}  // namespace vaeguard::attacks
