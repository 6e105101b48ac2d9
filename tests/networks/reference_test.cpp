// The reference, which is the truth for every backend: layers worked by hand, gradients against finite differences.
#include "vaeguard/networks/reference/reference_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/networks/tolerance.h"
#include "vaeguard/networks/operations.h"

namespace vaeguard::networks {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::Pointwise;

LayerGraph graph_of(ImageShape input, Operation operation, const LayerOptions& options,
                    const std::vector<float>& parameters = {}) {
  LayerGraph graph{.inputs = {input}};
  graph.add(operation, options);
  graph.parameters = parameters;
  return graph;
}

std::vector<double> output_of(const LayerGraph& graph, const std::vector<double>& input) {
  return reference_outputs(graph, reference_forward(graph, input));
}

std::vector<double> pulled_back(const LayerGraph& graph, const std::vector<double>& input,
                                const std::vector<double>& gradient) {
  return reference_backward(graph, reference_forward(graph, input), gradient);
}

/// The parts of the input between which the network is not smooth: on which side of a kink each sum lies, and which
/// value of a window is the largest.
std::vector<double> sides(const LayerGraph& graph, const Boundaries& boundaries) {
  Boundaries numbered = boundaries;
  for (std::vector<double>& values : numbered) {
    std::iota(values.begin(), values.end(), 0.0);
  }
  std::vector<double> result;
  for (const Layer& layer : graph.layers) {
    const bool clamp = layer.activation == Activation::clamp;
    const bool kinked = clamp || layer.activation == Activation::relu || layer.activation == Activation::leaky_relu ||
                        layer.activation == Activation::elu;
    for (const double sum : reference_sums(graph, layer, boundaries)) {
      result.push_back(clamp ? activate_derivative(layer, sum) : kinked && sum > 0.0 ? 1.0 : 0.0);
    }
    if (layer.operation == Operation::max_pooling) {
      const std::vector<double> largest = reference_push(graph, layer, boundaries, numbered);
      result.insert(result.end(), largest.begin(), largest.end());
    }
  }
  return result;
}

/// A random graph of every kind of layer, and the product of its outputs with fixed weights.
struct Probe {
  explicit Probe(Key key)
      : graph(random_graph(key)),
        input(in_double(random_matrix(Key(1), 1, graph.input_size()).row(0))),
        weights(in_double(random_matrix(Key(2), 1, graph.output_size()).row(0))) {}

  [[nodiscard]] double value(const Boundaries& boundaries) const {
    const std::vector<double> outputs = reference_outputs(graph, boundaries);
    return std::inner_product(weights.begin(), weights.end(), outputs.begin(), 0.0);
  }

  /// Compares `gradient` with the central difference in `number`, a parameter or an input. Returns whether it could:
  /// nothing is said where a step crosses a kink. Steps of 2^-16 leave an error of 2^-32 times a third derivative; the
  /// divisor is the step that was taken after rounding.
  template <typename Number>
  bool agrees(Number& number, double gradient) {
    const Number at = number;
    number = at + static_cast<Number>(0x1p-16);
    double step = number;
    const Boundaries above = reference_forward(graph, input);
    number = at - static_cast<Number>(0x1p-16);
    step -= number;
    const Boundaries below = reference_forward(graph, input);
    const bool smooth = sides(graph, above) == sides(graph, below);
    number = at;
    if (smooth) {
      EXPECT_NEAR(gradient, (value(above) - value(below)) / step, 1e-6 * (1.0 + std::abs(gradient)));
    }
    return smooth;
  }

  LayerGraph graph;
  std::vector<double> input;
  std::vector<double> weights;
};

TEST(Reference, GradientsAgreeWithFiniteDifferencesOfTheForwardPass) {
  int compared = 0;
  int skipped = 0;
  for (std::uint64_t g = 0; g < 120; ++g) {
    Probe probe(Key(2000 + g));
    SCOPED_TRACE(trace_of(probe.graph));
    std::vector<double> parameter_gradients(probe.graph.parameters.size(), 0.0);
    const std::vector<double> gradient = reference_backward(probe.graph, reference_forward(probe.graph, probe.input),
                                                            probe.weights, parameter_gradients);
    const auto count = [&](bool smooth) { smooth ? ++compared : ++skipped; };
    for (std::size_t i = 0; i < probe.input.size(); i += 1 + probe.input.size() / 8) {
      count(probe.agrees(probe.input[i], gradient[i]));
    }
    for (std::size_t i = 0; i < parameter_gradients.size(); i += 1 + parameter_gradients.size() / 24) {
      count(probe.agrees(probe.graph.parameters[i], parameter_gradients[i]));
    }
  }
  EXPECT_GT(compared, 1000);
  EXPECT_LT(skipped, compared / 10);
}

TEST(Reference, TangentsAgreeWithFiniteDifferencesOfTheForwardPass) {
  // Steps of 2^-16 as above, along a random direction.
  int compared = 0;
  for (std::uint64_t g = 0; g < 120; ++g) {
    const Probe probe(Key(2000 + g));
    SCOPED_TRACE(trace_of(probe.graph));
    const std::vector<double> direction = in_double(random_matrix(Key(3), 1, probe.graph.input_size()).row(0));
    const auto moved = [&](double step) {
      std::vector<double> input = probe.input;
      for (std::size_t i = 0; i < input.size(); ++i) {
        input[i] += step * direction[i];
      }
      return reference_forward(probe.graph, input);
    };
    const Boundaries above = moved(0x1p-16);
    const Boundaries below = moved(-0x1p-16);
    if (sides(probe.graph, above) != sides(probe.graph, below)) {
      continue;
    }
    const Boundaries tangent = reference_tangent(probe.graph, reference_forward(probe.graph, probe.input), direction);
    for (std::size_t b = 0; b < tangent.size(); ++b) {
      for (std::size_t i = 0; i < tangent[b].size(); ++i) {
        ASSERT_NEAR(tangent[b][i], (above[b][i] - below[b][i]) / 0x1p-15, 1e-5 * (1.0 + std::abs(tangent[b][i])));
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 10000);
}

TEST(Reference, TangentAndGradientAreTransposes) {
  // <J' u, v> = <u, J v> up to rounding in double, kinks or not.
  for (std::uint64_t g = 0; g < 120; ++g) {
    const Probe probe(Key(2000 + g));
    SCOPED_TRACE(trace_of(probe.graph));
    const std::vector<double> direction = in_double(random_matrix(Key(3), 1, probe.graph.input_size()).row(0));
    const Boundaries boundaries = reference_forward(probe.graph, probe.input);
    const std::vector<double> gradient = reference_backward(probe.graph, boundaries, probe.weights);
    const double pulled = std::inner_product(gradient.begin(), gradient.end(), direction.begin(), 0.0);
    const double pushed = probe.value(reference_tangent(probe.graph, boundaries, direction));
    EXPECT_NEAR(pulled, pushed, 1e-10 * (1.0 + std::abs(pulled)));
  }
}

TEST(Reference, RandomGraphsHaveEveryOperationAndActivationAndBranches) {
  std::vector<int> operations(networks::operations().size());
  std::vector<int> activations(kActivations);
  int grouped = 0;
  int padded = 0;
  int branched = 0;
  int several_inputs = 0;
  int several_outputs = 0;
  for (std::uint64_t g = 0; g < 300; ++g) {
    const LayerGraph graph = random_graph(Key(2000 + g));
    several_inputs += graph.inputs.size() > 1 ? 1 : 0;
    several_outputs += graph.outputs.size() > 1 ? 1 : 0;
    for (std::size_t l = 0; l < graph.layers.size(); ++l) {
      const Layer& layer = graph.layers[l];
      ++operations[static_cast<std::size_t>(layer.operation)];
      ++activations[static_cast<std::size_t>(layer.activation)];
      grouped += layer.groups > 1 ? 1 : 0;
      padded += layer.output_padding > 0 ? 1 : 0;
      branched += layer.source() != graph.boundary_of(l) - 1 ? 1 : 0;
    }
  }
  EXPECT_THAT(operations, testing::Each(testing::Ge(3)));
  EXPECT_THAT(activations, testing::Each(testing::Ge(3)));
  EXPECT_GE(std::min({grouped, padded, branched, several_inputs, several_outputs}), 3);
}

TEST(Reference, GradientsAddToWhatIsThere) {
  const Probe probe{Key(2000)};
  const Boundaries boundaries = reference_forward(probe.graph, probe.input);
  std::vector<double> once(probe.graph.parameters.size(), 0.0);
  reference_backward(probe.graph, boundaries, probe.weights, once);
  std::vector<double> twice = once;
  reference_backward(probe.graph, boundaries, probe.weights, twice);
  for (std::size_t i = 0; i < once.size(); ++i) {
    EXPECT_NEAR(twice[i], 2.0 * once[i], 1e-12 * (1.0 + std::abs(once[i])));
  }
}

TEST(Reference, GroupsReadTheirOwnChannelsOnly) {
  // Two groups of 2 -> 1 channels at one position: weights (1, 2) and (3, 4), biases 10 and 20.
  const LayerGraph plain =
      graph_of({4, 1, 1}, Operation::convolution, {.channels = 2, .groups = 2}, {1.0F, 2.0F, 3.0F, 4.0F, 10.0F, 20.0F});
  EXPECT_THAT(output_of(plain, {1.0, 1.0, 5.0, 7.0}), ElementsAre(13.0, 20.0 + 15.0 + 28.0));
  EXPECT_THAT(pulled_back(plain, {1.0, 1.0, 5.0, 7.0}, {1.0, 10.0}), ElementsAre(1.0, 2.0, 30.0, 40.0));
  // Two groups of 1 -> 2 channels: input 0 makes outputs 0 and 1 with weights (1, 2), input 1 the others with (3, 4).
  const LayerGraph transposed = graph_of({2, 1, 1}, Operation::transposed_convolution, {.channels = 4, .groups = 2},
                                         {1.0F, 2.0F, 3.0F, 4.0F, 0.0F, 0.0F, 0.0F, 100.0F});
  EXPECT_THAT(output_of(transposed, {5.0, 7.0}), ElementsAre(5.0, 10.0, 21.0, 128.0));
  EXPECT_THAT(pulled_back(transposed, {5.0, 7.0}, {1.0, 1.0, 1.0, 10.0}), ElementsAre(3.0, 43.0));
}

TEST(Reference, OutputPaddingAddsALastRowAndColumnThatFurtherTapsMayReach) {
  // Extent 1, kernel 2, stride 2: taps write 0 and 1, the padded row and column hold the bias alone.
  const LayerGraph bare =
      graph_of({1, 1, 1}, Operation::transposed_convolution,
               {.channels = 1, .kernel = 2, .stride = 2, .output_padding = 1}, {1.0F, 2.0F, 3.0F, 4.0F, 0.5F});
  EXPECT_THAT(output_of(bare, {2.0}), ElementsAre(2.5, 4.5, 0.5, 6.5, 8.5, 0.5, 0.5, 0.5, 0.5));
  // Kernel 3, padding 1 doubles extent 1 to 2: taps 1 and 2 of each side remain.
  const LayerGraph doubling = graph_of({1, 1, 1}, Operation::transposed_convolution,
                                       {.channels = 1, .kernel = 3, .stride = 2, .padding = 1, .output_padding = 1},
                                       {0.0F, 1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F, 7.0F, 8.0F, 0.0F});
  EXPECT_THAT(output_of(doubling, {1.0}), ElementsAre(4.0, 5.0, 7.0, 8.0));
}

TEST(Reference, UpsamplingRepeatsValuesAndSumsTheirGradients) {
  const LayerGraph graph = graph_of({1, 1, 2}, Operation::upsampling, {.stride = 2});
  EXPECT_THAT(output_of(graph, {3.0, 4.0}), ElementsAre(3.0, 3.0, 4.0, 4.0, 3.0, 3.0, 4.0, 4.0));
  EXPECT_THAT(pulled_back(graph, {3.0, 4.0}, {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0}), ElementsAre(14.0, 22.0));
}

TEST(Reference, PixelShuffleInterleavesItsChannels) {
  const LayerGraph graph = graph_of({4, 1, 2}, Operation::pixel_shuffle, {.stride = 2});
  EXPECT_THAT(output_of(graph, {0.0, 1.0, 10.0, 11.0, 20.0, 21.0, 30.0, 31.0}),
              ElementsAre(0.0, 10.0, 1.0, 11.0, 20.0, 30.0, 21.0, 31.0));
  EXPECT_THAT(pulled_back(graph, std::vector<double>(8), {0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0}),
              ElementsAre(0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0));
}

TEST(Reference, GradientsOfABoundaryThatSeveralLayersReadAddUp) {
  // y = tanh(3 x) + x, then y + y: the input is read twice, y twice by one layer.
  LayerGraph graph{.inputs = {{1, 1, 1}}};
  graph.add(Operation::convolution, {.channels = 1, .activation = Activation::tanh})
      .add(Operation::addition, {.sources = {-1, 0}})
      .add(Operation::addition, {.sources = {-1, 2}});
  graph.parameters = {3.0F, 0.0F};
  const double tanh = std::tanh(1.5);
  EXPECT_THAT(output_of(graph, {0.5}), ElementsAre(DoubleEq(2.0 * (tanh + 0.5))));
  EXPECT_THAT(pulled_back(graph, {0.5}, {1.0}), ElementsAre(DoubleEq(2.0 * (3.0 * (1.0 - tanh * tanh) + 1.0))));
}

TEST(Reference, ALayerWhoseOutputNobodyReadsChangesNothing) {
  const LayerGraph graph = random_graph(Key(2003));
  LayerGraph longer = graph;
  longer.outputs = graph.output_boundaries();
  longer.add(Operation::convolution, {.channels = 3, .activation = Activation::silu});
  longer.add(Operation::upsampling, {.stride = 1, .sources = {graph.last()}});
  const std::vector<double> input = in_double(random_matrix(Key(1), 1, graph.input_size()).row(0));
  const std::vector<double> gradient = in_double(random_matrix(Key(2), 1, graph.output_size()).row(0));
  EXPECT_EQ(output_of(longer, input), output_of(graph, input));
  EXPECT_EQ(pulled_back(longer, input, gradient), pulled_back(graph, input, gradient));
}

TEST(Reference, ActivationsStayWithinTheBoundsThatTolerancesTake) {
  for (std::size_t kind = 0; kind < kActivations; ++kind) {
    const LayerOptions layer{.activation = static_cast<Activation>(kind), .slope = 1.3, .low = -2.0, .high = 3.0};
    for (int i = -4000; i < 4000; ++i) {
      const double x = 0.005 * i + 0.0025;  // 0 lies between two of them
      const ActivationBounds bound = bounds(layer, x);
      const double slope = activate_derivative(layer, x);
      const double curvature = (activate_derivative(layer, x + 1e-4) - activate_derivative(layer, x - 1e-4)) / 2e-4;
      ASSERT_LE(std::abs(slope), bound.slope * (1.0 + 1e-12)) << name(layer.activation) << x;
      ASSERT_LE(std::abs(curvature), bound.curvature * (1.0 + 1e-6) + 1e-6) << name(layer.activation) << x;
    }
  }
}

TEST(ReferenceTolerance, SeesALayerWhoseWeightsAreOnePercentWrong) {
  // Bounds that grew too fast from layer to layer would let every backend pass.
  int seen = 0;
  int changed = 0;
  for (std::uint64_t g = 0; g < 90; ++g) {
    const LayerGraph graph = random_graph(Key(2000 + g));
    const auto layer = std::ranges::find_if(graph.layers, &Layer::weighted);
    if (layer == graph.layers.end()) {
      continue;
    }
    LayerGraph wrong = graph;
    std::ranges::for_each(wrong.weight(*layer), [](float& w) { w *= 1.01F; });
    const Tolerance tolerance(graph);
    const Matrix input = random_matrix(Key(1), 1, graph.input_size());
    const Strays strays = tolerance.forward(input.row(0));
    const std::vector<double> found = output_of(wrong, in_double(input.row(0)));
    const std::vector<double> truth = reference_outputs(graph, strays.values);
    const std::vector<double> errors = tolerance.outputs(strays);
    double furthest = 0.0;  // in tolerances
    for (std::size_t i = 0; i < found.size(); ++i) {
      furthest = std::max(furthest, std::abs(found[i] - truth[i]) / (tolerance.unit() * errors[i]));
    }
    changed += furthest > 0.0 ? 1 : 0;  // a layer may be unread or silenced by ReLU
    seen += furthest > 1.0 ? 1 : 0;
  }
  EXPECT_GE(changed, 40);
  EXPECT_GE(seen, changed * 4 / 5) << "of " << changed;
}

}  // namespace
}  // namespace vaeguard::networks
