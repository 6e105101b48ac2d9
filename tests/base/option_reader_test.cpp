// Options read from tables: each kind, its bounds, and errors that name place, key, expectation and finding.
#include "vaeguard/base/option_reader.h"

#include <cmath>

#include "tests/expect_misuse.h"

namespace vaeguard {
namespace {

Value table() {
  Value value = Value::Table{{"flag", true},
                             {"count", 3},
                             {"rate", 0.5},
                             {"name", "x"},
                             {"radii", Value::List{0.1, 1}},
                             {"words", Value::List{"a", "b"}}};
  value.set("late", Value(-1).from("line 7"));
  return value;
}

TEST(Range, SaysWhatItHolds) {
  EXPECT_EQ(any_number().describe("a number"), "a number");
  EXPECT_EQ(at_least(1).describe("a whole number"), "a whole number of at least 1");
  EXPECT_EQ(above(0).describe("a number"), "a number above 0");
  EXPECT_EQ(from_to(0, 1).describe("a number"), "a number from 0 to 1");
  EXPECT_EQ(from_to_below(0, 1).describe("a number"), "a number from 0 to below 1");
  EXPECT_EQ(above_to(0, 1).describe("a number"), "a number above 0 up to 1");
  EXPECT_EQ(between(0, 1).describe("a number"), "a number above 0 and below 1");
}

TEST(Range, HoldsItsBoundsOrNotAndNeverNan) {
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(any_number().contains(infinite));
  EXPECT_TRUE(any_number().contains(-infinite));
  EXPECT_TRUE(at_least(1).contains(1));
  EXPECT_FALSE(at_least(1).contains(0.999));
  EXPECT_FALSE(at_least(1).contains(infinite));
  EXPECT_FALSE(above(0).contains(0));
  EXPECT_TRUE(from_to(0, 1).contains(1));
  EXPECT_FALSE(from_to_below(0, 1).contains(1));
  EXPECT_TRUE(from_to_below(0, 1).contains(0));
  EXPECT_TRUE(above_to(0, 1).contains(1));
  EXPECT_FALSE(above_to(0, 1).contains(0));
  EXPECT_FALSE(between(0, 1).contains(1));
  for (const Range& range : {any_number(), at_least(0), above(0), from_to(0, 1), between(0, 1)}) {
    EXPECT_FALSE(range.contains(std::nan("")));
  }
}

TEST(OptionReader, GivesWhatTheTableHasAndFallbacksElse) {
  const Value value = table();
  OptionReader reader(value, "plan, [x]");
  EXPECT_TRUE(reader.boolean("flag", false));
  EXPECT_EQ(reader.integer("count", at_least(1)), 3);
  EXPECT_EQ(reader.number("count", any_number()), 3.0);
  EXPECT_EQ(reader.number("rate", any_number()), 0.5);
  EXPECT_EQ(reader.text("name"), "x");
  EXPECT_EQ(reader.numbers("radii"), (std::vector<double>{0.1, 1.0}));
  EXPECT_EQ(reader.texts("words"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(reader.is_text("name"));
  EXPECT_FALSE(reader.is_text("rate"));
  EXPECT_EQ(reader.integer("late", any_number()), -1);
  EXPECT_NO_THROW(reader.finish());
  EXPECT_EQ(reader.text("none", "fallback"), "fallback");
  EXPECT_EQ(reader.number("none", above(0), 2.0), 2.0);
  EXPECT_TRUE(reader.texts("none").empty());
  EXPECT_FALSE(reader.has("none"));
}

TEST(OptionReader, ErrorsNamePlaceKeyExpectationAndFinding) {
  const Value value = table();
  OptionReader reader(value, "plan, [x]");
  expect_misuse([&] { reader.integer("late", at_least(1)); },
                {"[plan, [x], line 7] late must be a whole number of at least "
                 "1, got -1"});
  expect_misuse([&] { reader.integer("rate", at_least(0)); }, {"[plan, [x]] rate must be a whole number", "got 0.5"});
  expect_misuse([&] { reader.number("name", above(0)); }, {"name must be a number above 0, got \"x\""});
  expect_misuse([&] { reader.text("flag"); }, {"flag must be a text, got true"});
  expect_misuse([&] { reader.boolean("count", false); }, {"count must be true or false, got 3"});
  expect_misuse([&] { reader.numbers("words"); }, {"words must be a list of numbers, got [\"a\", \"b\"]"});
  expect_misuse([&] { reader.texts("radii"); }, {"radii must be a list of texts"});
  expect_misuse([&] { reader.table("count"); }, {"count must be a table [count], got 3"});
  expect_misuse([&] { reader.tables("radii"); }, {"radii must be tables [[radii]]"});
  expect_misuse([&] { reader.integer("none", at_least(2)); }, {"none is missing; it must be a whole number"});
  expect_misuse(
      [] {
        const Value number = 3;
        OptionReader(number, "plan");
      },
      {"[plan] must be a table, got 3"});
}

TEST(OptionReader, WhatWasNeverAskedForIsAnErrorThatListsEachKnownKeyOnce) {
  const Value value = Value::Table{{"radus", Value(0.1).from("line 2")}};
  OptionReader reader(value, "plan");
  static_cast<void>(reader.has("radius"));
  static_cast<void>(reader.number("radius", any_number(), 0.0));
  static_cast<void>(reader.has("norm"));
  try {
    reader.finish();
    FAIL();
  } catch (const Misuse& error) {
    EXPECT_STREQ(error.what(),
                 "[plan, line 2] unknown key 'radus', did you "
                 "mean 'radius'? Known: radius, norm");
  }
}

TEST(OptionReader, TablesMayBeOneOrMany) {
  const Value one = Value::Table{{"a", Value::Table{{"x", 1}}}};
  const Value many = Value::Table{{"a", Value::List{Value::Table{{"x", 1}}, Value::Table{{"x", "?"}}}}};
  EXPECT_EQ(OptionReader(one, "p").tables("a").size(), 1U);
  auto tables = OptionReader(many, "p").tables("a");
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_EQ(tables[0].integer("x", any_number()), 1);
  expect_misuse([&] { tables[1].integer("x", any_number()); }, {"[p, [[a]] 2] x must be"});
  EXPECT_TRUE(OptionReader(one, "p").tables("b").empty());
  EXPECT_FALSE(OptionReader(one, "p").table("b").has("x"));
}

}  // namespace
}  // namespace vaeguard
