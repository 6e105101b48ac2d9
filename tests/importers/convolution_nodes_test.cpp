// Nodes with weights, with values worked out by hand.
#include "tests/expect_misuse.h"
#include "tests/importers/run_graph.h"

namespace vaeguard::importers {
namespace {

// A node on an image x of one channel, with weights w.
OnnxWriter on_image(const std::vector<std::int64_t>& image, const std::string& operation,
                    const std::vector<std::int64_t>& weight_shape, const std::vector<float>& weight,
                    const std::vector<float>& bias = {}) {
  std::vector<std::int64_t> shape{0};
  shape.insert(shape.end(), image.begin(), image.end());
  OnnxWriter writer;
  writer.input("x", shape).output("y").reals("w", weight_shape, weight);
  std::vector<std::string> inputs{"x", "w"};
  if (!bias.empty()) {
    writer.reals("b", {static_cast<std::int64_t>(bias.size())}, bias);
    inputs.emplace_back("b");
  }
  writer.node(operation, inputs, {"y"});
  return writer;
}

TEST(ImportedConv, WeighsWindowsOfEveryImageOfABatch) {
  expect_gives(on_image({1, 3, 2}, "Conv", {2, 1, 2, 2}, {1, 2, 3, 4, -1, -2, -3, -4}, {0.5F, 0}),
               {1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 1}, {30.5F, 50.5F, -30, -50, 0.5F, 4.5F, 0, -4});
}

TEST(ImportedConv, HasStridesDilationsGroupsAndPadding) {
  auto strided = on_image({1, 2, 4}, "Conv", {1, 1, 2, 2}, {1, 1, 1, 1});
  strided.with("strides", std::vector<std::int64_t>{2, 2}).with("pads", std::vector<std::int64_t>{1, 1, 1, 1});
  expect_gives(strided, {1, 2, 3, 4, 5, 6, 7, 8}, {1, 5, 4, 5, 13, 8});
  auto dilated = on_image({1, 3, 3}, "Conv", {1, 1, 2, 2}, {1, 10, 100, 1000});
  dilated.with("dilations", std::vector<std::int64_t>{2, 2});
  expect_gives(dilated, {1, 0, 2, 0, 0, 0, 3, 0, 4}, {1 + 20 + 300 + 4000});
  auto grouped = on_image({2, 1, 1}, "Conv", {2, 1, 1, 1}, {2, 3});
  grouped.with("group", 2);
  expect_gives(grouped, {5, 7}, {10, 21});
}

TEST(ImportedConv, MayHaveKernelsThatAreNotSquareAndUnevenPadding) {
  expect_gives(on_image({1, 1, 3}, "Conv", {1, 1, 1, 2}, {1, 10}), {1, 2, 3}, {21, 32});
  auto before = on_image({1, 1, 3}, "Conv", {1, 1, 1, 2}, {1, 10});
  before.with("pads", std::vector<std::int64_t>{0, 1, 0, 0});
  expect_gives(before, {1, 2, 3}, {10, 21, 32});
  auto cropped = on_image({1, 1, 3}, "Conv", {1, 1, 1, 1}, {10});
  cropped.with("pads", std::vector<std::int64_t>{0, 0, 0, -1});
  expect_gives(cropped, {1, 2, 3}, {10, 20});
  for (const auto& [mode, outputs] :
       {std::pair("SAME_UPPER", std::vector<float>{21, 32, 3}), std::pair("SAME_LOWER", std::vector<float>{10, 21, 32}),
        std::pair("VALID", std::vector<float>{21, 32})}) {
    auto same = on_image({1, 1, 3}, "Conv", {1, 1, 1, 2}, {1, 10});
    same.with("auto_pad", mode);
    expect_gives(same, {1, 2, 3}, outputs);
  }
}

TEST(ImportedConv, MayHaveOneAxis) {
  auto writer = on_image({1, 4}, "Conv", {1, 1, 2}, {1, 10});
  writer.with("strides", std::vector<std::int64_t>{2});
  expect_gives(writer, {1, 2, 3, 4}, {21, 43});
}

TEST(ImportedConv, IsRefusedWhereLayersCannotExpressIt) {
  const auto refused = [](OnnxWriter writer, const std::vector<std::string>& parts) {
    expect_misuse([&] { imported(writer); }, parts);
  };
  refused(on_image({1, 4, 4}, "Conv", {1, 1, 2, 2}, {1, 2, 3, 4}).with("strides", std::vector<std::int64_t>{1, 2}),
          {"[test.onnx, node 'the_Conv' (Conv)]", "strides must be the same for rows and columns, got [1, 2]"});
  refused(on_image({3, 4, 4}, "Conv", {1, 1, 1, 1}, {1}), {"weights are for 1 channels, its input has 3"});
  refused(on_image({1, 1, 1}, "Conv", {1, 1, 2, 2}, {1, 2, 3, 4}), {"(Conv)", "no output remains"});
  refused(on_image({1, 4, 4}, "Conv", {1, 1, 1, 1}, {1}).with("secret", 1), {"attribute 'secret' is not known"});
  refused(on_image({1, 4, 4}, "Conv", {1, 1, 1, 1}, {1}).with("pads", std::vector<std::int64_t>{1, 1}),
          {"expected 4 pads"});
  refused(on_image({1, 4, 4}, "Conv", {1, 1, 1, 1}, {1}, {1, 2}), {"expected 1 weights and 1 biases, found 1 and 2"});
  refused(on_image({4}, "Conv", {1, 1, 1, 1}, {1}), {"got 1 axes after the batch"});
}

TEST(ImportedConvTranspose, SpreadsInputsOverWindows) {
  expect_gives(on_image({1, 1, 2}, "ConvTranspose", {1, 1, 2, 2}, {1, 2, 3, 4}, {0.5F}), {10, 20},
               {10.5F, 40.5F, 40.5F, 30.5F, 100.5F, 80.5F});
  const auto wide = [] {
    auto writer = on_image({1, 1, 2}, "ConvTranspose", {1, 1, 1, 2}, {1, 10}, {0.5F});
    writer.with("strides", std::vector<std::int64_t>{2, 2});
    return writer;
  };
  expect_gives(wide(), {1, 2}, {1.5F, 10.5F, 2.5F, 20.5F});
  expect_gives(wide().with("pads", std::vector<std::int64_t>{0, 1, 0, 0}), {1, 2}, {10.5F, 2.5F, 20.5F});
  expect_gives(wide().with("output_padding", std::vector<std::int64_t>{0, 1}), {1, 2},
               {1.5F, 10.5F, 2.5F, 20.5F, 0.5F});
}

TEST(ImportedConvTranspose, HasPaddingAndGroups) {
  auto writer = on_image({1, 2, 2}, "ConvTranspose", {1, 1, 2, 2}, {1, 1, 1, 1});
  writer.with("strides", std::vector<std::int64_t>{2, 2}).with("pads", std::vector<std::int64_t>{1, 1, 1, 1});
  expect_gives(writer, {1, 2, 3, 4}, {1, 2, 3, 4});
  auto grouped = on_image({2, 1, 1}, "ConvTranspose", {2, 1, 1, 1}, {2, 3});
  grouped.with("group", 2);
  expect_gives(grouped, {5, 7}, {10, 21});
  auto odd = on_image({1, 2, 2}, "ConvTranspose", {1, 1, 1, 1}, {1});
  odd.with("output_shape", std::vector<std::int64_t>{5, 5});
  expect_misuse([&] { imported(odd); }, {"(ConvTranspose)", "output_shape"});
}

TEST(ImportedGemm, IsAMatrixProductWithItsFactors) {
  OnnxWriter writer;
  writer.input("x", {0, 2}).output("y").reals("w", {2, 3}, {1, 2, 3, 4, 5, 6}).reals("b", {3}, {1, 1, 2});
  writer.node("Gemm", {"x", "w", "b"}, {"y"}).with("alpha", 2.0F).with("beta", 10.0F);
  expect_gives(writer, {1, 10, 0, 1}, {92, 114, 146, 18, 20, 32});
  OnnxWriter transposed;
  transposed.input("x", {0, 2}).output("y").reals("w", {1, 2}, {1, 2});
  transposed.node("Gemm", {"x", "w"}, {"y"}).with("transB", 1);
  expect_gives(transposed, {3, 4}, {11});
}

TEST(ImportedMatMul, MultipliesTheLastAxis) {
  OnnxWriter writer;
  writer.input("x", {0, 2, 2}).output("y").reals("w", {2, 3}, {1, 0, 1, 0, 1, 1}).reals("b", {3}, {0, 0, 100});
  writer.node("MatMul", {"x", "w"}, {"h"}).node("Add", {"h", "b"}, {"y"});
  expect_gives(writer, {1, 2, 3, 4}, {1, 2, 103, 3, 4, 107});
  OnnxWriter attention;
  attention.input("x", {0, 2, 2}).output("y").node("MatMul", {"x", "x"}, {"y"});
  expect_misuse([&] { imported(attention); }, {"node 'the_MatMul' (MatMul)", "attention"});
}

OnnxWriter normalised(bool after_convolution) {
  OnnxWriter writer;
  writer.input("x", {0, 2, 1, 2}).output("y");
  writer.reals("w", {2, 2, 1, 1}, {1, 0, 0, 2}).reals("scale", {2}, {2, 3}).reals("shift", {2}, {1, -1});
  writer.reals("mean", {2}, {1, 2}).reals("variance", {2}, {3, 0});
  if (after_convolution) {
    writer.node("Conv", {"x", "w"}, {"h"});
  }
  writer.node("BatchNormalization", {after_convolution ? "h" : "x", "scale", "shift", "mean", "variance"}, {"n"});
  writer.with("epsilon", 1.0F);
  writer.node("Relu", {"n"}, {"y"});
  return writer;
}

// (v - mean) scale / sqrt(variance + 1) + shift: v - 1 + 1, 3 (v - 2) - 1
TEST(ImportedBatchNormalization, FoldsIntoTheConvolutionBeforeIt) {
  EXPECT_EQ(imported(normalised(true)).layers.size(), 1U);
  expect_gives(normalised(true), {5, -6, 1, 2}, {5, 0, 0, 5});
}

TEST(ImportedBatchNormalization, IsAScaleForEachChannelElsewhere) {
  const auto graph = imported(normalised(false));
  ASSERT_EQ(graph.layers.size(), 1U);
  EXPECT_TRUE(graph.layers[0].depthwise());
  expect_gives(normalised(false), {5, -6, 1, 3}, {5, 0, 0, 2});
}

TEST(ImportedBatchNormalization, NeedsChannels) {
  OnnxWriter writer;
  writer.input("x", {0, 4}).output("y").reals("none", {0}, {});
  writer.node("ReduceMean", {"x"}, {"m"}).with("axes", std::vector<std::int64_t>{1}).with("keepdims", 0);
  writer.node("BatchNormalization", {"m", "none", "none", "none", "none"}, {"y"});
  expect_misuse([&] { imported(writer); }, {"(BatchNormalization)", "must have channels"});
}

TEST(ImportedBatchNormalization, DoesNotFoldIntoWhatSomethingElseReads) {
  OnnxWriter writer = normalised(true);
  writer.node("Add", {"h", "y"}, {"both"}).output("both");
  EXPECT_EQ(run_graph(imported(writer), {5, -6, 1, 2}), (std::vector<float>{5, 0, 0, 5, 10, -6, 2, 9}));
  auto training = normalised(true);
  training.graph().mutable_node(1)->add_attribute()->set_name("training_mode");
  training.graph().mutable_node(1)->mutable_attribute(1)->set_type(onnx::AttributeProto::INT);
  training.graph().mutable_node(1)->mutable_attribute(1)->set_i(1);
  expect_misuse([&] { imported(training); }, {"(BatchNormalization)", "model.eval()"});
}

}  // namespace
}  // namespace vaeguard::importers
