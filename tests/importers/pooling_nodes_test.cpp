// Pooling, means and resizing.
#include "tests/expect_misuse.h"
#include "tests/importers/run_graph.h"

namespace vaeguard::importers {
namespace {

OnnxWriter pooled(const std::string& operation, const Shape& shape, const Shape& kernel, const Shape& strides,
                  const Shape& pads) {
  OnnxWriter writer = on(shape);
  writer.node(operation, {"x"}, {"y"}).with("kernel_shape", kernel).with("strides", strides).with("pads", pads);
  return writer;
}

TEST(ImportedAveragePool, CountsPaddingOrNot) {
  const Reals inputs{1, 2, 3, 4, 5, 6, 7, 8};
  expect_gives(pooled("AveragePool", {0, 1, 2, 4}, {2, 2}, {2, 2}, {0, 0, 0, 0}), inputs, {3.5F, 5.5F});
  expect_gives(pooled("AveragePool", {0, 1, 2, 2}, {2, 2}, {2, 2}, {1, 1, 1, 1}), {4, 8, 12, 16}, {4, 8, 12, 16});
  expect_gives(pooled("AveragePool", {0, 1, 2, 2}, {2, 2}, {2, 2}, {1, 1, 1, 1}).with("count_include_pad", 1),
               {4, 8, 12, 16}, {1, 2, 3, 4});
  expect_gives(pooled("AveragePool", {0, 1, 2, 4}, {2, 4}, {1, 1}, {0, 0, 0, 0}), inputs, {4.5F});
  expect_misuse(
      [] {
        imported(pooled("AveragePool", {0, 1, 4, 4}, {1, 2}, {1, 1}, {0, 0, 0, 0}));
      },
      {"(AveragePool)", "windows must be square", "[1, 2]"});
  expect_misuse(
      [] {
        imported(pooled("AveragePool", {0, 1, 3, 3}, {2, 2}, {2, 2}, {0, 0, 0, 0}).with("ceil_mode", 1));
      },
      {"(AveragePool)", "ceil_mode"});
}

TEST(ImportedMaxPool, TakesTheLargest) {
  expect_gives(pooled("MaxPool", {0, 1, 2, 4}, {2, 2}, {2, 2}, {0, 0, 0, 0}), {1, 2, 3, 4, 5, 6, 7, 8}, {6, 8});
  expect_gives(pooled("MaxPool", {0, 1, 2, 2}, {2, 2}, {1, 1}, {1, 1, 1, 1}), {-1, -2, -3, -4},
               {-1, -1, -2, -1, -1, -2, -3, -3, -4});
  expect_gives(pooled("MaxPool", {0, 1, 2, 2}, {2, 2}, {2, 2}, {0, 0, 0, 0}), {1, 4, 3, 2}, {4});
  expect_misuse(
      [] {
        imported(pooled("MaxPool", {0, 1, 4, 4}, {2, 2}, {1, 1}, {0, 0, 1, 1}));
      },
      {"(MaxPool)", "the same on all sides"});
  OnnxWriter indices = pooled("MaxPool", {0, 1, 2, 2}, {2, 2}, {2, 2}, {0, 0, 0, 0});
  indices.graph().mutable_node(0)->add_output("where");
  indices.output("where");
  expect_misuse([&] { imported(indices); }, {"(MaxPool)", "'where' cannot be imported"});
}

TEST(ImportedMeans, AreOverTheNamedAxes) {
  OnnxWriter global = on({0, 2, 1, 2});
  global.node("GlobalAveragePool", {"x"}, {"y"});
  expect_gives(global, {1, 3, 5, 9}, {2, 7});
  const auto reduced = [](const Shape& axes, std::int64_t keep) {
    OnnxWriter writer = on({0, 2, 2, 2});
    writer.node("ReduceMean", {"x"}, {"y"}).with("axes", axes).with("keepdims", keep);
    return writer;
  };
  const Reals inputs{1, 2, 3, 4, 5, 6, 7, 8};
  expect_gives(reduced({2, 3}, 1), inputs, {2.5F, 6.5F});
  expect_gives(reduced({-1}, 0), inputs, {1.5F, 3.5F, 5.5F, 7.5F});
  expect_gives(reduced({1}, 0), inputs, {3, 4, 5, 6});
  expect_gives(reduced({1, 3}, 1), inputs, {3.5F, 5.5F});
  expect_misuse([&] { imported(reduced({0, 1}, 1)); }, {"(ReduceMean)", "along the batch"});
  OnnxWriter all = on({0, 2, 2});
  all.node("ReduceMean", {"x"}, {"y"});
  expect_misuse([&] { imported(all); }, {"(ReduceMean)", "must name the axes"});
  OnnxWriter newer = on({0, 2, 2}, 18);
  newer.integers("axes", {2}).node("ReduceMean", {"x", "axes"}, {"y"});
  expect_gives(newer, {1, 3, 5, 9}, {2, 7});
}

OnnxWriter resized(const Shape& shape, const Reals& scales, const Shape& sizes, const char* mode,
                   const char* coordinates, const char* rounding = "round_prefer_floor") {
  OnnxWriter writer = on(shape);
  writer.reals("scales", {static_cast<std::int64_t>(scales.size())}, scales);
  std::vector<std::string> inputs{"x", "", "scales"};
  if (!sizes.empty()) {
    writer.integers("sizes", sizes);
    inputs.emplace_back("sizes");
  }
  writer.node("Resize", inputs, {"y"}).with("mode", mode).with("coordinate_transformation_mode", coordinates);
  writer.with("nearest_mode", rounding);
  return writer;
}

TEST(ImportedResize, RepeatsPixels) {
  const Reals twice{1, 1, 2, 2, 1, 1, 2, 2};
  expect_gives(resized({0, 1, 1, 2}, {1, 1, 2, 2}, {}, "nearest", "asymmetric", "floor"), {1, 2}, twice);
  expect_gives(resized({0, 1, 1, 2}, {1, 1, 2, 2}, {}, "nearest", "half_pixel"), {1, 2}, twice);
  expect_gives(resized({0, 1, 1, 2}, {}, {1, 1, 2, 4}, "nearest", "asymmetric", "floor"), {1, 2}, twice);
  expect_misuse(
      [] {
        imported(resized({0, 1, 2, 2}, {1, 1, 1.5F, 1.5F}, {}, "nearest", "asymmetric", "floor"));
      },
      {"(Resize)", "repeated a whole number of times"});
  expect_misuse(
      [] {
        imported(resized({0, 1, 1, 2}, {1, 1, 2, 2}, {}, "nearest", "half_pixel", "floor"));
      },
      {"(Resize)", "half_pixel, floor"});
  expect_misuse(
      [] {
        imported(resized({0, 1, 1, 2}, {1, 2, 2, 2}, {}, "nearest", "half_pixel"));
      },
      {"(Resize)", "leave batch and channels"});
  expect_misuse(
      [] {
        imported(resized({0, 1, 1, 2}, {}, {1, 1, std::int64_t{1} << 60, 2}, "nearest", "half_pixel"));
      },
      {"(Resize)", "2^20 rows and columns"});
  OnnxWriter old = on({0, 1, 1, 2}, 9);
  old.reals("scales", {4}, {1, 1, 2, 2}).node("Upsample", {"x", "scales"}, {"y"}).with("mode", "nearest");
  expect_gives(old, {1, 2}, twice);
}

TEST(ImportedResize, Interpolates) {
  expect_gives(resized({0, 1, 1, 2}, {}, {1, 1, 1, 3}, "linear", "align_corners"), {1, 3}, {1, 2, 3});
  expect_gives(resized({0, 1, 1, 2}, {1, 1, 1, 2}, {}, "linear", "half_pixel"), {0, 4}, {0, 1, 3, 4});
  expect_misuse(
      [] {
        imported(resized({0, 1, 1, 2}, {1, 1, 1, 2}, {}, "cubic", "half_pixel"));
      },
      {"(Resize)", "nearest or linear, got 'cubic'"});
  expect_misuse(
      [] {
        imported(resized({0, 1, 1, 2}, {1, 1, 1, 2}, {}, "linear", "asymmetric"));
      },
      {"(Resize)", "half_pixel or align_corners"});
}

// The size of the image times two, as older exporters write it.
TEST(ImportedResize, FollowsSizesThatAreComputed) {
  OnnxWriter writer = on({0, 1, 1, 2});
  writer.integers("from", {0})
      .integers("middle", {2})
      .integers("to", {4})
      .reals("two", {1}, {2})
      .reals("none", {0}, {});
  writer.node("Shape", {"x"}, {"shape"}).node("Slice", {"shape", "from", "middle"}, {"outer"});
  writer.node("Slice", {"shape", "middle", "to"}, {"inner"}).node("Cast", {"inner"}, {"reals"}).with("to", 1);
  writer.node("Mul", {"reals", "two"}, {"doubled"}).node("Floor", {"doubled"}, {"floored"});
  writer.node("Cast", {"floored"}, {"whole"})
      .with("to", 7)
      .node("Concat", {"outer", "whole"}, {"sizes"})
      .with("axis", 0);
  writer.node("Resize", {"x", "", "none", "sizes"}, {"y"}).with("coordinate_transformation_mode", "asymmetric");
  writer.with("nearest_mode", "floor");
  expect_gives(writer, {1, 2}, {1, 1, 2, 2, 1, 1, 2, 2});
}

}  // namespace
}  // namespace vaeguard::importers
