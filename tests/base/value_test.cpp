// Trees of values: what they hold, how they compare, and how they are written.
#include "vaeguard/base/value.h"

#include <limits>

#include "tests/expect_misuse.h"

namespace vaeguard {
namespace {

Value tree() {
  return Value::Table{{"flag", true},
                      {"count", 3},
                      {"rate", 0.5},
                      {"name", "a \"b\"\n"},
                      {"radii", Value::List{0.1, 1}},
                      {"inner", Value::Table{{"z", 1}, {"a", 2.0}}}};
}

TEST(Value, HoldsWhatItWasMadeOf) {
  const Value value = tree();
  EXPECT_EQ(*value.find("flag")->as<bool>(), true);
  EXPECT_EQ(*value.find("count")->as<std::int64_t>(), 3);
  EXPECT_EQ(value.find("count")->as<double>(), nullptr);
  EXPECT_EQ(value.find("count")->number(), 3.0);
  EXPECT_EQ(value.find("rate")->number(), 0.5);
  EXPECT_EQ(value.find("name")->number(), std::nullopt);
  EXPECT_EQ(value.find("radii")->as<Value::List>()->size(), 2U);
  EXPECT_EQ(value.find("inner")->find("a")->number(), 2.0);
  EXPECT_EQ(value.find("other"), nullptr);
  EXPECT_EQ(value.find("count")->find("a"), nullptr);
  EXPECT_EQ(Value(), Value(Value::Table{}));
}

TEST(Value, IsEqualWhateverTheOrderOfKeysAndWhereverItComesFrom) {
  Value one = Value::Table{{"a", 1}, {"b", Value::Table{{"c", "x"}, {"d", true}}}};
  Value other = Value::Table{{"b", Value::Table{{"d", true}, {"c", "x"}}}, {"a", 1}};
  other.from("line 3");
  EXPECT_EQ(one, other);
  EXPECT_EQ(to_text(one), to_text(other));
  other.set("a", 2);
  EXPECT_NE(one, other);
  other.set("a", 1);
  EXPECT_EQ(one, other);
  other.set("e", 1);
  EXPECT_NE(one, other);
  EXPECT_NE(other, one);
  EXPECT_NE(Value(1), Value(1.0));
  EXPECT_NE(Value(true), Value(1));
  EXPECT_NE(Value(Value::List{1, 2}), Value(Value::List{2, 1}));
}

TEST(Value, IsWrittenAsTomlWritesIt) {
  EXPECT_EQ(to_text(tree()),
            "{ count = 3, flag = true, inner = { a = 2.0, z = 1 }, name = \"a "
            "\\\"b\\\"\\u000a\", radii = [0.1, 1], "
            "rate = 0.5 }");
  EXPECT_EQ(to_text(Value()), "{}");
  EXPECT_EQ(to_text(Value(std::numeric_limits<double>::infinity())), "inf");
  EXPECT_EQ(to_text(Value(1e300)), "1e+300");
  EXPECT_EQ(to_text(Value(-0.1)), "-0.1");
}

TEST(Value, OnlyTablesGetKeys) {
  Value value = 3;
  expect_misuse([&] { value.set("a", 1); }, {"[base.value]", "3 cannot get the key a"});
}

}  // namespace
}  // namespace vaeguard
