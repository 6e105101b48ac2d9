// Functions of one value, where they go, and softmax.
#include <cmath>

#include "tests/expect_misuse.h"
#include "tests/importers/run_graph.h"
#include "vaeguard/networks/activation.h"

namespace vaeguard::importers {
namespace {

OnnxWriter of_one(const std::string& operation, std::int64_t opset = 13) {
  OnnxWriter writer(opset);
  writer.input("x", {0, 3}).output("y").node(operation, {"x"}, {"y"});
  return writer;
}

const std::vector<float> kInputs{-2, 0.5F, 3};

std::vector<float> each(double (*function)(double)) {
  std::vector<float> result;
  for (const float x : kInputs) {
    result.push_back(static_cast<float>(function(x)));
  }
  return result;
}

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

TEST(ImportedActivations, AreWhatOnnxSays) {
  expect_gives(of_one("Relu"), kInputs, {0, 0.5F, 3});
  expect_gives(of_one("LeakyRelu"), kInputs, {-0.02F, 0.5F, 3});
  expect_gives(of_one("LeakyRelu").with("alpha", 0.25F), kInputs, {-0.5F, 0.5F, 3});
  expect_gives(of_one("Elu"), kInputs, {static_cast<float>(std::expm1(-2.0)), 0.5F, 3});
  expect_gives(of_one("Elu").with("alpha", 2.0F), kInputs, {static_cast<float>(2 * std::expm1(-2.0)), 0.5F, 3});
  expect_gives(of_one("Sigmoid"), kInputs, each(sigmoid));
  expect_gives(of_one("Tanh"), kInputs, each([](double x) { return std::tanh(x); }));
  expect_gives(of_one("Softplus"), kInputs, each([](double x) { return std::log1p(std::exp(x)); }));
  expect_gives(of_one("Exp"), kInputs, each([](double x) { return std::exp(x); }));
  expect_gives(of_one("HardSigmoid"), kInputs, {0.1F, 0.6F, 1});
  expect_gives(of_one("HardSwish", 14), kInputs, {-2.0F / 6, 0.5F * 3.5F / 6, 3});
  expect_gives(of_one("Neg"), kInputs, {2, -0.5F, -3});
}

TEST(ImportedActivations, ThatChangeNothingAddNothing) {
  for (const char* operation : {"Identity", "Dropout"}) {
    OnnxWriter writer = of_one(operation);
    writer.node("Relu", {"y"}, {"z"});
    writer.graph().mutable_output(0)->set_name("z");
    EXPECT_EQ(imported(writer).layers.size(), 1U);
    expect_gives(writer, kInputs, {0, 0.5F, 3});
  }
  expect_gives(of_one("Cast").with("to", 1), kInputs, kInputs);
  expect_misuse([] { imported(of_one("Cast").with("to", 7)); }, {"(Cast)", "stay real numbers", "type 7"});
  // Nothing at all is a network too.
  expect_gives(of_one("Identity"), kInputs, kInputs);
}

TEST(ImportedActivations, WithConstantsThatLayersDoNotHaveAreRefused) {
  for (const char* operation : {"LeakyRelu", "Elu"}) {
    for (const float alpha : {-1.0F, NAN}) {
      expect_misuse([&] { imported(of_one(operation).with("alpha", alpha)); }, {operation, "alpha must be finite"});
    }
  }
}

TEST(ImportedActivations, OfTrainingAreRefused) {
  OnnxWriter writer;
  writer.input("x", {0, 3}).output("y").reals("ratio", {1}, {0.5F}).reals("training", {1}, {1});
  writer.node("Dropout", {"x", "ratio", "training"}, {"y"});
  expect_misuse([&] { imported(writer); }, {"(Dropout)", "model.eval()"});
}

TEST(ImportedClip, HasItsBoundsInAttributesOrInputsOrNone) {
  expect_gives(of_one("Clip", 9).with("min", -1.0F).with("max", 1.0F), kInputs, {-1, 0.5F, 1});
  OnnxWriter writer;
  writer.input("x", {0, 3}).output("y").reals("low", {}, {0}).reals("high", {}, {6});
  writer.node("Clip", {"x", "low", "high"}, {"y"});
  expect_gives(writer, {-2, 5, 8}, {0, 5, 6});
  OnnxWriter above;
  above.input("x", {0, 3}).output("y").reals("high", {}, {2}).node("Clip", {"x", "", "high"}, {"y"});
  expect_gives(above, kInputs, {-2, 0.5F, 2});
  expect_gives(of_one("Clip", 9).with("min", 0.0F).with("max", INFINITY), kInputs, {0, 0.5F, 3});
  expect_misuse([] { imported(of_one("Clip", 9).with("min", 2.0F).with("max", 1.0F)); }, {"(Clip)", "got 2 and 1"});
  expect_misuse([] { imported(of_one("Clip", 9).with("min", NAN)); }, {"(Clip)", "min must not be above max"});
}

TEST(ImportedSilu, IsRecognisedAsAProductWithTheSigmoid) {
  for (const bool first : {false, true}) {
    OnnxWriter writer;
    writer.input("x", {0, 3}).output("y").node("Sigmoid", {"x"}, {"s"});
    writer.node("Mul", first ? std::vector<std::string>{"s", "x"} : std::vector<std::string>{"x", "s"}, {"y"});
    const auto graph = imported(writer);
    ASSERT_EQ(graph.layers.size(), 1U);
    EXPECT_EQ(graph.layers[0].activation, networks::Activation::silu);
    expect_gives(writer, kInputs, each([](double x) { return x * sigmoid(x); }));
  }
}

TEST(ImportedSilu, LeavesASigmoidThatIsReadElsewhere) {
  OnnxWriter writer;
  writer.input("x", {0, 3}).output("y").output("s").node("Sigmoid", {"x"}, {"s"}).node("Mul", {"x", "s"}, {"y"});
  std::vector<float> both = each([](double x) { return x * sigmoid(x); });
  const std::vector<float> gate = each(sigmoid);
  both.insert(both.end(), gate.begin(), gate.end());
  expect_gives(writer, kInputs, both);
}

TEST(ImportedActivations, GoIntoTheLayerBeforeThemUnlessItIsReadElsewhere) {
  OnnxWriter writer;
  writer.input("x", {0, 3}).output("y").reals("two", {1}, {2}).node("Mul", {"x", "two"}, {"h"});
  writer.node("Relu", {"h"}, {"y"});
  EXPECT_EQ(imported(writer).layers.size(), 1U);
  writer.node("Add", {"h", "y"}, {"z"});
  writer.graph().mutable_output(0)->set_name("z");
  EXPECT_EQ(imported(writer).layers.size(), 3U);
  expect_gives(writer, kInputs, {-4, 2, 12});
}

// Names of one value count together: y is h under another name.
TEST(ImportedActivations, SeeThroughNamesOfTheSameValue) {
  OnnxWriter writer;
  writer.input("x", {0, 3}).output("z").reals("two", {1}, {2}).node("Mul", {"x", "two"}, {"h"});
  writer.node("Identity", {"h"}, {"y"}).node("Relu", {"y"}, {"r"}).node("Add", {"h", "r"}, {"z"});
  expect_gives(writer, kInputs, {-4, 2, 12});
}

TEST(ImportedSoftmax, IsOverOneAxisSinceVersion13AndOverAllFromOneOnBefore) {
  const auto softmax = [](std::int64_t opset, std::int64_t axis) {
    OnnxWriter writer(opset);
    writer.input("x", {0, 2, 2}).output("y").node("Softmax", {"x"}, {"y"}).with("axis", axis);
    return writer;
  };
  const float one = std::log(1.0F);
  const float two = std::log(2.0F);
  const float three = std::log(3.0F);
  const std::vector<float> inputs{one, three, two, two};
  expect_gives(softmax(13, -1), inputs, {0.25F, 0.75F, 0.5F, 0.5F});
  expect_gives(softmax(13, 1), inputs, {1.0F / 3, 0.6F, 2.0F / 3, 0.4F});
  expect_gives(softmax(11, 1), inputs, {0.125F, 0.375F, 0.25F, 0.25F});
  expect_misuse([&] { imported(softmax(13, 0)); }, {"(Softmax)", "along the batch"});
}

}  // namespace
}  // namespace vaeguard::importers
