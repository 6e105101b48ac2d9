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
  const Target target = linear_target(3);
  std::set<std::string_view> names;
  for (const GoalEntry& entry : goals()) {
    EXPECT_TRUE(names.insert(entry.name).second);
    EXPECT_FALSE(entry.description.empty());
    EXPECT_EQ(target.goal(entry.name)->name(), entry.name);
    for (const OptimiserEntry& optimiser : optimisers()) {
      EXPECT_EQ(make_attack(optimiser.name, entry.name)->name(), optimiser.name);
    }
  }
  for (const OptimiserEntry& optimiser : optimisers()) {
    EXPECT_TRUE(names.insert(optimiser.name).second);
    EXPECT_FALSE(optimiser.description.empty());
  }
  for (const SuiteEntry& suite : suites()) {
    EXPECT_TRUE(names.insert(suite.name).second);
    EXPECT_FALSE(suite.description.empty());
    EXPECT_EQ(suites().lookup(suite.name), &suite);
  }
  EXPECT_EQ(suites().lookup("apgd"), nullptr);
}

TEST(AttackRegistry, SuitesAreMadeOfWhatThereIs) {
  for (const SuiteEntry& suite : suites()) {
    EXPECT_NE(goals().lookup(suite.judge), nullptr);
    EXPECT_FALSE(suite.members.empty());
    for (const SuiteMember& member : suite.members) {
      EXPECT_NE(goals().lookup(member.goal), nullptr);
      EXPECT_NO_THROW(check_norm(member.optimiser, suite.norm)) << suite.name;
    }
  }
}

TEST(AttackRegistry, OptimisersOfOneNormRefuseTheOthers) {
  EXPECT_NO_THROW(check_norm("sign_pgd", Norm::linf));
  EXPECT_THAT([] { check_norm("published", Norm::l2); },
              testing::ThrowsMessage<Misuse>("[attacks] optimiser published exists for linf only, got l2"));
}

TEST(AttackRegistry, OptionsOfAnotherOptimiserAreRefused) {
  EXPECT_THAT(
      [] {
        make_attack("apgd", "encoder_skl", Value::Table{{"schedule", "cosine"}});
      },
      testing::ThrowsMessage<Misuse>(testing::HasSubstr("[attacks.apgd] unknown key 'schedule'")));
}

TEST(AttackRegistry, WhatIsListedOfAnOptimiserIsWhatItReadsAndReadsBackAsTheSame) {
  for (const OptimiserEntry& entry : optimisers()) {
    Value listed;
    for (const Option& option : entry.options) {
      EXPECT_NE(option.description, "") << entry.name << " " << option.key;
      EXPECT_NO_THROW(option.check("list", option.fallback)) << entry.name << " " << option.key;
      listed.set(option.key, option.fallback);
    }
    OptionReader reader(listed, "test");
    EXPECT_EQ(entry.prepare(reader, "encoder_skl").options, listed) << entry.name;
    EXPECT_NO_THROW(reader.finish());
  }
}

TEST(AttackRegistry, GoalsThatLackSomethingOrAreAskedForDrawsInVainAreNamed) {
  const Target target = linear_target(3);
  EXPECT_THAT([&] { static_cast<void>(target.goal("encoder_skl", 1)); },
              testing::ThrowsMessage<Misuse>("[attacks] goal encoder_skl takes no draws of the encoder, got 1"));
  const GoalInputs bare{.references = {Matrix(2, 2), Matrix(2, 2)}};
  EXPECT_NO_THROW(make_goal("latent_kl", bare)) << "without labels the target is any other reference";
  GoalInputs one_label = bare;
  one_label.labels = {1};
  EXPECT_THAT([&] { make_goal("latent_kl", one_label); },
              testing::ThrowsMessage<Misuse>(
                  "[attacks] goal latent_kl needs no labels or one for each of 2 references, got 1"));
  EXPECT_THAT([&] { make_goal("maximum_damage", bare); },
              testing::ThrowsMessage<Misuse>("[attacks] goal maximum_damage needs a decoder and the clean images, got "
                                             "none"));
}

TEST(AttackRegistry, UnknownNamesSuggestTheNearest) {
  EXPECT_THAT([] { static_cast<void>(goals().find("encoder_slk")); },
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
