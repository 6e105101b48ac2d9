// Every operation through the same questions: values by hand, gradients, tangents, refusals, every backend.
#include "vaeguard/networks/operations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/networks/agreement.h"
#include "tests/networks/operation_cases.h"
#include "vaeguard/base/error.h"

namespace vaeguard::networks {
namespace {

class EveryOperation : public testing::TestWithParam<OperationCase> {
 protected:
  /// The same layer with inputs and parameters at which no value of a window equals another.
  [[nodiscard]] static LayerGraph random_graph_of(const OperationCase& operation) {
    LayerGraph graph = operation.graph();
    randomise(graph, Key(7));
    return graph;
  }
  [[nodiscard]] static std::vector<double> vector_of(std::uint64_t key, std::int64_t size) {
    return in_double(random_matrix(Key(key), 1, size).row(0));
  }
  [[nodiscard]] static double dot(const std::vector<double>& a, const std::vector<double>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  }
};

TEST_P(EveryOperation, GivesTheValuesWorkedOutByHand) {
  const LayerGraph graph = GetParam().graph();
  const std::vector<double> output = reference_outputs(graph, reference_forward(graph, GetParam().input));
  ASSERT_EQ(output.size(), GetParam().output.size());
  for (std::size_t i = 0; i < output.size(); ++i) {
    EXPECT_NEAR(output[i], GetParam().output[i], 1e-12) << "at " << i;
  }
}

TEST_P(EveryOperation, GradientsAndTangentsAgreeWithFiniteDifferences) {
  // Central differences with steps of 2^-16 err by 2^-32 times a third derivative, which only softmax has.
  const LayerGraph graph = random_graph_of(GetParam());
  const std::vector<double> input = vector_of(1, graph.input_size());
  const std::vector<double> weights = vector_of(2, graph.output_size());
  const Boundaries boundaries = reference_forward(graph, input);
  const std::vector<double> gradient = reference_backward(graph, boundaries, weights);
  for (std::size_t i = 0; i < input.size(); ++i) {
    const auto at = [&](double step) {
      std::vector<double> moved = input;
      moved[i] += step;
      return reference_outputs(graph, reference_forward(graph, moved));
    };
    const std::vector<double> above = at(0x1p-16);
    const std::vector<double> below = at(-0x1p-16);
    EXPECT_NEAR(gradient[i], (dot(weights, above) - dot(weights, below)) / 0x1p-15, 1e-8) << "input " << i;
    std::vector<double> direction(input.size(), 0.0);
    direction[i] = 1.0;
    const std::vector<double> tangent = reference_outputs(graph, reference_tangent(graph, boundaries, direction));
    for (std::size_t o = 0; o < tangent.size(); ++o) {
      EXPECT_NEAR(tangent[o], (above[o] - below[o]) / 0x1p-15, 1e-8) << "input " << i << ", output " << o;
    }
  }
}

TEST_P(EveryOperation, PullsBackByTheTransposeOfWhatItPushesForward) {
  const LayerGraph graph = random_graph_of(GetParam());
  const Boundaries boundaries = reference_forward(graph, vector_of(1, graph.input_size()));
  const std::vector<double> u = vector_of(2, graph.output_size());
  const std::vector<double> v = vector_of(3, graph.input_size());
  const double pulled = dot(reference_backward(graph, boundaries, u), v);
  const double pushed = dot(u, reference_outputs(graph, reference_tangent(graph, boundaries, v)));
  EXPECT_NEAR(pulled, pushed, 1e-12 * (1.0 + std::abs(pulled)));
}

TEST_P(EveryOperation, RefusesWhatMakesNoSense) {
  LayerGraph graph{.inputs = GetParam().inputs};
  try {
    graph.add(GetParam().operation, GetParam().bad);
    FAIL() << "accepted";
  } catch (const Misuse& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(GetParam().misuse));
  }
  EXPECT_TRUE(graph.layers.empty());
}

TEST_P(EveryOperation, AgreesOnEveryBackendThatDoesNotRefuseIt) {
  for (std::size_t activation = 0; activation < kActivations; ++activation) {
    OperationCase operation = GetParam();
    operation.options.activation = static_cast<Activation>(activation);
    operation.options.slope = 0.3;
    operation.options.low = -0.4;
    operation.options.high = 0.6;
    const LayerGraph graph = random_graph_of(operation);
    int ran = 0;
    for (const Backend* backend : backends()) {
      if (backend->name() == "probe") {  // another test's
        continue;
      }
      const std::string reason = backend->unsupported(graph);
      if (reason.empty()) {
        SCOPED_TRACE(backend->name());
        const auto network = backend->compile(graph);
        EXPECT_FALSE(network->tangent_backend().empty());
        expect_agrees(*network, 9);
        ++ran;
      } else {
        EXPECT_EQ(backend->name(), "onednn") << reason;
      }
    }
    expect_agrees(*compile_trainable(graph), 2);
    EXPECT_GE(ran, 2) << "native and reference run all";
  }
}

INSTANTIATE_TEST_SUITE_P(Operations, EveryOperation, testing::ValuesIn(operation_cases()),
                         [](const auto& row) { return std::string(name(row.param.operation)); });

TEST(Operations, EachHasItsCase) {
  std::vector<std::string_view> cases;
  for (const OperationCase& operation : operation_cases()) {
    cases.push_back(name(operation.operation));
  }
  std::vector<std::string_view> all;
  for (const OperationEntry& entry : operations()) {
    all.push_back(entry.name);
    EXPECT_FALSE(entry.description.empty());
  }
  EXPECT_EQ(cases, all) << "one row of operation_cases.h for each operation, in the same order";
}

TEST(Operations, AnOptionThatAnOperationDoesNotReadIsRefused) {
  LayerGraph graph{.inputs = {{2, 3, 3}}};
  EXPECT_THROW(graph.add(Operation::softmax, {.channels = 2}), Misuse);
  EXPECT_THROW(graph.add(Operation::convolution, {.channels = 2, .align_corners = true}), Misuse);
  EXPECT_NO_THROW(graph.add(Operation::convolution, {.channels = 2, .groups = 2}));
}

TEST(Operations, AScaleAndShiftIsADepthwiseConvolution) {
  LayerGraph graph{.inputs = {{2, 1, 2}}};
  add_scale_and_shift(graph, std::vector<float>{2.0F, 3.0F}, std::vector<float>{10.0F, 20.0F});
  EXPECT_TRUE(graph.layers[0].depthwise());
  EXPECT_THAT(reference_forward(graph, std::vector<double>{1, 2, 3, 4}).back(), testing::ElementsAre(12, 14, 29, 32));
  EXPECT_THROW(add_scale_and_shift(graph, std::vector<float>{1.0F}, std::vector<float>{1.0F}), Misuse);
}

}  // namespace
}  // namespace vaeguard::networks
