// TOML as values: every kind, where each stands, and what a command line may leave out.
#include "vaeguard/plans/toml.h"

#include <cmath>

#include "tests/expect_misuse.h"

namespace vaeguard::plans {
namespace {

TEST(Toml, EveryKindBecomesAValueThatKnowsItsLine) {
  const Value table =
      parse_toml("flag = true\ncount = 3\nrate = 0.5\n\nname = 'x'\nlist = [1, 2.0]\n[inner]\na = inf\n", "plan.toml");
  EXPECT_EQ(*table.find("flag")->as<bool>(), true);
  EXPECT_EQ(*table.find("count")->as<std::int64_t>(), 3);
  EXPECT_EQ(*table.find("rate")->as<double>(), 0.5);
  EXPECT_EQ(*table.find("name")->as<std::string>(), "x");
  EXPECT_EQ(*table.find("list"), Value(Value::List{1, 2.0}));
  EXPECT_TRUE(std::isinf(*table.find("inner")->find("a")->number()));
  EXPECT_EQ(table.find("count")->origin(), "line 2");
  EXPECT_EQ(table.find("name")->origin(), "line 5");
  EXPECT_EQ(table.find("inner")->find("a")->origin(), "line 8");
}

TEST(Toml, TablesOfOneNameAreAList) {
  const Value table = parse_toml("[[attack]]\nx = 1\n[[attack]]\nx = 2\n", "plan.toml");
  const auto* list = table.find("attack")->as<Value::List>();
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[1].find("x")->number(), 2.0);
  EXPECT_EQ((*list)[1].origin(), "line 3");
}

TEST(Toml, WhatIsNoneOrHoldsADateIsNamedWithItsLine) {
  expect_misuse([] { parse_toml("a = 1\nb = [", "plan.toml"); }, {"[plan.toml, line 2] no valid TOML"});
  expect_misuse([] { parse_toml("a = 1\nb = 2026-01-01", "plan.toml"); }, {"[plan.toml, line 2]", "date"});
}

TEST(Toml, SettingsMayLeaveQuotesOut) {
  const Value settings = parse_settings(
      {"steps=3", "rate = 0.5", "start=map", "radius=\"attack\"", "list=[\"a\", \"b\"]", "flag=true", "steps=4"},
      "defend");
  EXPECT_EQ(settings, Value(Value::Table{{"steps", 4},
                                         {"rate", 0.5},
                                         {"start", "map"},
                                         {"radius", "attack"},
                                         {"list", Value::List{"a", "b"}},
                                         {"flag", true}}));
  EXPECT_EQ(settings.find("start")->origin(), "--set");
  EXPECT_EQ(parse_settings({"a=1\nb=2"}, "defend"), Value(Value::Table{{"a", "1\nb=2"}}));
  EXPECT_EQ(parse_settings({"a=2026-01-01"}, "defend"), Value(Value::Table{{"a", "2026-01-01"}}));
  EXPECT_EQ(parse_settings({"a="}, "defend"), Value(Value::Table{{"a", ""}}));
}

TEST(Toml, ASettingWithoutAKeyIsNamed) {
  expect_misuse([] { parse_settings({"steps"}, "defend"); }, {"[defend] --set must be key=value, got 'steps'"});
  expect_misuse([] { parse_settings({"=3"}, "defend"); }, {"--set must be key=value, got '=3'"});
}

}  // namespace
}  // namespace vaeguard::plans
