// Bytes as the seed of a random layer graph: the native backend must agree with the reference, forward, backward and
// along a tangent.
#include <cstring>

#include "fuzz/target.h"
#include "tests/networks/tolerance.h"
#include "vaeguard/networks/native/native_network.h"

using namespace vaeguard;
using namespace vaeguard::networks;

namespace {

void demand_near(std::span<const float> actual, const std::vector<double>& expected, const std::vector<double>& errors,
                 double unit) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    fuzz::demand(std::abs(actual[i] - expected[i]) <= unit * errors[i]);
  }
}

void compare(const LayerGraph& graph, Key key) {
  const auto network = native_backend().compile(graph);
  const Matrix inputs = random_matrix(key.fold("inputs"), 3, graph.input_size());
  const Matrix output_gradients = random_matrix(key.fold("gradients"), 3, graph.output_size());
  const Matrix input_tangents = random_matrix(key.fold("tangents"), 3, graph.input_size());
  const auto tape = network->make_tape();
  Matrix outputs;
  Matrix gradients;
  Matrix tangents;
  network->forward(inputs, outputs, *tape);
  network->backward(output_gradients, gradients, *tape);
  network->tangent(input_tangents, tangents, *tape);
  const Tolerance tolerance(graph);
  for (std::int64_t b = 0; b < inputs.rows(); ++b) {
    const Strays strays = tolerance.forward(inputs.row(b));
    demand_near(outputs.row(b), reference_outputs(graph, strays.values), tolerance.outputs(strays), tolerance.unit());
    if (!tolerance.near_kink(strays)) {
      demand_near(gradients.row(b), reference_backward(graph, strays.values, in_double(output_gradients.row(b))),
                  tolerance.backward(strays, output_gradients.row(b)), tolerance.unit());
      const Boundaries truth = reference_tangent(graph, strays.values, in_double(input_tangents.row(b)));
      demand_near(tangents.row(b), reference_outputs(graph, truth), tolerance.tangent(strays, input_tangents.row(b)),
                  tolerance.unit());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::uint64_t seed = 0;
  std::memcpy(&seed, data, std::min(size, sizeof seed));
  const Key key(seed);
  compare(random_graph(key, {.simple = seed % 2 == 0}), key);
  return 0;
}
