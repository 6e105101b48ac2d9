// Shapes, offsets and connections of layers against hand-worked cases and the defining equations.
#include "vaeguard/networks/layer_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "tests/networks/random_graph.h"
#include "vaeguard/base/error.h"
#include "vaeguard/networks/layer_maps.h"

namespace vaeguard::networks {
namespace {

using testing::HasSubstr;

LayerGraph graph_of(ImageShape input, Operation operation, const LayerOptions& options) {
  LayerGraph graph{.inputs = {input}};
  graph.add(operation, options);
  return graph;
}

/// Why a graph does not take a layer; it must be left as it was.
std::string refusal(LayerGraph graph, Operation operation, const LayerOptions& options) {
  const std::size_t layers = graph.layers.size();
  const std::size_t parameters = graph.parameters.size();
  try {
    graph.add(operation, options);
  } catch (const Misuse& error) {
    EXPECT_EQ(graph.layers.size(), layers);
    EXPECT_EQ(graph.parameters.size(), parameters);
    return error.what();
  }
  return "accepted";
}

std::vector<std::tuple<int, int, int>> triples(const Layer& layer) {
  std::vector<std::tuple<int, int, int>> result;
  for (const Connection& c : connections(layer)) {
    result.emplace_back(c.output, c.input, c.tap);
  }
  return result;
}

/// All (output, input, tap) that satisfy the equation in the header, found by trying every triple.
std::vector<std::tuple<int, int, int>> by_definition(const Layer& layer) {
  const bool transposed = layer.operation == Operation::transposed_convolution;
  std::vector<std::tuple<int, int, int>> result;
  for (int o = 0; o < layer.output.positions(); ++o) {
    for (int t = 0; t < layer.kernel * layer.kernel; ++t) {
      for (int i = 0; i < layer.input().positions(); ++i) {
        const auto meets = [&](std::int64_t out, std::int64_t in, int k) {
          const std::int64_t coarse = transposed ? in : out;
          const std::int64_t fine = transposed ? out : in;
          return fine == coarse * layer.stride - layer.padding + layer.dilation * k;
        };
        if (meets(o / layer.output.width, i / layer.input().width, t / layer.kernel) &&
            meets(o % layer.output.width, i % layer.input().width, t % layer.kernel)) {
          result.emplace_back(o, i, t);
        }
      }
    }
  }
  return result;
}

TEST(LayerGraph, ConvolutionShapesFollowTheUsualFormula) {
  const ImageShape image{1, 28, 27};
  const auto shape = [&](const LayerOptions& options) {
    return graph_of(image, Operation::convolution, options).output();
  };
  EXPECT_EQ(shape({.channels = 32, .kernel = 3, .stride = 2, .padding = 1}), (ImageShape{32, 14, 14}));
  EXPECT_EQ(shape({.channels = 5, .kernel = 4}), (ImageShape{5, 25, 24}));
  EXPECT_EQ(shape({.channels = 2, .kernel = 3, .dilation = 3}), (ImageShape{2, 22, 21}));
  EXPECT_EQ(shape({.channels = 2, .kernel = 1, .stride = 3, .padding = 2}), (ImageShape{2, 11, 11}));
}

TEST(LayerGraph, TransposedConvolutionShapesFollowTheUsualFormula) {
  const ImageShape image{64, 7, 3};
  const auto shape = [&](const LayerOptions& options) {
    return graph_of(image, Operation::transposed_convolution, options).output();
  };
  EXPECT_EQ(shape({.channels = 32, .kernel = 4, .stride = 2, .padding = 1}), (ImageShape{32, 14, 6}));
  EXPECT_EQ(shape({.channels = 96, .kernel = 3}), (ImageShape{96, 9, 5}));
  EXPECT_EQ(shape({.channels = 8, .kernel = 3, .dilation = 2}), (ImageShape{8, 11, 7}));
  EXPECT_EQ(shape({.channels = 8, .kernel = 1, .stride = 3}), (ImageShape{8, 19, 7}));
  EXPECT_EQ(shape({.channels = 8, .kernel = 3, .stride = 2, .padding = 1, .output_padding = 1}),
            (ImageShape{8, 14, 6}));
}

TEST(LayerGraph, LayersWithoutWeightsGiveTheirShapesAndTakeNoParameters) {
  const LayerGraph upsampled = graph_of({8, 3, 5}, Operation::upsampling, {.stride = 3});
  EXPECT_EQ(upsampled.output(), (ImageShape{8, 9, 15}));
  const LayerGraph shuffled = graph_of({8, 3, 5}, Operation::pixel_shuffle, {.stride = 2});
  EXPECT_EQ(shuffled.output(), (ImageShape{2, 6, 10}));
  const LayerGraph reshaped = graph_of({8, 3, 5}, Operation::reshape, {.shape = {120, 1, 1}});
  EXPECT_EQ(reshaped.output(), (ImageShape{120, 1, 1}));
  const LayerGraph added = graph_of({8, 3, 5}, Operation::addition, {.sources = {-1, 0}});
  EXPECT_EQ(added.output(), (ImageShape{8, 3, 5}));
  for (const LayerGraph& graph : {upsampled, shuffled, reshaped, added}) {
    EXPECT_FALSE(graph.layers[0].weighted());
    EXPECT_TRUE(graph.parameters.empty());
    EXPECT_TRUE(graph.weight(graph.layers[0]).empty());
    EXPECT_TRUE(graph.bias(graph.layers[0]).empty());
    EXPECT_EQ(multiply_adds(graph), 0);
  }
}

TEST(LayerGraph, ALayerReadsTheLastBoundaryUnlessItNamesAnother) {
  LayerGraph graph{.inputs = {{2, 5, 5}}};
  graph.add(Operation::convolution, {.channels = 3, .kernel = 3, .padding = 1})
      .add(Operation::convolution, {.channels = 3, .kernel = 3, .padding = 1})
      .add(Operation::addition, {.sources = {-1, 1}})
      .add(Operation::convolution, {.channels = 7, .sources = {0}});
  std::vector<std::vector<std::int64_t>> sources;
  for (const Layer& layer : graph.layers) {
    sources.push_back(layer.sources);
  }
  EXPECT_THAT(sources, testing::ElementsAre(testing::ElementsAre(0), testing::ElementsAre(1),
                                            testing::ElementsAre(2, 1), testing::ElementsAre(0)));
  EXPECT_EQ(graph.layers[3].input(), (ImageShape{2, 5, 5}));
  EXPECT_EQ(graph.boundary(0), graph.input());
  EXPECT_EQ(graph.boundary(3), (ImageShape{3, 5, 5}));
  EXPECT_EQ(graph.output(), (ImageShape{7, 5, 5}));
}

TEST(LayerGraph, WeightsOfGroupsHoldTheChannelsOfTheirOwnGroup) {
  // 6 -> 4 channels in two groups: output 3 belongs to the second, whose inputs are 3, 4, 5.
  const LayerOptions options{.channels = 4, .kernel = 2, .groups = 2};
  const LayerGraph plain = graph_of({6, 4, 4}, Operation::convolution, options);
  const LayerGraph transposed = graph_of({6, 4, 4}, Operation::transposed_convolution, options);
  EXPECT_EQ(plain.layers[0].weight_count(), 4 * 3 * 4);
  EXPECT_EQ(transposed.layers[0].weight_count(), 6 * 2 * 4);
  EXPECT_EQ(plain.layers[0].weight_index(3, 4, 1), (3 * 3 + 1) * 4 + 1);
  EXPECT_EQ(transposed.layers[0].weight_index(3, 4, 1), (4 * 2 + 1) * 4 + 1);
  EXPECT_EQ(multiply_adds(plain), 3 * 3 * 4 * 4 * 3);
}

TEST(LayerGraph, ParametersLieWeightThenBiasLayerAfterLayer) {
  LayerGraph graph{.inputs = {{2, 5, 5}}};
  graph.add(Operation::convolution, {.channels = 3, .kernel = 2})
      .add(Operation::transposed_convolution, {.channels = 4, .kernel = 3});
  EXPECT_EQ(graph.layers[0].weight_offset, 0);
  EXPECT_EQ(graph.layers[0].bias_offset, 24);
  EXPECT_EQ(graph.layers[1].weight_offset, 27);
  EXPECT_EQ(graph.layers[1].bias_offset, 27 + 108);
  EXPECT_EQ(graph.parameters.size(), 27U + 108U + 4U);
  graph.bias(graph.layers[1])[3] = 7.0F;
  EXPECT_EQ(graph.parameters.back(), 7.0F);
  EXPECT_EQ(graph.weight(graph.layers[1]).data(), graph.parameters.data() + 27);
}

TEST(LayerGraph, WeightOrderIsOutputInputTapAndForTransposedInputOutputTap) {
  const LayerOptions options{.channels = 5, .kernel = 2};
  const LayerGraph plain = graph_of({3, 4, 4}, Operation::convolution, options);
  const LayerGraph transposed = graph_of({3, 4, 4}, Operation::transposed_convolution, options);
  EXPECT_EQ(plain.layers[0].weight_index(4, 1, 3), (4 * 3 + 1) * 4 + 3);
  EXPECT_EQ(transposed.layers[0].weight_index(4, 1, 3), (1 * 5 + 4) * 4 + 3);
}

TEST(LayerGraph, ConnectionsOfAConvolutionWithStrideAndPaddingByHand) {
  // Extent 3, kernel 2, stride 2, padding 1 -> extent 2: output 0 reads -1, 0 and output 1 reads 1, 2.
  const LayerGraph graph =
      graph_of({1, 3, 3}, Operation::convolution, {.channels = 1, .kernel = 2, .stride = 2, .padding = 1});
  ASSERT_EQ(graph.output(), (ImageShape{1, 2, 2}));
  const std::vector<std::tuple<int, int, int>> expected{{0, 0, 3}, {1, 1, 2}, {1, 2, 3}, {2, 3, 1}, {2, 6, 3},
                                                        {3, 4, 0}, {3, 5, 1}, {3, 7, 2}, {3, 8, 3}};
  EXPECT_EQ(triples(graph.layers[0]), expected);
  EXPECT_EQ(multiply_adds(graph), 9);
}

TEST(LayerGraph, ConnectionsOfATransposedConvolutionWithDilationByHand) {
  // One point, kernel 2, dilation 2 -> extent 3: it writes 0 and 2 of each side; the cross between stays unreached.
  const LayerGraph graph =
      graph_of({6, 1, 1}, Operation::transposed_convolution, {.channels = 5, .kernel = 2, .dilation = 2});
  ASSERT_EQ(graph.output(), (ImageShape{5, 3, 3}));
  const std::vector<std::tuple<int, int, int>> expected{{0, 0, 0}, {2, 0, 1}, {6, 0, 2}, {8, 0, 3}};
  EXPECT_EQ(triples(graph.layers[0]), expected);
  EXPECT_EQ(multiply_adds(graph), 4 * 6 * 5);
}

TEST(LayerGraph, ConnectionsOfATransposedConvolutionWithStrideAndPaddingByHand) {
  // Extent 2 x 1, kernel 3, stride 2, padding 1 -> extent 3 x 1: input i writes 2 i - 1 .. 2 i + 1 where it exists.
  const LayerGraph graph =
      graph_of({1, 2, 1}, Operation::transposed_convolution, {.channels = 1, .kernel = 3, .stride = 2, .padding = 1});
  ASSERT_EQ(graph.output(), (ImageShape{1, 3, 1}));
  const std::vector<std::tuple<int, int, int>> expected{{0, 0, 4}, {1, 1, 1}, {1, 0, 7}, {2, 1, 4}};
  EXPECT_EQ(triples(graph.layers[0]), expected);
}

TEST(LayerGraph, ConnectionsOfRandomLayersSatisfyTheirEquationInTheStatedOrder) {
  for (std::uint64_t g = 0; g < 40; ++g) {
    for (const Layer& layer : random_graph(Key(g)).layers) {
      if (layer.weighted()) {
        EXPECT_EQ(triples(layer), by_definition(layer)) << describe(layer);
      }
    }
  }
}

TEST(LayerGraph, LayersThatLeaveNoOutputAreRefusedByName) {
  LayerGraph graph{.inputs = {{1, 3, 3}}};
  try {
    graph.add(Operation::convolution, {.channels = 2, .kernel = 5});
    FAIL() << "no error";
  } catch (const Misuse& error) {
    EXPECT_THAT(error.what(), HasSubstr("[networks.layer_graph] no output remains: convolution 1x3x3"));
  }
  EXPECT_THROW(graph.add(Operation::transposed_convolution, {.channels = 2, .kernel = 1, .padding = 2}), Misuse);
  EXPECT_TRUE(graph.layers.empty());
  EXPECT_TRUE(graph.parameters.empty());
}

TEST(LayerGraph, OptionsThatMakeNoSenseAreRefused) {
  LayerGraph graph{.inputs = {{1, 3, 3}}};
  for (const LayerOptions& options :
       {LayerOptions{}, LayerOptions{.channels = 1, .kernel = 0}, LayerOptions{.channels = 1, .stride = 0},
        LayerOptions{.channels = 1, .padding = -1}, LayerOptions{.channels = 1, .dilation = 0}}) {
    EXPECT_THROW(graph.add(Operation::convolution, options), Misuse);
  }
}

TEST(LayerGraph, EachRefusalNamesWhatIsExpectedAndFound) {
  LayerGraph graph{.inputs = {{6, 4, 4}}};
  graph.add(Operation::convolution, {.channels = 6, .kernel = 2});
  constexpr auto kPlain = Operation::convolution;
  constexpr auto kTransposed = Operation::transposed_convolution;
  EXPECT_THAT(refusal(graph, kPlain, {.channels = 4, .groups = 4}),
              HasSubstr("groups must divide the channels of input and output, 6 and 4; got 4"));
  EXPECT_THAT(refusal(graph, kPlain, {.channels = 4, .groups = 3}), HasSubstr("6 and 4; got 3"));
  EXPECT_THAT(refusal(graph, kPlain, {.channels = 4, .groups = 0}), HasSubstr("got 0"));
  EXPECT_THAT(refusal(graph, kPlain, {.channels = 4, .stride = 2, .output_padding = 1}),
              HasSubstr("output_padding must be 0, or less than the stride of a transposed convolution; got 1"));
  EXPECT_THAT(refusal(graph, kTransposed, {.channels = 4, .stride = 2, .output_padding = 2}), HasSubstr("got 2"));
  EXPECT_THAT(refusal(graph, kTransposed, {.channels = 4, .stride = 2, .output_padding = -1}), HasSubstr("got -1"));
  EXPECT_THAT(
      refusal(graph, Operation::addition, {.sources = {-1, 0}}),
      HasSubstr("an addition needs two equal shapes, or one of a single position and as many channels; boundaries 1 "
                "and 0 differ"));
  EXPECT_THAT(refusal(graph, Operation::addition, {.sources = {-1, 2}}),
              HasSubstr("sources must be boundaries 0 to 1, or -1 for the last, got 2"));
  EXPECT_THAT(refusal(graph, kPlain, {.channels = 4, .sources = {2}}), HasSubstr("got 2"));
  EXPECT_THAT(refusal(graph, kPlain, {.channels = 4, .sources = {-2}}), HasSubstr("got -2"));
  EXPECT_THAT(refusal(graph, Operation::pixel_shuffle, {.stride = 2}),
              HasSubstr("a pixel shuffle by 2 needs a multiple of 4 channels, got 6"));
  EXPECT_THAT(refusal(graph, Operation::upsampling, {.stride = 0}), HasSubstr("stride must be positive, got 0"));
  EXPECT_THAT(refusal(graph, Operation::reshape, {.shape = {5, 5, 2}}),
              HasSubstr("a reshape keeps the number of values, 54 became 50"));
  EXPECT_THAT(refusal(graph, Operation::reshape, {.shape = {-6, -3, 3}}), HasSubstr("no output remains"));
  EXPECT_THAT(refusal(graph, kPlain, {.channels = 4, .activation = Activation::elu, .slope = -0.1}),
              HasSubstr("slope must be finite and not negative, got -0.1"));
  EXPECT_THAT(refusal(graph, kPlain, {.channels = 4, .slope = std::nan("")}), HasSubstr("got nan"));
}

TEST(LayerGraph, DescriptionNamesEverything) {
  LayerGraph graph = graph_of({1, 28, 28}, Operation::convolution,
                              {.channels = 32, .kernel = 3, .stride = 2, .padding = 1, .activation = Activation::relu});
  graph
      .add(Operation::transposed_convolution, {.channels = 16,
                                               .kernel = 3,
                                               .stride = 2,
                                               .padding = 1,
                                               .output_padding = 1,
                                               .groups = 16,
                                               .activation = Activation::leaky_relu,
                                               .slope = 0.1})
      .add(Operation::pixel_shuffle, {.stride = 2, .activation = Activation::silu})
      .add(Operation::reshape, {.shape = {56, 56, 4}})
      .add(Operation::addition, {.sources = {-1, 4}});
  const std::vector<std::string> expected{
      "convolution 1x28x28 -> 32x14x14, kernel 3, stride 2, padding 1, dilation 1, relu",
      "transposed convolution 32x14x14 -> 16x28x28, kernel 3, stride 2, padding 1, dilation 1, output padding 1, "
      "16 groups, leaky_relu",
      "pixel shuffle 16x28x28 -> 4x56x56, silu", "reshape 4x56x56 -> 56x56x4", "addition 56x56x4, 56x56x4 -> 56x56x4"};
  for (std::size_t l = 0; l < expected.size(); ++l) {
    EXPECT_EQ(describe(graph.layers[l]), expected[l]);
  }
}

TEST(LayerGraph, NamesAreThoseOfCheckpoints) {
  EXPECT_EQ(name(Operation::transposed_convolution), "transposed_convolution");
  EXPECT_EQ(name(Operation::pixel_shuffle), "pixel_shuffle");
  EXPECT_EQ(name(Operation::reshape), "reshape");
  EXPECT_EQ(name(Activation::none), "none");
  EXPECT_EQ(name(Activation::sigmoid), "sigmoid");
}

}  // namespace
}  // namespace vaeguard::networks
