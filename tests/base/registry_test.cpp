// Registries: lookup by name, order, and what is refused of entries.
#include "vaeguard/base/registry.h"

#include "tests/expect_misuse.h"

namespace vaeguard {
namespace {

struct Thing {
  std::string name;
  std::string title = "Thing";
  std::string description = "a thing";
};

using Things = std::vector<Thing>;

TEST(Registry, FindsEntriesAndKeepsTheirOrder) {
  const Registry<Thing> things("tests", "thing", Things{{"zebra"}, {"ant"}});
  EXPECT_EQ(things.names(), (std::vector<std::string>{"zebra", "ant"}));
  EXPECT_EQ(&things.find("ant"), things.lookup("ant"));
  EXPECT_EQ(things.front().name, "zebra");
  EXPECT_EQ(things.lookup("bee"), nullptr);
  std::size_t count = 0;
  for (const Thing& thing : things) {
    count += thing.title == "Thing" ? 1 : 0;
  }
  EXPECT_EQ(count, things.size());
}

TEST(Registry, AMistypedNameSuggestsTheNearest) {
  const Registry<Thing> things("tests", "thing", Things{{"zebra"}, {"ant"}});
  expect_misuse([&] { static_cast<void>(things.find("zerba")); },
                {"[tests] unknown thing 'zerba', did you mean 'zebra'? Known: zebra, ant"});
  expect_misuse([&] { static_cast<void>(things.find("zerba", "plan")); }, {"[plan] unknown thing 'zerba'"});
}

TEST(Registry, RefusesNamesThatAreTakenAndEntriesWithoutWords) {
  using R = Registry<Thing>;
  expect_misuse([] { R("tests", "thing", Things{{"ant"}, {"bee"}, {"ant"}}); }, {"[tests]", "thing 'ant'"});
  expect_misuse([] { R("tests", "thing", Things{{"ant", ""}}); }, {"'ant' has not"});
  expect_misuse([] { R("tests", "thing", Things{{"ant", "Ant", ""}}); }, {"'ant' has not"});
  expect_misuse([] { R("tests", "thing", Things{{""}}); }, {"must have a name"});
}

}  // namespace
}  // namespace vaeguard
