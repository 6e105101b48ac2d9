// Nodes that move values, and the chains of shapes that exporters leave around reshapes.
#include <algorithm>
#include <limits>

#include "tests/expect_misuse.h"
#include "tests/importers/run_graph.h"

namespace vaeguard::importers {
namespace {

Reals counted(std::size_t count) {
  Reals result;
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back(static_cast<float>(i));
  }
  return result;
}

OnnxWriter reshaped(const Shape& shape, const Shape& target) {
  OnnxWriter writer = on(shape);
  writer.integers("target", target).node("Reshape", {"x", "target"}, {"r"}).node("Flatten", {"r"}, {"y"});
  return writer;
}

TEST(ImportedReshape, KeepsTheBatchHoweverItIsWritten) {
  for (const Shape& target : {Shape{-1, 3, 2}, Shape{0, -1, 2}, Shape{0, 3, 2}, Shape{-1, 0, 1, 2}}) {
    expect_gives(reshaped({0, 3, 2}, target), counted(12), counted(12));
  }
  expect_gives(reshaped({4, 3, 2}, {4, -1}), counted(12), counted(12));
  for (const Shape& target : {Shape{1, 6}, Shape{-1, 3}, Shape{0, 4}, Shape{-1, -1}, Shape{}, Shape{0, 7, -1}}) {
    expect_misuse([&] { imported(reshaped({0, 3, 2}, target)); }, {"(Reshape)"});
  }
}

// x.view(x.size(0), -1), as exporters write it.
TEST(ImportedReshape, FollowsAShapeThatIsComputed) {
  OnnxWriter writer = on({0, 2, 3});
  writer.node("Constant", {}, {"zero"}).with("value_ints", Shape{0});
  writer.integers("minus_one", {-1}).integers("axes", {0});
  writer.node("Shape", {"x"}, {"shape"}).node("Gather", {"shape", "zero"}, {"batch"}).with("axis", 0);
  writer.node("Squeeze", {"batch", "axes"}, {"scalar"}).node("Unsqueeze", {"scalar", "axes"}, {"batch_again"});
  writer.node("Concat", {"batch_again", "minus_one"}, {"target"}).with("axis", 0);
  writer.node("Reshape", {"x", "target"}, {"h"}).node("Relu", {"h"}, {"y"});
  EXPECT_EQ(imported(writer).layers.size(), 1U);
  expect_gives(writer, {-1, 2, 3, 4, 5, -6}, {0, 2, 3, 4, 5, 0});
}

TEST(ImportedAxes, ComeAndGo) {
  OnnxWriter writer = on({0, 2, 1, 3});
  writer.integers("axis", {2}).integers("last", {-1}).node("Squeeze", {"x", "axis"}, {"s"});
  writer.node("Unsqueeze", {"s", "last"}, {"u"}).node("Flatten", {"u"}, {"y"});
  expect_gives(writer, counted(6), counted(6));
  OnnxWriter old = on({0, 2, 1, 3}, 11);
  old.node("Squeeze", {"x"}, {"s"}).with("axes", Shape{-2}).node("Unsqueeze", {"s"}, {"y"}).with("axes", Shape{1});
  expect_gives(old, counted(6), counted(6));
  OnnxWriter wide = on({0, 2, 3}, 11);
  wide.node("Squeeze", {"x"}, {"y"}).with("axes", Shape{1});
  expect_misuse([&] { imported(wide); }, {"(Squeeze)", "axis 1 has 2"});
  OnnxWriter batch = on({0, 2, 3}, 11);
  batch.node("Unsqueeze", {"x"}, {"y"}).with("axes", Shape{0});
  expect_misuse([&] { imported(batch); }, {"(Unsqueeze)", "batch must stay"});
}

// The value of an output position is the position that it came from.
Reals transposed_by_hand(const Shape& shape, const Shape& order) {
  const Tensor whole = Tensor::of(shape, counted(static_cast<std::size_t>(count(shape))));
  return transposed(whole, order).reals();
}

TEST(ImportedTranspose, ReordersAnyNumberOfAxes) {
  const Shape extents{2, 3, 2, 5, 2};
  for (const std::size_t rank : {2U, 3U, 4U, 5U}) {
    const Shape shape(extents.begin(), extents.begin() + static_cast<std::ptrdiff_t>(rank));
    Shape order(rank);
    for (std::size_t i = 0; i < rank; ++i) {
      order[i] = static_cast<std::int64_t>(i);
    }
    do {
      Shape input{0};
      Shape perm{0};
      input.insert(input.end(), shape.begin(), shape.end());
      for (const std::int64_t axis : order) {
        perm.push_back(axis + 1);
      }
      OnnxWriter writer = on(input);
      writer.node("Transpose", {"x"}, {"t"}).with("perm", perm).node("Flatten", {"t"}, {"y"});
      ASSERT_EQ(run_graph(imported(writer), counted(static_cast<std::size_t>(count(shape)))),
                transposed_by_hand(shape, order))
          << text(order);
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST(ImportedTranspose, IsOneLayerWhereBlocksOfAxesMove) {
  OnnxWriter writer = on({0, 2, 3, 2, 5});
  writer.node("Transpose", {"x"}, {"y"}).with("perm", Shape{0, 3, 4, 1, 2});
  EXPECT_EQ(run_graph(imported(writer), counted(60)), transposed_by_hand({2, 3, 2, 5}, {2, 3, 0, 1}));
  const auto graph = imported(writer);
  EXPECT_EQ(std::ranges::count(graph.layers, networks::Operation::transposition, &networks::Layer::operation), 1);
  OnnxWriter batch = on({0, 2, 3});
  batch.node("Transpose", {"x"}, {"y"});  // reversed, so the batch would be last
  expect_misuse([&] { imported(batch); }, {"(Transpose)", "leave the batch first", "[2, 1, 0]"});
  OnnxWriter none = on({0, 2, 3});
  none.node("Transpose", {"x"}, {"y"}).with("perm", Shape{});
  expect_misuse([&] { imported(none); }, {"(Transpose)", "perm must name each of 3 axes once"});
}

TEST(ImportedDepthToSpace, HasBothOrders) {
  const auto shuffled = [](const char* mode) {
    OnnxWriter writer = on({0, 8, 1, 1});
    writer.node("DepthToSpace", {"x"}, {"y"}).with("blocksize", 2).with("mode", mode);
    return writer;
  };
  expect_gives(shuffled("CRD"), counted(8), counted(8));
  expect_gives(shuffled("DCR"), counted(8), {0, 2, 4, 6, 1, 3, 5, 7});
  expect_misuse([&] { imported(shuffled("XYZ")); }, {"(DepthToSpace)", "DCR or CRD"});
}

OnnxWriter sliced(const Shape& shape, const Shape& starts, const Shape& ends, const Shape& axes, const Shape& steps) {
  OnnxWriter writer = on(shape);
  writer.integers("starts", starts).integers("ends", ends).integers("axes", axes).integers("steps", steps);
  writer.node("Slice", {"x", "starts", "ends", "axes", "steps"}, {"y"});
  return writer;
}

TEST(ImportedSlice, TakesPartsOfAnyAxis) {
  expect_gives(sliced({0, 5}, {1}, {4}, {1}, {1}), counted(5), {1, 2, 3});
  expect_gives(sliced({0, 5}, {-2}, {1 << 30}, {-1}, {1}), counted(5), {3, 4});
  expect_gives(sliced({0, 5}, {0}, {5}, {1}, {2}), counted(5), {0, 2, 4});
  expect_gives(sliced({0, 5}, {1}, {5}, {1}, {3}), counted(5), {1, 4});
  expect_gives(sliced({0, 2, 2, 3}, {0, 1, 0}, {std::numeric_limits<std::int64_t>::max(), 2, 3}, {0, 2, 3}, {1, 1, 2}),
               counted(12), {3, 5, 9, 11});
  OnnxWriter old = on({0, 5}, 9);
  old.node("Slice", {"x"}, {"y"}).with("starts", Shape{1}).with("ends", Shape{3}).with("axes", Shape{1});
  expect_gives(old, counted(5), {1, 2});
  expect_misuse([] { imported(sliced({0, 5}, {4}, {0}, {1}, {-1})); }, {"(Slice)", "must go forward"});
  expect_misuse([] { imported(sliced({0, 5}, {0}, {1}, {0}, {1})); }, {"(Slice)", "along the batch"});
}

TEST(ImportedSplit, GivesEveryPart) {
  OnnxWriter even = on({0, 2, 4});
  even.output("z").node("Split", {"x"}, {"y", "z"}).with("axis", 2);
  expect_gives(even, counted(8), {0, 1, 4, 5, 2, 3, 6, 7});
  OnnxWriter old = on({0, 4}, 11);
  old.output("z").node("Split", {"x"}, {"y", "z"}).with("axis", 1).with("split", Shape{1, 3});
  expect_gives(old, counted(4), {0, 1, 2, 3});
  OnnxWriter wrong = on({0, 4}, 11);
  wrong.output("z").node("Split", {"x"}, {"y", "z"}).with("axis", 1).with("split", Shape{1, 4});
  expect_misuse([&] { imported(wrong); }, {"(Split)", "must be 2 and cover it, got [1, 4]"});
}

// mean, log_variance = h.view(-1, D, 2).unbind(-1)
TEST(ImportedGather, TakesOneIndexOrARun) {
  OnnxWriter writer = on({0, 6});
  writer.output("z").integers("pairs", {-1, 3, 2}).node("Reshape", {"x", "pairs"}, {"p"});
  writer.node("Constant", {}, {"first"}).with("value_int", 0).node("Constant", {}, {"second"}).with("value_int", -1);
  writer.node("Gather", {"p", "first"}, {"y"}).with("axis", 2).node("Gather", {"p", "second"}, {"z"}).with("axis", 2);
  expect_gives(writer, counted(6), {0, 2, 4, 1, 3, 5});
  OnnxWriter run = on({0, 2, 3});
  run.integers("run", {1, 2}).node("Gather", {"x", "run"}, {"y"}).with("axis", 2);
  expect_gives(run, counted(6), {1, 2, 4, 5});
  OnnxWriter gaps = on({0, 4});
  gaps.integers("gaps", {0, 2}).node("Gather", {"x", "gaps"}, {"y"}).with("axis", 1);
  expect_misuse([&] { imported(gaps); }, {"(Gather)", "must be neighbours", "[0, 2]"});
}

TEST(ImportedConcat, JoinsAlongAnyAxis) {
  const auto joined = [](std::int64_t axis) {
    OnnxWriter writer = on({0, 2, 1, 2});
    writer.node("Neg", {"x"}, {"n"}).node("Concat", {"x", "n", "x"}, {"y"}).with("axis", axis);
    return writer;
  };
  expect_gives(joined(1), {1, 2, 3, 4}, {1, 2, 3, 4, -1, -2, -3, -4, 1, 2, 3, 4});
  expect_gives(joined(2), {1, 2, 3, 4}, {1, 2, -1, -2, 1, 2, 3, 4, -3, -4, 3, 4});
  expect_gives(joined(-1), {1, 2, 3, 4}, {1, 2, -1, -2, 1, 2, 3, 4, -3, -4, 3, 4});
  OnnxWriter constant = on({0, 2});
  constant.reals("c", {1, 2}, {1, 2}).node("Concat", {"x", "c"}, {"y"}).with("axis", 1);
  expect_misuse([&] { imported(constant); }, {"(Concat)", "'c' must depend on the network's input"});
}

TEST(ImportedPad, AddsZerosOnAnyAxisAndCrops) {
  OnnxWriter writer = on({0, 1, 2, 2});
  writer.integers("pads", {0, 0, 1, 0, 0, 0, 0, 1}).node("Pad", {"x", "pads"}, {"y"});
  expect_gives(writer, {1, 2, 3, 4}, {0, 0, 0, 1, 2, 0, 3, 4, 0});
  OnnxWriter channels = on({0, 1, 2, 2}, 9);
  channels.node("Pad", {"x"}, {"y"}).with("pads", Shape{0, 1, 0, -1, 0, 0, 0, 0});
  expect_gives(channels, {1, 2, 3, 4}, {0, 0, 2, 4});
  OnnxWriter mirrored = on({0, 1, 2, 2}, 9);
  mirrored.node("Pad", {"x"}, {"y"}).with("pads", Shape{0, 0, 1, 1, 0, 0, 1, 1}).with("mode", "reflect");
  expect_misuse([&] { imported(mirrored); }, {"(Pad)", "pad with zeros", "reflect"});
  // Pads from last to first, as exporters turn them around.
  OnnxWriter turned = on({0, 1, 1, 2});
  turned.integers("given", {1, 0, 0, 0, 0, 0, 0, 0}).integers("last", {-1}).integers("axis", {0});
  turned.integers("before_first", {-std::numeric_limits<std::int64_t>::max()});
  turned.node("Slice", {"given", "last", "before_first", "axis", "last"}, {"pads"}).node("Pad", {"x", "pads"}, {"y"});
  expect_gives(turned, {1, 2}, {1, 2, 0});
  OnnxWriter wide = on({0, 4}, 9);
  wide.node("Pad", {"x"}, {"y"}).with("pads", Shape{0, std::numeric_limits<std::int64_t>::max(), 0, 1});
  expect_misuse([&] { imported(wide); }, {"(Pad)", "from -2^20 to 2^20"});
}

}  // namespace
}  // namespace vaeguard::importers
