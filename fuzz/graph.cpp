// Bytes as the seed of a random layer graph: the native backend must agree with the reference, forward and backward.
#include <cstring>

#include "fuzz/target.h"
#include "tests/networks/random_graph.h"
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
  const Matrix inputs = random_matrix(key.fold("inputs"), 3, graph.input.size());
  const Matrix output_gradients = random_matrix(key.fold("gradients"), 3, graph.output().size());
  const auto tape = network->make_tape();
  Matrix outputs;
  Matrix gradients;
  network->forward(inputs, outputs, *tape);
  network->backward(output_gradients, gradients, *tape);
  const Tolerance tolerance(graph);
  for (std::int64_t b = 0; b < inputs.rows(); ++b) {
    const Strays strays = tolerance.forward(inputs.row(b));
    demand_near(outputs.row(b), strays.values.back(), strays.back(), tolerance.unit());
    if (!tolerance.near_kink(strays)) {
      demand_near(gradients.row(b), reference_backward(graph, strays.values, in_double(output_gradients.row(b))),
                  tolerance.backward(strays, output_gradients.row(b)), tolerance.unit());
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
