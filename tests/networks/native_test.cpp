// The native backend against the double-precision reference on random graphs, and its independence of batch and order.
#include "vaeguard/networks/native/native_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include "tests/networks/agreement.h"
#include "tests/networks/run_again.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/exponential.h"
#include "vaeguard/networks/native/plan.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::networks {
namespace {

constexpr std::uint64_t kGraphs = 60;

/// A layer whose every output lies in the padding, as the first, so that all after it is constant.
LayerGraph dead_graph() {
  LayerGraph graph{.inputs = {{3, 1, 1}}};
  graph.add(Operation::convolution, {.channels = 4, .kernel = 1, .stride = 2, .padding = 1})
      .add(Operation::convolution, {.channels = 5, .kernel = 2, .padding = 1, .activation = Activation::relu})
      .add(Operation::convolution, {.channels = 2, .kernel = 3});
  randomise(graph, Key(9));
  return graph;
}

/// The first layers of a decoder: a point, then taps with gaps, then layers that read the gaps.
LayerGraph gap_graph() {
  LayerGraph graph{.inputs = {{17, 1, 1}}};
  graph
      .add(Operation::transposed_convolution,
           {.channels = 13, .kernel = 3, .dilation = 2, .activation = Activation::relu})
      .add(Operation::transposed_convolution, {.channels = 7, .kernel = 3, .activation = Activation::relu})
      .add(Operation::transposed_convolution, {.channels = 1, .kernel = 4, .stride = 2, .padding = 1});
  randomise(graph, Key(10));
  return graph;
}

/// An inverted residual so wide that fewer than eight rows go through it together, and not by whole vectors.
LayerGraph wide_graph() {
  LayerGraph graph{.inputs = {{19, 9, 7}, {19, 1, 1}}};
  graph.add(Operation::convolution, {.channels = 403, .activation = Activation::silu, .sources = {0}})
      .add(Operation::convolution,
           {.channels = 403, .kernel = 5, .padding = 2, .groups = 403, .activation = Activation::relu})
      .add(Operation::convolution, {.channels = 19})
      .add(Operation::mean, {.activation = Activation::sigmoid})
      .add(Operation::product, {.sources = {4, -1}})
      .add(Operation::addition, {.sources = {-1, 1}});
  graph.outputs = {graph.last(), 4};
  randomise(graph, Key(12));
  return graph;
}

/// Whole vectors of channels, to which the products themselves apply activations, read by several layers and given out.
LayerGraph whole_graph() {
  LayerGraph graph{.inputs = {{16, 5, 4}}};
  graph.add(Operation::convolution, {.channels = 32, .activation = Activation::silu})
      .add(Operation::convolution,
           {.channels = 32, .kernel = 3, .padding = 1, .groups = 32, .activation = Activation::silu})
      .add(Operation::convolution,
           {.channels = 32, .kernel = 3, .padding = 1, .groups = 2, .activation = Activation::tanh, .sources = {1}})
      .add(Operation::addition, {.activation = Activation::sigmoid, .sources = {2, 3}})
      .add(Operation::convolution, {.channels = 48, .activation = Activation::softplus});
  graph.outputs = {graph.last(), 2};
  randomise(graph, Key(13));
  return graph;
}

std::vector<LayerGraph> graphs() {
  std::vector<LayerGraph> result{dead_graph(), gap_graph(), wide_graph(), whole_graph()};
  for (std::uint64_t g = 0; g < kGraphs; ++g) {
    result.push_back(random_graph(Key(1000 + g), {.simple = g % 3 == 0}));  // simple chains have constants to fold
  }
  return result;
}

Matrix outputs_of(const Network& network, const Matrix& inputs) {
  const auto tape = network.make_tape();
  Matrix outputs;
  network.forward(inputs, outputs, *tape);
  return outputs;
}

Matrix gradients_of(const Network& network, const Matrix& inputs, const Matrix& output_gradients) {
  const auto tape = network.make_tape();
  Matrix outputs;
  Matrix gradients;
  network.forward(inputs, outputs, *tape);
  network.backward(output_gradients, gradients, *tape);
  return gradients;
}

std::int64_t most_positions(const LayerGraph& graph) {
  std::int64_t most = 1;
  for (std::int64_t i = 0; i < graph.boundaries(); ++i) {
    most = std::max(most, graph.boundary(i).positions());
  }
  return most;
}

Matrix tangents_of(const Network& network, const Matrix& inputs, const Matrix& input_tangents) {
  const auto tape = network.make_tape();
  Matrix outputs;
  Matrix tangents;
  network.forward(inputs, outputs, *tape);
  network.tangent(input_tangents, tangents, *tape);
  return tangents;
}

TEST(NativeDifferential, FixedNetworksAgreeWithDoublePrecision) {
  for (const LayerGraph& graph : graphs()) {
    expect_agrees(*native_backend().compile(graph));
  }
}

TEST(NativeDifferential, TrainableNetworksAgreeWithDoublePrecision) {
  for (const LayerGraph& graph : graphs()) {
    expect_agrees(*compile_trainable(graph));
  }
}

TEST(NativeDifferential, ParameterGradientsAgreeWithDoublePrecision) {
  for (const LayerGraph& graph : graphs()) {
    SCOPED_TRACE(trace_of(graph));
    const std::int64_t rows = 19;  // more than one group of rows, the last one not full
    const auto network = compile_trainable(graph);
    const Matrix inputs = random_matrix(Key(1), rows, graph.input_size());
    const Matrix output_gradients = random_matrix(Key(2), rows, graph.output_size());
    const auto tape = network->make_tape();
    Matrix outputs;
    std::vector<float> actual(graph.parameters.size(), 0.0F);
    network->forward(inputs, outputs, *tape);
    network->backward_parameters(output_gradients, nullptr, actual, *tape);

    const Tolerance tolerance(graph);
    std::vector<double> expected(actual.size(), 0.0);
    std::vector<double> magnitude(actual.size(), 0.0);
    for (std::int64_t b = 0; b < rows; ++b) {
      reference_backward(graph, reference_forward(graph, in_double(inputs.row(b))), in_double(output_gradients.row(b)),
                         expected);
      (void)tolerance.backward(tolerance.forward(inputs.row(b)), output_gradients.row(b), magnitude);
    }
    // One parameter sums over rows and positions besides the terms of each value.
    const double sums = static_cast<double>(rows * most_positions(graph));
    expect_near(actual, expected, magnitude, tolerance.unit() * std::sqrt(sums));
  }
}

TEST(NativeDifferential, AnInputThatNoOutputDependsOnHasNoGradientAndAnOutputMayBeAnInput) {
  LayerGraph graph{.inputs = {{2, 1, 1}, {3, 1, 1}}};
  graph.add(Operation::convolution, {.channels = 1, .sources = {0}});
  graph.outputs = {2, 0, 2};
  graph.parameters = {2.0F, 3.0F, 0.5F};
  const auto network = native_backend().compile(graph);
  const Matrix inputs(1, 5, std::vector<float>{1, 1, 7, 8, 9});
  EXPECT_EQ(outputs_of(*network, inputs), Matrix(1, 4, std::vector<float>{5.5F, 1, 1, 5.5F}));
  EXPECT_EQ(gradients_of(*network, inputs, Matrix(1, 4, std::vector<float>{1, 10, 20, 100})),
            Matrix(1, 5, std::vector<float>{212, 323, 0, 0, 0}));
  EXPECT_EQ(tangents_of(*network, inputs, inputs), Matrix(1, 4, std::vector<float>{5, 1, 1, 5}));
}

TEST(NativeDifferential, GraphsWithFoldedPositionsAreAmongThoseTested) {
  int folded = 0;
  for (const LayerGraph& graph : graphs()) {
    const native::Plan plan = native::make_plan(graph, native::Parameters::fixed, native::select_kernels());
    folded += std::ranges::any_of(plan.buffers, [](const native::Buffer& buffer) {
      return buffer.layout.count < static_cast<std::int64_t>(buffer.layout.live.size());
    });
  }
  EXPECT_GE(folded, 8);
}

TEST(NativeDifferential, ADifferenceOfOneWeightIsSeen) {
  // The tolerance must not hide a weight that is 1 % wrong.
  LayerGraph graph = gap_graph();
  const LayerGraph truth = graph;
  auto weight = graph.weight(graph.layers[1]);
  const auto largest = std::ranges::max_element(weight, {}, [](float w) { return std::abs(w); });
  *largest *= 1.01F;
  const Matrix inputs = random_matrix(Key(1), 1, graph.input_size());
  const Matrix outputs = outputs_of(*native_backend().compile(graph), inputs);
  const Tolerance tolerance(truth);
  const auto expected = reference_forward(truth, in_double(inputs.row(0))).back();
  const auto magnitude = tolerance.forward(inputs.row(0)).errors.back();
  bool seen = false;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    seen = seen || std::abs(outputs.row(0)[i] - expected[i]) > tolerance.unit() * magnitude[i];
  }
  EXPECT_TRUE(seen);
}

TEST(NativeIndependence, ARowsResultIsBitwiseTheSameInAnyBatchAndOrder) {
  constexpr std::int64_t kAll = 64;
  for (const LayerGraph& graph :
       {gap_graph(), wide_graph(), random_graph(Key(1007), {.simple = true}), random_graph(Key(1013), {.simple = true}),
        random_graph(Key(1001)), random_graph(Key(1002))}) {
    SCOPED_TRACE(trace_of(graph));
    for (const bool trainable : {false, true}) {
      const std::shared_ptr<const Network> network =
          trainable ? std::shared_ptr<const Network>(compile_trainable(graph)) : native_backend().compile(graph);
      const Matrix inputs = random_matrix(Key(3), kAll, graph.input_size());
      const Matrix output_gradients = random_matrix(Key(4), kAll, graph.output_size());
      const Matrix outputs = outputs_of(*network, inputs);
      const Matrix gradients = gradients_of(*network, inputs, output_gradients);
      const Matrix tangents = tangents_of(*network, inputs, inputs);
      for (const std::int64_t batch : {1, 7}) {
        for (std::int64_t first = 0; first < kAll; first += batch) {
          const std::int64_t count = std::min(batch, kAll - first);
          const Matrix part = inputs.slice(first, count);
          EXPECT_EQ(outputs_of(*network, part), outputs.slice(first, count));
          EXPECT_EQ(gradients_of(*network, part, output_gradients.slice(first, count)), gradients.slice(first, count));
          EXPECT_EQ(tangents_of(*network, part, part), tangents.slice(first, count));
        }
      }
      const auto order = permutation(Key(5), kAll);
      EXPECT_EQ(outputs_of(*network, inputs.gather(order)), outputs.gather(order));
      EXPECT_EQ(gradients_of(*network, inputs.gather(order), output_gradients.gather(order)), gradients.gather(order));
    }
  }
}

TEST(NativeIndependence, ForwardOfManyRowsIsBitwiseTheSameOnOneAndTwoThreads) {
  const auto network = native_backend().compile(gap_graph());
  const Matrix inputs = random_matrix(Key(6), 203, network->graph().input_size());
  const Matrix one = forward_all(*network, inputs, 1);
  EXPECT_EQ(one, forward_all(*network, inputs, 2));
  EXPECT_EQ(one, outputs_of(*network, inputs));
  EXPECT_EQ(forward_all(*network, Matrix(0, 17), 2).rows(), 0);
}

TEST(NativeIndependence, ARowOfNotANumberDoesNotReachItsNeighbours) {
  const auto network = native_backend().compile(gap_graph());
  Matrix inputs = random_matrix(Key(7), 16, network->graph().input_size());
  const Matrix clean = outputs_of(*network, inputs);
  std::ranges::fill(inputs.row(5), std::numeric_limits<float>::quiet_NaN());
  const Matrix outputs = outputs_of(*network, inputs);
  EXPECT_EQ(outputs.slice(0, 5), clean.slice(0, 5));
  EXPECT_EQ(outputs.slice(6, 10), clean.slice(6, 10));
}

TEST(NativeTape, IsReusedForLargerAndSmallerBatches) {
  const auto network = native_backend().compile(gap_graph());
  const Matrix inputs = random_matrix(Key(8), 40, network->graph().input_size());
  const auto tape = network->make_tape();
  for (const std::int64_t rows : {3, 40, 1, 17}) {
    Matrix outputs;
    network->forward(inputs.slice(0, rows), outputs, *tape);
    EXPECT_EQ(outputs, outputs_of(*network, inputs.slice(0, rows)));
  }
}

TEST(NativeTraining, NewParametersGiveTheSameNetworkAsCompilingThem) {
  const LayerGraph graph = gap_graph();
  LayerGraph other = graph;
  randomise(other, Key(77));
  const auto network = compile_trainable(graph);
  network->set_parameters(other.parameters);
  const Matrix inputs = random_matrix(Key(1), 3, graph.input_size());
  EXPECT_EQ(network->graph().parameters, other.parameters);
  EXPECT_EQ(outputs_of(*network, inputs), outputs_of(*compile_trainable(other), inputs));
  EXPECT_NE(outputs_of(*network, inputs), outputs_of(*compile_trainable(graph), inputs));
}

TEST(NativeTraining, ParameterGradientsAddToWhatIsThere) {
  const LayerGraph graph = gap_graph();
  const auto network = compile_trainable(graph);
  const Matrix inputs = random_matrix(Key(1), 4, graph.input_size());
  const Matrix output_gradients = random_matrix(Key(2), 4, graph.output_size());
  const auto tape = network->make_tape();
  Matrix outputs;
  Matrix input_gradients;
  network->forward(inputs, outputs, *tape);
  std::vector<float> once(graph.parameters.size(), 0.0F);
  network->backward_parameters(output_gradients, &input_gradients, once, *tape);
  std::vector<float> twice = once;
  network->backward_parameters(output_gradients, nullptr, twice, *tape);
  for (std::size_t i = 0; i < once.size(); ++i) {
    // Each parameter gets at most one addition per row and position on top of what is there.
    EXPECT_NEAR(twice[i], 2.0F * once[i], 1e-5F * std::max(1.0F, std::abs(once[i])));
  }
  EXPECT_EQ(input_gradients, gradients_of(*network, inputs, output_gradients));
}

TEST(NativeErrors, WrongShapesAreRefused) {
  const auto network = compile_trainable(gap_graph());
  const auto tape = network->make_tape();
  Matrix outputs;
  Matrix gradients;
  EXPECT_THROW(network->forward(Matrix(2, 16), outputs, *tape), Misuse);
  EXPECT_THROW(network->tangent(Matrix(2, 17), outputs, *tape), Misuse) << "no forward pass is on the tape";
  network->forward(Matrix(2, 17), outputs, *tape);
  EXPECT_THROW(network->backward(Matrix(3, outputs.columns()), gradients, *tape), Misuse);
  EXPECT_THROW(network->tangent(Matrix(2, 16), gradients, *tape), Misuse);
  std::vector<float> few(3);
  EXPECT_THROW(network->backward_parameters(outputs, nullptr, few, *tape), Misuse);
  EXPECT_THROW(network->set_parameters(few), Misuse);
}

TEST(NativeDifferential, RunsTheBestInstructionSetOrTheOneThatTheEnvironmentNames) {
  const char* wanted = std::getenv("VAEGUARD_ISA");
  const std::string expected = wanted == nullptr ? instruction_sets().front() : wanted;
  EXPECT_EQ(native::select_kernels().name, expected);
  EXPECT_NE(native_backend().description().find(expected), std::string::npos);
}

TEST(NativeInstructionSets, ActivationsAreTheSameBitsOnAll) {
  // 1003 values: whole vectors of every width, and a rest.
  const Matrix x = random_matrix(Key(11), 1, 1003);
  for (std::size_t kind = 0; kind < kActivations; ++kind) {
    const native::Function f{static_cast<Activation>(kind), 0.3F, -0.5F, 0.7F};
    Matrix y[2]{x, x};
    Matrix slopes[2]{x, x};
    for (const int which : {0, 1}) {
      for (float& value : y[which].flat()) {
        value *= 10.0F;
      }
      native::Activate* activate = which == 0 ? native::activate_generic : native::select_kernels().activate;
      activate(f, {.length = 1003}, y[which].data(), y[which].data(), slopes[which].data());
    }
    EXPECT_EQ(y[0], y[1]) << name(f.activation);
    EXPECT_EQ(slopes[0], slopes[1]) << name(f.activation);
  }
}

TEST(NativeInstructionSets, ASigmoidIsThatOfTheLikelihoodsToTheBit) {
  const Matrix x = random_matrix(Key(13), 1, 1003);
  Matrix y = x;
  Matrix slopes = x;
  native::select_kernels().activate({Activation::sigmoid}, {.length = 1003}, x.data(), y.data(), slopes.data());
  for (std::int64_t i = 0; i < 1003; ++i) {
    ASSERT_EQ(y(0, i), sigmoid(x(0, i), exponential_of_negative(-std::abs(x(0, i)))));
  }
}

TEST(NativeInstructionSets, EveryOneThatThisProcessorHasAgreesWithDoublePrecision) {
  for (const std::string& set : instruction_sets()) {
    const Child child = run_again("VAEGUARD_ISA=" + set, "NativeDifferential.*:NativeIndependence.*");
    EXPECT_EQ(child.status, 0) << set << "\n" << child.output;
    EXPECT_NE(child.output.find("[  PASSED  ] 10 tests"), std::string::npos) << child.output;
  }
}

TEST(NativeInstructionSets, AnUnknownOneIsRefusedWithTheKnownOnes) {
  const Child child = run_again("VAEGUARD_ISA=abacus", "NativeDifferential.ADifferenceOfOneWeightIsSeen");
  EXPECT_NE(child.status, 0);
  EXPECT_NE(child.output.find("VAEGUARD_ISA must be one this processor supports"), std::string::npos);
  EXPECT_NE(child.output.find("generic"), std::string::npos);
  EXPECT_NE(child.output.find("abacus"), std::string::npos);
}

}  // namespace
}  // namespace vaeguard::networks
