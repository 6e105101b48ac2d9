// Runs an imported graph on one or more images with the readable reference.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/importers/onnx_writer.h"
#include "vaeguard/importers/onnx_import.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::importers {

using Shape = std::vector<std::int64_t>;
using Reals = std::vector<float>;

/// A graph from "x" of that shape, the batch first, to "y", whose nodes are to be written.
inline OnnxWriter on(const Shape& shape, std::int64_t opset = 13) {
  OnnxWriter writer(opset);
  writer.input("x", shape).output("y");
  return writer;
}

inline networks::LayerGraph imported(const OnnxWriter& writer) {
  return import_network(parse_onnx(writer.bytes(), "test.onnx")).graph;
}

/// Rows of inputs, one after the other -> rows of outputs, by the backend; all outputs of a row one after the other.
inline std::vector<float> run_graph(const networks::LayerGraph& graph, const std::vector<float>& inputs,
                                    std::string_view backend = "reference") {
  const auto rows = static_cast<std::int64_t>(inputs.size()) / graph.input_size();
  const Matrix result =
      networks::forward_all(*networks::compile(graph, backend), Matrix(rows, graph.input_size(), inputs), 1);
  return result.values();
}

/// Expects that the model gives `outputs` for `inputs`, by the reference and by the backend that would be used.
inline void expect_gives(const OnnxWriter& writer, const std::vector<float>& inputs,
                         const std::vector<float>& outputs) {
  const networks::LayerGraph graph = imported(writer);
  for (const char* backend : {"reference", "auto"}) {
    EXPECT_THAT(run_graph(graph, inputs, backend), testing::Pointwise(testing::FloatNear(1e-5F), outputs)) << backend;
  }
}

}  // namespace vaeguard::importers
