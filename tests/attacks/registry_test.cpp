// Attacks by name: what plans may ask for, and the errors where they ask for something else.
#include "vaeguard/attacks/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/attacks/fixtures.h"
#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

TEST(AttackRegistry, NamesAreUniqueDescribedAndAgreeWithWhatIsMade) {
  const auto classifier = random_classifier(Key(1), 3, 2);
  std::set<std::string_view> names;
  for (const GoalEntry& entry : goals()) {
    EXPECT_TRUE(names.insert(entry.name).second);
    EXPECT_FALSE(entry.description.empty());
    EXPECT_EQ(make_goal(entry.name, {{Matrix(1, 2), Matrix(1, 2)}, &classifier})->name(), entry.name);
    for (const OptimiserEntry& optimiser : optimisers()) {
      EXPECT_EQ(make_attack(optimiser.name, entry.name)->name(), optimiser.name);
    }
  }
  for (const OptimiserEntry& optimiser : optimisers()) {
    EXPECT_TRUE(names.insert(optimiser.name).second);
    EXPECT_FALSE(optimiser.description.empty());
  }
}

TEST(AttackRegistry, UnknownNamesSuggestTheNearest) {
  EXPECT_THAT([] { find_goal("encoder_slk"); },
              testing::ThrowsMessage<Misuse>(testing::HasSubstr("did you mean 'encoder_skl'")));
  EXPECT_THAT([] { make_attack("sign_pdg", "encoder_skl"); },
              testing::ThrowsMessage<Misuse>(testing::HasSubstr("did you mean 'sign_pgd'")));
  EXPECT_THROW(make_attack("sign_pgd", "nothing"), Misuse);
}

TEST(AttackRegistry, AGoalWithoutItsClassifierIsNamed) {
  EXPECT_THAT(
      [] {
        make_goal("classifier_ce", {{Matrix(1, 2), Matrix(1, 2)}, nullptr});
      },
      testing::ThrowsMessage<Misuse>("[attacks] goal classifier_ce needs a classifier of latent codes, got none"));
}

}  // namespace
}  // namespace vaeguard::attacks
