// What layers do to values: activations and their derivatives, moves, and batch normalisation folded into weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "tests/networks/random_graph.h"
#include "vaeguard/networks/activation.h"
#include "vaeguard/networks/layer_maps.h"
#include "vaeguard/networks/reference/reference_network.h"

namespace vaeguard::networks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Layer layer_of(ImageShape input, Operation operation, const LayerOptions& options) {
  LayerGraph graph{.inputs = {input}};
  graph.add(operation, options);
  return graph.layers[0];
}

TEST(LayerValues, MovesByHand) {
  // Nearest: each value fills a 2 x 2 block.
  EXPECT_THAT(moves(layer_of({1, 2, 2}, Operation::upsampling, {.stride = 2})),
              ElementsAre(0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3));
  // Channel a * 2 + b gives row 2 y + a, column 2 x + b; four channels make one.
  EXPECT_THAT(moves(layer_of({8, 1, 1}, Operation::pixel_shuffle, {.stride = 2})), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(moves(layer_of({4, 1, 2}, Operation::pixel_shuffle, {.stride = 2})), ElementsAre(0, 2, 1, 3, 4, 6, 5, 7));
  EXPECT_THAT(moves(layer_of({2, 1, 2}, Operation::reshape, {.shape = {1, 4, 1}})), ElementsAre(0, 1, 2, 3));
}

TEST(LayerValues, ActivationsByHand) {
  const auto at = [](Activation activation, double x) {
    return activate({.activation = activation, .slope = 0.25, .low = -1.0, .high = 2.0}, x);
  };
  EXPECT_EQ(at(Activation::none, -3.0), -3.0);
  EXPECT_EQ(at(Activation::relu, -3.0), 0.0);
  EXPECT_EQ(at(Activation::leaky_relu, -3.0), -0.75);
  EXPECT_DOUBLE_EQ(at(Activation::elu, -3.0), 0.25 * (std::exp(-3.0) - 1.0));
  EXPECT_DOUBLE_EQ(at(Activation::silu, -3.0), -3.0 / (1.0 + std::exp(3.0)));
  EXPECT_DOUBLE_EQ(at(Activation::tanh, -3.0), std::tanh(-3.0));
  EXPECT_DOUBLE_EQ(at(Activation::sigmoid, -3.0), 1.0 / (1.0 + std::exp(3.0)));
  EXPECT_DOUBLE_EQ(at(Activation::exp, -3.0), std::exp(-3.0));
  EXPECT_EQ(at(Activation::clamp, -3.0), -1.0);
  EXPECT_EQ(at(Activation::clamp, 1.5), 1.5);
  EXPECT_EQ(at(Activation::clamp, 3.0), 2.0);
  EXPECT_DOUBLE_EQ(at(Activation::softplus, -3.0), std::log1p(std::exp(-3.0)));
  EXPECT_DOUBLE_EQ(at(Activation::softplus, 800.0), 800.0);
  for (const Activation activation : {Activation::relu, Activation::leaky_relu, Activation::elu}) {
    EXPECT_EQ(at(activation, 3.0), 3.0) << name(activation);
    EXPECT_EQ(activate_derivative({.activation = activation, .slope = 0.25}, 3.0), 1.0) << name(activation);
  }
}

TEST(LayerValues, ActivationDerivativesAgreeWithFiniteDifferences) {
  // Central differences with step h err by h^2 |f'''| / 6 < 1e-10 f and by rounding, 30 * 2^-52 / h; no point is a
  // kink.
  constexpr double kStep = 1e-5;
  for (std::size_t kind = 0; kind < kActivations; ++kind) {
    const LayerOptions options{.activation = static_cast<Activation>(kind), .slope = 0.7, .low = -0.5, .high = 2.0};
    for (const double x : {-30.0, -4.0, -1.0, -0.1, -1e-3, 1e-3, 0.3, 2.4, 5.0, 30.0}) {
      const double difference = (activate(options, x + kStep) - activate(options, x - kStep)) / (2.0 * kStep);
      const double derivative = activate_derivative(options, x);
      EXPECT_NEAR(derivative, difference, 1e-9 * (1.0 + std::abs(derivative)))
          << name(options.activation) << " at " << x;
    }
  }
}

TEST(LayerValues, ActivationsAndDerivativesStayFiniteFarOut) {
  for (std::size_t kind = 0; kind < kActivations; ++kind) {
    const LayerOptions options{.activation = static_cast<Activation>(kind), .slope = 0.7};
    for (const double x : {-1e4, options.activation == Activation::exp ? 80.0 : 1e4}) {
      EXPECT_TRUE(std::isfinite(activate(options, x))) << name(options.activation) << " at " << x;
      EXPECT_TRUE(std::isfinite(activate_derivative(options, x))) << name(options.activation) << " at " << x;
    }
  }
}

BatchNormalisation six_channels() {
  const auto uniform = [](std::uint64_t seed, float low, float high) {
    std::vector<float> values(6);
    fill_uniform(Key(seed), low, high, values);
    return values;
  };
  return {.scale = uniform(1, -2.0F, 2.0F),
          .shift = uniform(2, -1.0F, 1.0F),
          .mean = uniform(3, -1.0F, 1.0F),
          .variance = uniform(4, 0.1F, 3.0F),
          .epsilon = 1e-3};
}

std::vector<double> normalised(std::vector<double> values, const BatchNormalisation& normalisation) {
  const std::size_t positions = values.size() / normalisation.scale.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t c = i / positions;
    const double deviation = std::sqrt(normalisation.variance[c] + normalisation.epsilon);
    values[i] = normalisation.scale[c] * (values[i] - normalisation.mean[c]) / deviation + normalisation.shift[c];
  }
  return values;
}

TEST(LayerValues, FoldedBatchNormalisationGivesConvolutionThenNormalisation) {
  for (const Operation operation : {Operation::convolution, Operation::transposed_convolution}) {
    for (const int groups : {1, 2}) {
      LayerGraph graph{.inputs = {{4, 5, 4}}};
      graph.add(Operation::convolution, {.channels = 4});
      graph.add(operation, {.channels = 6, .kernel = 3, .stride = 2, .padding = 1, .groups = groups});
      randomise(graph, Key(5));
      const std::vector<double> input = in_double(random_matrix(Key(6), 1, graph.input_size()).row(0));
      const std::vector<double> expected = normalised(reference_forward(graph, input).back(), six_channels());
      fold_batch_normalisation(graph, 1, six_channels());
      const std::vector<double> found = reference_forward(graph, input).back();
      for (std::size_t i = 0; i < expected.size(); ++i) {
        // 36 weights and a bias are rounded once each; their products stay below 10: 37 * 10 * 2^-24 at worst.
        EXPECT_NEAR(found[i], expected[i], 2.3e-5) << name(operation) << ", " << groups << " groups, at " << i;
      }
    }
  }
}

TEST(LayerValues, ABatchNormalisationNeedsAWeightedLayerOfItsChannels) {
  LayerGraph graph{.inputs = {{2, 3, 3}}};
  graph.add(Operation::convolution, {.channels = 3}).add(Operation::upsampling, {.stride = 2});
  const auto refusal = [&](std::int64_t layer, const BatchNormalisation& normalisation) -> std::string {
    try {
      fold_batch_normalisation(graph, layer, normalisation);
    } catch (const Misuse& error) {
      return error.what();
    }
    return "accepted";
  };
  const std::vector<float> ones(3, 1.0F);
  EXPECT_THAT(refusal(0, {.scale = ones, .shift = ones, .mean = {1.0F}, .variance = ones}),
              HasSubstr("a batch normalisation of 1 channels cannot follow convolution 2x3x3 -> 3x3x3"));
  EXPECT_THAT(refusal(1, {.scale = ones, .shift = ones, .mean = ones, .variance = ones}),
              HasSubstr("cannot follow upsampling"));
  EXPECT_THAT(refusal(2, {}), HasSubstr("there is no layer 2"));
  EXPECT_THAT(refusal(-1, {}), HasSubstr("there is no layer -1"));
}

}  // namespace
}  // namespace vaeguard::networks
