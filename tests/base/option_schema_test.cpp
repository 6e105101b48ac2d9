// Schemas: options read, checked, listed and written down by one table.
#include "vaeguard/base/option_schema.h"

#include <cmath>

#include "tests/expect_misuse.h"

namespace vaeguard {
namespace {

enum class Way { up, down };

struct Inner {
  double radius = 0.1;
};

struct Things {
  Way way = Way::up;
  bool flag = false;
  int steps = 5;
  double rate = 0.5;
  std::string label = "x";
  Inner inner = {};
};

const OptionSchema<Inner>& inner_schema() {
  static const auto schema = OptionSchema<Inner>().number("radius", &Inner::radius, from_to(0.0, 1.0), "of the ball");
  return schema;
}

const OptionSchema<Things>& schema() {
  static const auto schema =
      OptionSchema<Things>()
          .choice("way", &Things::way, {{"up", Way::up, "to the top"}, {"down", Way::down, "to the bottom"}},
                  "where to")
          .boolean("flag", &Things::flag, "whether")
          .integer("steps", &Things::steps, at_least(1), "how many")
          .unless([](const Things& things) { return things.way == Way::down ? "the way down has no steps" : ""; })
          .number("rate", &Things::rate, between(0.0, 1.0), "how fast")
          .text("label", &Things::label, "what it is called")
          .part(&Things::inner, inner_schema());
  return schema;
}

Things read(const Value& value) { return schema().read(value, "plan"); }

TEST(OptionSchema, ReadsEveryKindAndKeepsWhatIsNotSaid) {
  const Things all =
      read(Value::Table{{"way", "up"}, {"flag", true}, {"steps", 7}, {"rate", 0.25}, {"label", "y"}, {"radius", 1}});
  EXPECT_EQ(all.way, Way::up);
  EXPECT_TRUE(all.flag);
  EXPECT_EQ(all.steps, 7);
  EXPECT_EQ(all.rate, 0.25);
  EXPECT_EQ(all.label, "y");
  EXPECT_EQ(all.inner.radius, 1.0);
  EXPECT_EQ(read(Value()).steps, 5);
  EXPECT_EQ(read(Value::Table{{"way", "down"}}).way, Way::down);
}

TEST(OptionSchema, RefusesWhatIsOutOfBoundsOrUnknown) {
  const auto refuse = [](const Value& value, const std::vector<std::string>& parts) {
    expect_misuse([&] { read(value); }, parts);
  };
  Value steps;
  steps.set("steps", Value(0).from("line 3"));
  refuse(steps, {"[plan, line 3] steps must be a whole number of at least 1, got 0"});
  refuse(Value::Table{{"steps", 1.5}}, {"steps must be a whole number of at least 1, got 1.5"});
  refuse(Value::Table{{"rate", 1}}, {"rate must be a number above 0 and below 1, got 1"});
  refuse(Value::Table{{"rate", std::nan("")}}, {"rate must be", "got nan"});
  refuse(Value::Table{{"way", "dwon"}}, {"unknown way 'dwon', did you mean 'down'? Known: up, down"});
  refuse(Value::Table{{"way", 1}}, {"way must be one of up, down, got 1"});
  refuse(Value::Table{{"flag", "yes"}}, {"flag must be true or false, got \"yes\""});
  refuse(Value::Table{{"label", 1}}, {"label must be a text, got 1"});
  refuse(Value::Table{{"radius", 2}}, {"radius must be a number from 0 to 1, got 2"});
  refuse(Value::Table{{"raduis", 1}}, {"unknown key 'raduis', did you mean 'radius'?"});
}

TEST(OptionSchema, RefusesOptionsThatAreNotRead) {
  expect_misuse(
      [] {
        read(Value::Table{{"steps", 3}, {"way", "down"}});
      },
      {"steps is not read here: the way down has no steps"});
  Things down{.way = Way::down};
  EXPECT_EQ(schema().values(down).find("steps"), nullptr);
  EXPECT_NE(schema().values({}).find("steps"), nullptr);
}

TEST(OptionSchema, ChecksAnAggregateByTheSameBounds) {
  EXPECT_NO_THROW(schema().check("things", {}));
  expect_misuse([] { schema().check("things", {.steps = 0}); },
                {"[things] steps must be a whole number of at least 1, got 0"});
  EXPECT_NO_THROW(schema().check("things", {.way = Way::down, .steps = 0}));
  expect_misuse([] { schema().check("things", {.inner = {.radius = -1.0}}); }, {"radius must be", "got -1.0"});
  expect_misuse([] { schema().check("things", {.way = static_cast<Way>(7)}); }, {"unknown way"});
}

TEST(OptionSchema, WritesValuesThatReadBackAsTheSame) {
  const Things other{.flag = true, .steps = 9, .rate = 0.125, .label = "z", .inner = {.radius = 0.3}};
  const Value values = schema().values(other);
  EXPECT_EQ(to_text(values),
            "{ flag = true, label = \"z\", radius = 0.3, rate "
            "= 0.125, steps = 9, way = \"up\" }");
  EXPECT_EQ(schema().values(read(values)), values);
}

TEST(OptionSchema, ListsOptionsWithTheirBoundsAndDefaults) {
  const std::string lines = option_lines(schema().describe({.steps = 8}), "  ");
  EXPECT_THAT(lines, testing::HasSubstr("  steps = 8\n      how many; a whole number of at least 1\n"));
  EXPECT_THAT(lines, testing::HasSubstr("  way = \"up\"\n      where to\n"));
  EXPECT_THAT(lines, testing::HasSubstr("\"down\"                 to the bottom\n"));
}

}  // namespace
}  // namespace vaeguard
