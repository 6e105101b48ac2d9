// Sums, differences, products and quotients, with all the broadcasting that layers can do.
#include "tests/expect_misuse.h"
#include "tests/importers/run_graph.h"

namespace vaeguard::importers {
namespace {

// x of [N, 2, 1, 2] and a constant.
OnnxWriter with_constant(const std::string& operation, const Shape& shape, const Reals& constant, bool first = false) {
  OnnxWriter writer;
  writer.input("x", {0, 2, 1, 2}).output("y").reals("c", shape, constant);
  writer.node(operation, first ? std::vector<std::string>{"c", "x"} : std::vector<std::string>{"x", "c"}, {"y"});
  return writer;
}

const Reals kInputs{1, 2, 3, 4};

TEST(ImportedArithmetic, WithConstants) {
  expect_gives(with_constant("Add", {}, {10}), kInputs, {11, 12, 13, 14});
  expect_gives(with_constant("Add", {2, 1, 1}, {10, 20}), kInputs, {11, 12, 23, 24});
  expect_gives(with_constant("Add", {1, 2, 1, 2}, {10, 20, 30, 40}), kInputs, {11, 22, 33, 44});
  expect_gives(with_constant("Mul", {2}, {10, 100}), kInputs, {10, 200, 30, 400});
  expect_gives(with_constant("Sub", {1}, {1}), kInputs, {0, 1, 2, 3});
  expect_gives(with_constant("Sub", {1}, {1}, true), kInputs, {0, -1, -2, -3});
  expect_gives(with_constant("Div", {1}, {4}), kInputs, {0.25F, 0.5F, 0.75F, 1});
}

TEST(ImportedArithmetic, WithConstantsThatLayersCannotTakeIsRefused) {
  expect_misuse([] { imported(with_constant("Div", {1}, {4}, true)); }, {"(Div)", "no layer divides by a value"});
  expect_misuse([] { imported(with_constant("Div", {2}, {4, 0})); }, {"(Div)", "other than 0"});
  expect_misuse(
      [] {
        imported(with_constant("Add", {3, 2, 1, 2}, Reals(12, 1.0F)));
      },
      {"(Add)", "[3, 2, 1, 2] cannot be repeated to [2, 1, 2]"});
}

// Scales and shifts of one value are one layer, and none after a convolution.
TEST(ImportedArithmetic, WithConstantsFolds) {
  OnnxWriter writer;
  writer.input("x", {0, 2}).output("y").reals("a", {1}, {2}).reals("b", {2}, {1, 5}).reals("c", {1}, {10});
  writer.node("Mul", {"x", "a"}, {"p"}).node("Add", {"p", "b"}, {"q"}).node("Div", {"q", "c"}, {"y"});
  EXPECT_EQ(imported(writer).layers.size(), 1U);
  expect_gives(writer, {1, 2}, {0.3F, 0.9F});
}

// a of [N, 2, 2, 1] (or as given) and b, both made of x by slicing.
OnnxWriter of_two(const std::string& operation, const Shape& one, const Shape& other, std::int64_t values_of_one,
                  std::int64_t values_of_other) {
  OnnxWriter writer;
  writer.input("x", {0, values_of_one + values_of_other}).output("y");
  writer.node("Split", {"x"}, {"s", "t"}).with("axis", 1);
  writer.integers("parts", {values_of_one, values_of_other});
  writer.graph().mutable_node(0)->add_input("parts");
  const auto shaped = [&](const Shape& shape, const char* from, const char* to) {
    Shape whole{-1};
    whole.insert(whole.end(), shape.begin(), shape.end());
    writer.integers(std::string("shape_") + to, whole).node("Reshape", {from, std::string("shape_") + to}, {to});
  };
  shaped(one, "s", "a");
  shaped(other, "t", "b");
  writer.node(operation, {"a", "b"}, {"y"});
  return writer;
}

TEST(ImportedArithmetic, OfTwoValues) {
  expect_gives(of_two("Add", {2}, {2}, 2, 2), {1, 2, 10, 20}, {11, 22});
  expect_gives(of_two("Sub", {2}, {2}, 2, 2), {1, 2, 10, 20}, {-9, -18});
  expect_gives(of_two("Mul", {2, 1}, {2, 1}, 2, 2), {1, 2, 10, 20}, {10, 40});
}

TEST(ImportedArithmetic, OfTwoValuesRepeatsTheSmallerOne) {
  const Reals inputs{1, 2, 3, 4, 10, 20};
  const Reals by_channel{10, 20, 60, 80};
  const Reals by_position{10, 40, 30, 80};
  expect_gives(of_two("Mul", {2, 2, 1}, {2, 1, 1}, 4, 2), inputs, by_channel);
  expect_gives(of_two("Mul", {2, 2, 1}, {1, 2, 1}, 4, 2), inputs, by_position);
  expect_gives(of_two("Mul", {2, 1, 2}, {1, 1, 2}, 4, 2), inputs, by_position);
  expect_gives(of_two("Mul", {4, 1}, {1, 1}, 4, 1), {1, 2, 3, 4, 10}, {10, 20, 30, 40});
  expect_gives(of_two("Sub", {1, 1}, {4, 1}, 1, 4), {10, 1, 2, 3, 4}, {9, 8, 7, 6});
  expect_misuse([] { imported(of_two("Mul", {2, 1}, {1, 2}, 2, 2)); }, {"(Mul)", "each of two values is repeated"});
  expect_misuse([] { imported(of_two("Mul", {2, 2, 2}, {2, 1, 2}, 8, 4)); }, {"(Mul)", "axes in between"});
  expect_misuse([] { imported(of_two("Mul", {2}, {2, 1}, 2, 2)); }, {"(Mul)", "as many axes"});
  expect_misuse([] { imported(of_two("Div", {2}, {2}, 2, 2)); }, {"(Div)", "no layer divides by a value"});
}

TEST(ImportedArithmetic, OfAValueWithItself) {
  OnnxWriter writer;
  writer.input("x", {0, 2}).output("y").node("Mul", {"x", "x"}, {"p"}).node("Sub", {"p", "x"}, {"y"});
  expect_gives(writer, {3, -2}, {6, 6});
}

}  // namespace
}  // namespace vaeguard::importers
