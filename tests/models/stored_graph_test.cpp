// Layer graphs in files: every operation, several inputs and outputs, and files of older programs.
#include "vaeguard/models/stored_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/networks/random_graph.h"
#include "vaeguard/base/error.h"
#include "vaeguard/networks/operations.h"

namespace vaeguard::models {
namespace {

using networks::LayerGraph;
using networks::Operation;
using testing::HasSubstr;

LayerGraph reloaded(const LayerGraph& graph) {
  Safetensors file;
  store_graph(graph, "g", file);
  return load_graph(parse_safetensors(serialise_safetensors(file), "memory"), "g", "memory");
}

std::string refusal(const std::string& text) {
  Safetensors file;
  file.metadata["g"] = text;
  try {
    (void)load_graph(file, "g", "memory");
  } catch (const Misuse& error) {
    return error.what();
  }
  return "accepted";
}

TEST(StoredGraph, ComesBackWithEveryOptionOfEveryOperation) {
  std::set<Operation> seen;
  for (std::uint64_t g = 0; g < 240; ++g) {
    const LayerGraph saved = networks::random_graph(Key(6000 + g));
    const LayerGraph loaded = reloaded(saved);
    EXPECT_EQ(loaded.inputs, saved.inputs);
    EXPECT_EQ(loaded.outputs, saved.outputs);
    EXPECT_EQ(loaded.parameters, saved.parameters);
    ASSERT_EQ(loaded.layers.size(), saved.layers.size());
    for (std::size_t l = 0; l < saved.layers.size(); ++l) {
      EXPECT_EQ(loaded.layers[l].operation, saved.layers[l].operation);
      EXPECT_EQ(static_cast<const networks::LayerOptions&>(loaded.layers[l]), saved.layers[l]) << trace_of(saved);
      EXPECT_EQ(loaded.layers[l].output, saved.layers[l].output);
      seen.insert(saved.layers[l].operation);
    }
  }
  EXPECT_EQ(seen.size(), networks::operations().size());
}

TEST(StoredGraph, AChainOfOneInputIsDescribedAsItAlwaysWas) {
  LayerGraph graph{.inputs = {{1, 4, 4}}};
  graph.add(Operation::convolution,
            {.channels = 2, .kernel = 3, .stride = 2, .padding = 1, .activation = networks::Activation::relu});
  Safetensors file;
  store_graph(graph, "g", file);
  EXPECT_EQ(file.metadata.at("g"),
            R"({"input":[1,4,4],"layers":[{"activation":"relu","channels":2,"dilation":1,"kernel":3,)"
            R"("operation":"convolution","padding":1,"stride":2}]})");
}

TEST(StoredGraph, AnAdditionOfAnOlderFileNamesItsOtherSource) {
  Safetensors file;
  file.metadata["g"] = R"({"input":[2,3,3],"layers":[
      {"operation":"upsampling","activation":"none","stride":1},
      {"operation":"upsampling","activation":"relu","stride":1},
      {"operation":"addition","activation":"none","other":0},
      {"operation":"addition","activation":"none","source":1,"other":2}]})";
  const LayerGraph graph = load_graph(file, "g", "memory");
  EXPECT_THAT(graph.layers[2].sources, testing::ElementsAre(2, 0));
  EXPECT_THAT(graph.layers[3].sources, testing::ElementsAre(1, 2));
}

TEST(StoredGraph, EndsThatMakeNoSenseAreRefused) {
  const std::string layers = R"("layers":[{"operation":"softmax","activation":"none"}])";
  EXPECT_EQ(refusal(R"({"inputs":[[2,1,1],[3,1,1]],"outputs":[0,2],)" + layers + "}"), "accepted");
  EXPECT_THAT(refusal("{" + layers + "}"), HasSubstr("with 'input' or 'inputs', and 'layers'"));
  EXPECT_THAT(refusal(R"({"input":[2,1,1],"inputs":[[2,1,1]],)" + layers + "}"), HasSubstr("'input' or 'inputs'"));
  EXPECT_THAT(refusal(R"({"inputs":[],)" + layers + "}"), HasSubstr("'inputs' must be a list of shapes, found []"));
  EXPECT_THAT(refusal(R"({"inputs":[[2,1]],)" + layers + "}"), HasSubstr("'inputs' must be 3 integers, found [2,1]"));
  EXPECT_THAT(refusal(R"({"input":[2,1,1],"outputs":[2],)" + layers + "}"),
              HasSubstr("'outputs' must be an integer in 0 .. 1, found 2"));
  EXPECT_THAT(refusal(R"({"input":[2,1,1],"output":[1],)" + layers + "}"), HasSubstr("unknown field of g 'output'"));
}

TEST(StoredGraph, FieldsOfNewOperationsAreChecked) {
  const auto with = [](const std::string& layer) { return refusal(R"({"input":[4,3,3],"layers":[{)" + layer + "}]}"); };
  EXPECT_THAT(with(R"("operation":"slice","activation":"none","channels":2)"),
              HasSubstr("g.0: 'first' must be an integer in 0 .. 16777216, found nothing"));
  EXPECT_THAT(with(R"("operation":"slice","activation":"none","channels":2,"first":3)"),
              HasSubstr("a slice must lie within 4 channels, got 2 from channel 3 on"));
  EXPECT_THAT(with(R"("operation":"padding","activation":"none","margins":[1,2,3])"),
              HasSubstr("'margins' must be 4 integers, found [1,2,3]"));
  EXPECT_THAT(with(R"("operation":"padding","activation":"none","margins":[-2,-1,0,0])"),
              HasSubstr("no output remains: padding 4x3x3 -> 4x0x3"));
  EXPECT_THAT(with(R"("operation":"transposition","activation":"none","axes":[0,0,2])"),
              HasSubstr("axes must be 0, 1 and 2 in some order, got 0, 0, 2"));
  EXPECT_THAT(with(R"("operation":"bilinear_resize","activation":"none","shape":[4,6,6],"align_corners":1)"),
              HasSubstr("'align_corners' must be true or false, found 1"));
  EXPECT_THAT(with(R"("operation":"mean","activation":"none","stride":1)"), HasSubstr("unknown field of g.0 'stride'"));
  EXPECT_THAT(with(R"("operation":"mean","activation":"clamp","low":2,"high":1)"),
              HasSubstr("low and high must be finite, low not above high, got 2 and 1"));
  EXPECT_THAT(with(R"("operation":"concatenation","activation":"none","sources":[])"),
              HasSubstr("'sources' must name at least one boundary"));
}

}  // namespace
}  // namespace vaeguard::models
