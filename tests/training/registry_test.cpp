// Objectives by name: what each reads, how it is described, and what is refused.
#include "vaeguard/training/registry.h"

#include <gtest/gtest.h>

#include <string>

#include "vaeguard/base/error.h"

namespace vaeguard::training {
namespace {

std::string message_of(const auto& action) {
  try {
    action();
  } catch (const Misuse& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST(ObjectiveRegistry, AnUnknownNameIsAnErrorThatNamesTheNearest) {
  const std::string message = message_of([] { static_cast<void>(objectives().find("beta_tcave")); });
  EXPECT_NE(message.find("did you mean 'beta_tcvae'?"), std::string::npos) << message;
}

TEST(ObjectiveRegistry, AnOptionOfAnotherObjectiveIsAnErrorThatListsItsOwn) {
  const Value gamma = Value::Table{{"gamma", 2.0}};
  EXPECT_EQ(objective_schema().read(gamma, "test", {.name = "smooth_encoder"}).smooth.gamma, 2.0);
  const std::string message = message_of([&] { static_cast<void>(objective_schema().read(gamma, "test")); });
  EXPECT_NE(message.find("objective elbo has no option gamma; it has beta"), std::string::npos) << message;
}

TEST(ObjectiveRegistry, DescriptionsHaveTheNameAndWhatItReads) {
  EXPECT_EQ(describe({}), "elbo, beta 1");
  EXPECT_EQ(describe({.name = "beta_tcvae", .beta = 5.0}), "beta_tcvae, beta 5, estimator mws");
  EXPECT_EQ(describe({.name = "se_avae"}), "se_avae, beta 1, gamma 1, radius 0.1, inner_steps 5, correlation 0.975");
}

TEST(ObjectiveRegistry, EveryOptionChangesADescription) {
  const ObjectiveOptions changed{.beta = 7.0,
                                 .estimator = TotalCorrelationEstimator::published,
                                 .smooth = {.gamma = 7.0, .radius = 0.7, .steps = 7},
                                 .correlation = 0.7};
  for (const ObjectiveEntry& entry : objectives()) {
    ObjectiveOptions usual;
    ObjectiveOptions other = changed;
    usual.name = other.name = entry.name;
    for (const std::string_view option : entry.options) {
      const std::string name(option);
      const auto part = [&](const ObjectiveOptions& options) {
        const std::string text = describe(options);
        const auto from = text.find(", " + name + " ");
        return from == std::string::npos ? "" : text.substr(from, text.find(',', from + 1) - from);
      };
      EXPECT_NE(part(usual), "") << entry.name << " " << name;
      EXPECT_NE(part(usual), part(other)) << entry.name << " " << name;
    }
  }
}

TEST(ObjectiveRegistry, RefusesImpossibleValues) {
  EXPECT_THROW(make_objective({.beta = -1.0}, 10), Misuse);
  EXPECT_THROW(make_objective({.name = "avae", .correlation = 1.0}, 10), Misuse);
  EXPECT_THROW(make_objective({.name = "smooth_encoder", .smooth = {.gamma = -1.0}}, 10), Misuse);
}

}  // namespace
}  // namespace vaeguard::training
