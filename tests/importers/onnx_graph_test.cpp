// Reading ONNX files: what is found in them, and one clear error for each kind of damage.
#include "vaeguard/importers/onnx_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/expect_misuse.h"
#include "tests/importers/onnx_writer.h"
#include "tests/temporary_folder.h"
#include "vaeguard/importers/onnx_import.h"

namespace vaeguard::importers {
namespace {

OnnxWriter small_model() {
  OnnxWriter writer;
  writer.input("x", {0, 2}).output("y").output("z").reals("w", {2, 2}, {1, 2, 3, 4});
  writer.node("Gemm", {"x", "w"}, {"h"}).with("transB", 1).with("alpha", 0.5F);
  writer.node("Relu", {"h"}, {"y"}).node("Neg", {"x"}, {"z"});
  return writer;
}

OnnxGraph parsed(const OnnxWriter& writer) { return parse_onnx(writer.bytes(), "model.onnx"); }

TEST(OnnxGraph, HoldsNodesConstantsInputsAndOutputs) {
  const OnnxGraph graph = parsed(small_model());
  EXPECT_EQ(graph.opset, 13);
  ASSERT_EQ(graph.nodes.size(), 3U);
  EXPECT_EQ(graph.nodes[0].operation, "Gemm");
  EXPECT_EQ(graph.nodes[0].name, "the_Gemm");
  EXPECT_THAT(graph.nodes[0].inputs, testing::ElementsAre("x", "w"));
  EXPECT_EQ(std::get<std::int64_t>(graph.nodes[0].attributes.at("transB")), 1);
  EXPECT_EQ(std::get<float>(graph.nodes[0].attributes.at("alpha")), 0.5F);
  EXPECT_EQ(graph.initialisers.at("w"), Tensor::of({2, 2}, std::vector<float>{1, 2, 3, 4}));
  ASSERT_EQ(graph.inputs.size(), 1U);
  EXPECT_EQ(graph.inputs[0].shape, (Extents{0, 2}));
  EXPECT_EQ(graph.outputs.size(), 2U);
}

TEST(OnnxGraph, IsCutToWhatChosenOutputsNeed) {
  const OnnxGraph cut = needed_for(parsed(small_model()), {"z"});
  ASSERT_EQ(cut.nodes.size(), 1U);
  EXPECT_EQ(cut.nodes[0].operation, "Neg");
  EXPECT_TRUE(cut.initialisers.empty());
  expect_misuse([] { needed_for(parsed(small_model()), {"yy"}); }, {"model.onnx", "'yy'", "did you mean 'y'"});
}

// h, which the file does not declare as an output; what comes after it may be anything.
TEST(OnnxGraph, IsCutAtAnyValueThatANodeComputes) {
  OnnxWriter writer = small_model();
  writer.node("Loop", {"h"}, {"drawn"}).output("drawn");
  const OnnxGraph cut = needed_for(parsed(writer), {"h"});
  ASSERT_EQ(cut.nodes.size(), 1U);
  EXPECT_EQ(cut.nodes[0].operation, "Gemm");
  ASSERT_EQ(cut.outputs.size(), 1U);
  EXPECT_EQ(cut.outputs[0].name, "h");
  EXPECT_EQ(import_network(cut).graph.layers.size(), 1U);
  expect_misuse([&] { import_network(parsed(writer)); }, {"the_Loop", "cannot be imported"});
  for (const char* name : {"", "x", "w"}) {  // computed by no node
    expect_misuse([&] { needed_for(parsed(writer), {name}); }, {"unknown output"});
  }
}

TEST(OnnxGraph, ReadsEveryKindOfNumber) {
  OnnxWriter writer = small_model();
  const auto add = [&](const char* name, auto type) -> onnx::TensorProto& {
    auto& tensor = *writer.graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(type);
    tensor.add_dims(2);
    return tensor;
  };
  const double doubles[]{0.5, -2};
  add("doubles", onnx::TensorProto::DOUBLE).set_raw_data(doubles, sizeof(doubles));
  const std::uint16_t halves[]{0x3c00, 0xc100};  // 1, -2.5
  add("halves", onnx::TensorProto::FLOAT16).set_raw_data(halves, sizeof(halves));
  auto& whole = add("whole", onnx::TensorProto::INT32);
  whole.add_int32_data(-3);
  whole.add_int32_data(4);
  const std::uint8_t bytes[]{0, 255};
  add("bytes", onnx::TensorProto::UINT8).set_raw_data(bytes, sizeof(bytes));
  const std::int16_t small[]{-1, 300};
  add("small", onnx::TensorProto::INT16).set_raw_data(small, sizeof(small));
  const OnnxGraph graph = parsed(writer);
  EXPECT_EQ(graph.initialisers.at("bytes"), Tensor::of({2}, Extents{0, 255}));
  EXPECT_EQ(graph.initialisers.at("small"), Tensor::of({2}, Extents{-1, 300}));
  EXPECT_EQ(graph.initialisers.at("doubles"), Tensor::of({2}, std::vector<float>{0.5F, -2}));
  EXPECT_EQ(graph.initialisers.at("halves"), Tensor::of({2}, std::vector<float>{1, -2.5F}));
  EXPECT_EQ(graph.initialisers.at("whole"), Tensor::of({2}, Extents{-3, 4}));
}

// Files that exporters write for large models.
TEST(OnnxGraph, ReadsTensorsOfOtherFilesBesideItAndOfNoOthers) {
  const TemporaryFolder folder;
  const float values[]{9, 1, 2, 3, 4};
  std::ofstream(folder.path() / "weights.bin", std::ios::binary)
      .write(reinterpret_cast<const char*>(values), sizeof(values));
  OnnxWriter writer = small_model();
  auto& tensor = *writer.graph().mutable_initializer(0);
  tensor.clear_float_data();
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto entry = [&](const char* key, const char* value) {
    auto& added = *tensor.add_external_data();
    added.set_key(key);
    added.set_value(value);
    return &added;
  };
  auto* location = entry("location", "weights.bin");
  auto* offset = entry("offset", "4");
  entry("length", "16");
  writer.save(folder.path() / "model.onnx");
  EXPECT_EQ(read_onnx(folder.path() / "model.onnx").initialisers.at("w"),
            Tensor::of({2, 2}, std::vector<float>{1, 2, 3, 4}));
  expect_misuse([&] { parsed(writer); }, {"tensor 'w'", "weights.bin"});
  offset->set_value("8");
  writer.save(folder.path() / "model.onnx");
  expect_misuse([&] { read_onnx(folder.path() / "model.onnx"); }, {"must have 16 bytes from 8 on, it ends after 20"});
  location->set_value("../weights.bin");
  writer.save(folder.path() / "model.onnx");
  expect_misuse([&] { read_onnx(folder.path() / "model.onnx"); }, {"one beside it", "../weights.bin"});
}

TEST(DamagedOnnxFiles, OfAnyLengthAreRefusedOrRead) {
  const std::string whole = small_model().bytes();
  int refused = 0;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    try {
      static_cast<void>(import_network(parse_onnx(whole.substr(0, length), "cut.onnx")));
    } catch (const Misuse& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("cut.onnx"));
      ++refused;
    }
  }
  EXPECT_GT(refused, static_cast<int>(whole.size()) / 2);
}

TEST(DamagedOnnxFiles, WithAnyByteChangedAreRefusedOrRead) {
  const std::string whole = small_model().bytes();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char flip : {'\x01', '\x08', '\x80', '\xff'}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      try {
        static_cast<void>(import_network(parse_onnx(changed, "changed.onnx")));
      } catch (const Misuse& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("changed.onnx"));
      }
    }
  }
}

TEST(DamagedOnnxFiles, SayWhatWasExpectedAndFound) {
  expect_misuse([] { parse_onnx("not a model", "text.onnx"); }, {"[text.onnx]", "expected an ONNX model"});
  expect_misuse([] { parse_onnx("", "empty.onnx"); }, {"[empty.onnx]", "expected an ONNX model", "found none"});
  expect_misuse([] { read_onnx("/nonexistent.onnx"); }, {"/nonexistent.onnx"});
  const auto refused = [](auto change, const std::vector<std::string>& parts) {
    OnnxWriter writer = small_model();
    change(writer);
    expect_misuse([&] { parsed(writer); }, parts);
  };
  refused([](OnnxWriter& w) { w.model().mutable_opset_import(0)->set_version(99); }, {"from 7 to 22, found 99"});
  refused([](OnnxWriter& w) { w.model().clear_opset_import(); }, {"opset_import"});
  refused([](OnnxWriter& w) { w.graph().mutable_node(0)->set_domain("com.microsoft"); },
          {"model.onnx, node 'the_Gemm' (Gemm)", "com.microsoft"});
  refused([](OnnxWriter& w) { w.graph().mutable_node(1)->set_input(0, "later"); },
          {"node 'the_Relu' (Relu)", "it reads 'later', which nothing before it computes"});
  refused([](OnnxWriter& w) { w.graph().mutable_node(1)->set_output(0, "h"); },
          {"it computes 'h', which is there already"});
  refused([](OnnxWriter& w) { w.graph().mutable_initializer(0)->add_float_data(5); },
          {"tensor 'w'", "expected 4 values for the shape [2, 2], found 5"});
  refused([](OnnxWriter& w) { w.graph().mutable_initializer(0)->set_raw_data("abc"); },
          {"expected 16 bytes", "found 3"});
  refused([](OnnxWriter& w) { w.graph().mutable_initializer(0)->set_float_data(0, NAN); },
          {"must be finite, found nan"});
  refused([](OnnxWriter& w) { w.graph().mutable_initializer(0)->set_data_type(onnx::TensorProto::STRING); },
          {"tensor 'w'", "found type 8"});
  refused([](OnnxWriter& w) { w.graph().mutable_initializer(0)->set_dims(0, -2); }, {"tensor 'w'", "[-2, 2]"});
  refused(
      [](OnnxWriter& w) {
        w.node("If", {"x"}, {"v"}).graph().mutable_node(3)->add_attribute()->set_type(onnx::AttributeProto::GRAPH);
      },
      {"(If)", "loops and branches"});
}

}  // namespace
}  // namespace vaeguard::importers
