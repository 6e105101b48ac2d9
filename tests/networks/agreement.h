// What every backend's test asks of a network: agreement with double precision within the derived tolerance.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "tests/networks/tolerance.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::networks {

/// |actual - expected| within unit * error everywhere.
template <typename Values>
void expect_near(const Values& actual, const std::vector<double>& expected, const std::vector<double>& error,
                 double unit) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], unit * error[i]) << "at " << i;
  }
}

/// Outputs, input gradients and tangents of every row of what computes `graph`. A sum within rounding of a kink could
/// fall to its other side; with fixed keys none of the graphs in use has one.
inline void expect_agrees(const DifferentiableFunction& function, const LayerGraph& graph, std::int64_t rows = 3) {
  SCOPED_TRACE(trace_of(graph));
  const Tolerance tolerance(graph);
  const Matrix inputs = random_matrix(Key(1), rows, graph.input_size());
  const Matrix output_gradients = random_matrix(Key(2), rows, graph.output_size());
  const Matrix input_tangents = random_matrix(Key(3), rows, graph.input_size());
  const auto tape = function.make_tape();
  Matrix outputs;
  Matrix gradients;
  Matrix tangents;
  function.forward(inputs, outputs, *tape);
  function.tangent(input_tangents, tangents, *tape);
  function.backward(output_gradients, gradients, *tape);
  for (std::int64_t b = 0; b < rows; ++b) {
    const Strays strays = tolerance.forward(inputs.row(b));
    expect_near(outputs.row(b), reference_outputs(graph, strays.values), tolerance.outputs(strays), tolerance.unit());
    expect_near(gradients.row(b), reference_backward(graph, strays.values, in_double(output_gradients.row(b))),
                tolerance.backward(strays, output_gradients.row(b)), tolerance.unit());
    const Boundaries truth = reference_tangent(graph, strays.values, in_double(input_tangents.row(b)));
    expect_near(tangents.row(b), reference_outputs(graph, truth), tolerance.tangent(strays, input_tangents.row(b)),
                tolerance.unit());
  }
}

inline void expect_agrees(const Network& network, std::int64_t rows = 3) {
  expect_agrees(network, network.graph(), rows);
}

}  // namespace vaeguard::networks
