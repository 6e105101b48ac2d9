// The driver of attacks: checks, projection, counting, interruption, and results that do not depend on how they are
// run.
#include "vaeguard/attacks/attack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "tests/attacks/fixtures.h"
#include "vaeguard/attacks/pgd.h"
#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

/// An optimiser that goes wherever the test tells it to.
class Custom : public Attack {
 public:
  explicit Custom(std::function<Matrix(Search&)> hook) : hook_(std::move(hook)) {}
  [[nodiscard]] std::string_view name() const override { return "custom"; }

 private:
  [[nodiscard]] Matrix maximise(Search& search) const override { return hook_(search); }
  std::function<Matrix(Search&)> hook_;
};

TEST(Attack, PointsAreProjectedAndTheObjectiveIsTakenThere) {
  const Target target = linear_target(3);
  const Custom far_away([](Search& search) { return Matrix(search.references().rows(), 6, 9.0F); });
  const Threat threat{.radius = 0.1};
  const AttackResult result = run(far_away, target, "encoder_skl", threat);
  const auto goal = target.goal("encoder_skl");
  const Objective objective(*target.victim, *goal);
  std::vector<double> values(3);
  objective.evaluate(consecutive(0, result.adversarial.rows()), result.adversarial, values, nullptr);
  EXPECT_EQ(result.objective, values);
  for (std::int64_t i = 0; i < 3; ++i) {
    EXPECT_LE(threat.size(target.references.row(i), result.adversarial.row(i)), 0.1);
    EXPECT_NEAR(threat.size(target.references.row(i), result.adversarial.row(i)), 0.1, 1e-7);
  }
}

TEST(Attack, GradientsAreCountedOverRowsAndPlainEvaluationsAreNot) {
  const Target target = linear_target(70);
  const Custom two_gradients([](Search& search) {
    std::vector<double> values;
    Matrix gradients;
    search.evaluate(search.references(), values, &gradients);
    search.evaluate(search.references(), values, &gradients);
    search.evaluate(search.references(), values, nullptr);
    return search.references();
  });
  EXPECT_EQ(run(two_gradients, target, "encoder_skl", Threat{}).gradients, 140);
}

TEST(Attack, RadiusZeroGivesTheReferenceBack) {
  const Target target = linear_target(3);
  for (const OptimiserEntry& entry : optimisers()) {
    for (const Norm norm : norms_of(entry)) {
      std::vector<PixelBudget> budgets = partial_budgets(norm);
      budgets.emplace_back();
      for (const PixelBudget& budget : budgets) {
        const Threat threat{.norm = norm, .radius = 0.0, .pixels = budget};
        const auto result = run(*quick(entry, "encoder_skl"), target, "encoder_skl", threat);
        EXPECT_EQ(result.adversarial, target.references) << entry.name << ", " << name(norm) << name_ending(budget);
        EXPECT_THAT(result.objective, testing::Each(0.0));
      }
    }
  }
}

TEST(Attack, WrongInputsAreNamedBeforeAnythingRuns) {
  const Target target = linear_target(2);
  const auto goal = target.goal("encoder_skl");
  const Objective objective(*target.victim, *goal);
  const Custom never([](Search&) -> Matrix {
    ADD_FAILURE();
    return {};
  });
  const auto keys = attack_keys(Key(1), "a", positions(2), 1);
  const auto call = [&](const Matrix& references, const Threat& threat, std::span<const Key> some_keys) {
    return [&never, &objective, references, threat, some_keys] { never(objective, references, threat, some_keys); };
  };
  EXPECT_THAT(call(Matrix(3, 6), {}, keys),
              testing::ThrowsMessage<Misuse>("[attacks] references must be [2, 6], got [3, 6]"));
  EXPECT_THAT(call(target.references, {}, std::span(keys).first(1)),
              testing::ThrowsMessage<Misuse>("[attacks] each of 2 rows needs a key, got 1 keys"));
  EXPECT_THAT(call(Matrix(2, 6, 1.5F), {}, keys),
              testing::ThrowsMessage<Misuse>("[attacks] pixels must lie in [0, 1], got 1.5 in row 0"));
  EXPECT_THAT(call(Matrix(2, 6, NAN), {}, keys), testing::ThrowsMessage<Misuse>(testing::HasSubstr("must be finite")));
  EXPECT_THAT(call(target.references, {.norm = Norm::l2, .pixels = {.pixel_radii = PixelRadii::random}}, keys),
              testing::ThrowsMessage<Misuse>(testing::HasSubstr("exists for linf only")));
  EXPECT_THAT(call(target.references, {.radius = NAN}, keys),
              testing::ThrowsMessage<Misuse>(testing::HasSubstr("radius")));
}

TEST(Attack, PointsOfTheWrongShapeAreNamed) {
  const Custom wrong([](Search&) { return Matrix(1, 1); });
  EXPECT_THAT([&] { run(wrong, linear_target(2), "encoder_skl", Threat{}); },
              testing::ThrowsMessage<Misuse>("[custom] the optimiser's points must be [2, 6], got [1, 1]"));
}

class Recorder : public Observer {
 public:
  void progress(std::string_view, std::int64_t done, std::int64_t total, std::string_view) override {
    done_.push_back(done);
    total_ = total;
  }
  [[nodiscard]] bool interrupted() const override { return ++asked_ > stop_after_; }

  std::vector<std::int64_t> done_;
  std::int64_t total_ = 0;
  int stop_after_ = 1 << 20;
  mutable int asked_ = 0;
};

TEST(Attack, ProgressIsReportedInRows) {
  Recorder recorder;
  run(Pgd({.iterations = 1}), linear_target(100), "encoder_skl", Threat{}, 1, {.threads = 2, .observer = &recorder});
  EXPECT_EQ(recorder.done_.back(), 100);
  EXPECT_EQ(recorder.total_, 100);
  EXPECT_TRUE(std::ranges::is_sorted(recorder.done_));
}

TEST(Attack, InterruptionStopsAtTheNextEvaluation) {
  Recorder recorder;
  recorder.stop_after_ = 5;
  EXPECT_THROW(run(Pgd({.iterations = 50}), linear_target(10), "encoder_skl", Threat{}, 1, {.observer = &recorder}),
               Interrupted);
  EXPECT_EQ(recorder.asked_, 6);
}

/// Attacks the named rows of a target in batches of at most `batch`, in the order given, and returns them by row.
AttackResult in_batches(const Attack& attack, const Target& target, const Threat& threat,
                        std::span<const std::int64_t> order, std::int64_t batch, int threads) {
  const std::int64_t rows = target.references.rows();
  AttackResult all{Matrix(rows, target.references.columns()), std::vector<double>(static_cast<std::size_t>(rows))};
  for (std::size_t first = 0; first < order.size(); first += static_cast<std::size_t>(batch)) {
    const auto some = order.subspan(first, std::min(order.size() - first, static_cast<std::size_t>(batch)));
    const Target part = target.gather(some);
    const auto goal = part.goal("encoder_skl");
    const Objective objective(*part.victim, *goal);
    const auto keys = attack_keys(Key(7), "encoder_skl", some, 1);
    const AttackResult result = attack(objective, part.references, threat, keys, {.threads = threads});
    for (std::size_t i = 0; i < some.size(); ++i) {
      std::ranges::copy(result.adversarial.row(static_cast<std::int64_t>(i)), all.adversarial.row(some[i]).begin());
      all.objective[static_cast<std::size_t>(some[i])] = result.objective[i];
    }
    all.gradients += result.gradients;
  }
  return all;
}

TEST(Attack, ResultsDoNotDependOnBatchSizeThreadsOrOrder) {
  const Target target = relu_target(130);
  const auto forward = positions(130);
  const auto shuffled = permutation(Key(8), 130);
  for (const OptimiserEntry& entry : optimisers()) {
    const auto attack = quick(entry, "encoder_skl");
    for (const Norm norm : norms_of(entry)) {
      const Threat threat{.norm = norm, .radius = 0.2};
      const AttackResult expected = in_batches(*attack, target, threat, forward, 130, 1);
      const auto expect_same = [&](const AttackResult& other, std::string_view what) {
        EXPECT_EQ(other.adversarial, expected.adversarial) << entry.name << ", " << name(norm) << ", " << what;
        EXPECT_EQ(other.objective, expected.objective) << entry.name << ", " << name(norm) << ", " << what;
        EXPECT_EQ(other.gradients, expected.gradients) << entry.name << ", " << name(norm) << ", " << what;
      };
      expect_same(in_batches(*attack, target, threat, forward, 1, 1), "one at a time");
      expect_same(in_batches(*attack, target, threat, forward, 7, 1), "seven at a time");
      expect_same(in_batches(*attack, target, threat, forward, 64, 2), "64 at a time on two threads");
      expect_same(in_batches(*attack, target, threat, forward, 130, 2), "all on two threads");
      expect_same(in_batches(*attack, target, threat, shuffled, 130, 2), "in another order");
    }
  }
}

TEST(Attack, NeitherDoTheyWithMasksRandomRadiiAndDecoys) {
  constexpr std::int64_t kRows = 30;
  const Target target = relu_target(kRows);
  const auto forward = positions(kRows);
  for (const OptimiserEntry& entry : optimisers()) {
    const auto attack = quick(entry, "encoder_skl", 4);
    for (const Norm norm : norms_of(entry)) {
      for (const PixelBudget& budget : partial_budgets(norm)) {
        const Threat threat{.norm = norm, .radius = 0.2, .pixels = budget};
        const AttackResult expected = in_batches(*attack, target, threat, forward, kRows, 1);
        const auto expect_same = [&](const AttackResult& other, std::string_view what) {
          EXPECT_EQ(other.adversarial, expected.adversarial)
              << entry.name << ", " << name(norm) << name_ending(budget) << ", " << what;
          EXPECT_EQ(other.objective, expected.objective) << entry.name << ", " << name(norm) << ", " << what;
        };
        expect_same(in_batches(*attack, target, threat, forward, 1, 1), "one at a time");
        expect_same(in_batches(*attack, target, threat, forward, kRows, 2), "all on two threads");
        expect_same(in_batches(*attack, target, threat, permutation(Key(8), kRows), 7, 2), "in another order");
      }
    }
  }
}

TEST(Attack, AnOptimiserSeesHeldPixelsWhereTheyStayWhateverItDoesWithThem) {
  const Target target = relu_target(3);
  const Threat threat{.radius = 0.2, .pixels = partial_budgets(Norm::linf).back()};
  const Custom wanders([&](Search& search) {
    Matrix kept(3, 64, 0.5F);
    const Matrix elsewhere = kept;
    for (std::int64_t i = 0; i < 3; ++i) {
      search.threat(i).hold(search.references().row(i), kept.row(i));
    }
    std::vector<double> values;
    std::vector<double> values_elsewhere;
    Matrix gradients;
    Matrix gradients_elsewhere;
    search.evaluate(kept, values, &gradients);
    search.evaluate(elsewhere, values_elsewhere, &gradients_elsewhere);
    EXPECT_EQ(values, values_elsewhere);
    EXPECT_EQ(gradients, gradients_elsewhere);
    Matrix one;
    EXPECT_EQ(search.evaluate_one(1, elsewhere.slice(1, 1), &one), values[1]);
    EXPECT_EQ(one, gradients.slice(1, 1));
    for (std::int64_t i = 0; i < 3; ++i) {
      for (std::int64_t j = 0; j < 64; ++j) {
        EXPECT_EQ(gradients(i, j) == 0.0F, threat.holds(target.references(i, j))) << "row " << i << ", pixel " << j;
      }
    }
    return elsewhere;
  });
  run(wanders, target, "classifier_ce", threat);
}

TEST(Attack, SomeRowsAreEvaluatedAsTheyAreInTheWholeAndTheOthersStay) {
  const Target target = relu_target(9);
  const Custom some([](Search& search) {
    std::vector<double> all;
    std::vector<double> part(9, -7.0);
    Matrix all_gradients;
    Matrix part_gradients(9, 64, 3.0F);
    search.evaluate(search.references(), all, &all_gradients);
    const std::vector<std::int64_t> rows{0, 1, 4, 7, 8};
    search.evaluate(rows, search.references(), part, &part_gradients);
    for (std::int64_t i = 0; i < 9; ++i) {
      const bool named = std::ranges::find(rows, i) != rows.end();
      EXPECT_EQ(part[static_cast<std::size_t>(i)], named ? all[static_cast<std::size_t>(i)] : -7.0);
      EXPECT_EQ(part_gradients.slice(i, 1), named ? all_gradients.slice(i, 1) : Matrix(1, 64, 3.0F));
    }
    Matrix gradient;
    EXPECT_EQ(search.evaluate_one(4, search.references().slice(4, 1), &gradient), all[4]);
    EXPECT_EQ(gradient, all_gradients.slice(4, 1));
    return search.references();
  });
  EXPECT_EQ(run(some, target, "classifier_ce", Threat{}).gradients, 9 + 5 + 1);
}

TEST(Attack, ImagesThatHaveEnoughAreLeftAlone) {
  const Target target = relu_target(20);
  const Threat threat{.radius = 0.3};
  const AttackResult whole = run(Pgd({.iterations = 40}), target, "classifier_margin", threat);
  const AttackResult spared = run(Pgd({.iterations = 40, .enough = 0.0}), target, "classifier_margin", threat);
  EXPECT_LT(spared.gradients, whole.gradients);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(spared.objective[i] > 0.0, whole.objective[i] > 0.0);
    EXPECT_LE(spared.objective[i], whole.objective[i]);
  }
}

TEST(Attack, RestartsDifferAndTheFirstOnesDoNotDependOnHowManyFollow) {
  const Target target = linear_target(3);
  const AttackResult two = run(Pgd({.iterations = 3}), target, "encoder_skl", Threat{.radius = 0.2}, 2);
  const AttackResult five = run(Pgd({.iterations = 3}), target, "encoder_skl", Threat{.radius = 0.2}, 5);
  for (std::int64_t reference = 0; reference < 3; ++reference) {
    for (std::int64_t restart = 0; restart < 2; ++restart) {
      EXPECT_EQ(two.adversarial.slice(2 * reference + restart, 1), five.adversarial.slice(5 * reference + restart, 1));
    }
  }
  const auto keys = attack_keys(Key(1), "encoder_skl", positions(2), 2);
  EXPECT_NE(keys[0].value(), keys[1].value());
  EXPECT_NE(keys[0].value(), keys[2].value());
  EXPECT_NE(keys[0].value(), attack_keys(Key(1), "classifier_ce", positions(2), 2)[0].value());
}

}  // namespace
}  // namespace vaeguard::attacks
