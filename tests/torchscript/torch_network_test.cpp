// The torch backend agrees with the double-precision reference, forward and backward, in every form of a layer.
#include "vaeguard/torchscript/torch_network.h"

#include <numeric>

#include "tests/networks/agreement.h"
#include "tests/torchscript/residual_vae.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/random.h"
#include "vaeguard/models/conv_vae.h"

namespace vaeguard::networks {
namespace {

void expect_close(const Matrix& found, const Matrix& expected, std::string_view what) {
  ASSERT_EQ(found.rows(), expected.rows());
  ASSERT_EQ(found.columns(), expected.columns());
  float largest = 1.0F;
  for (const float value : expected.values()) {
    largest = std::max(largest, std::abs(value));
  }
  for (std::int64_t i = 0; i < expected.rows(); ++i) {
    for (std::int64_t j = 0; j < expected.columns(); ++j) {
      // Float sums of up to 1,152 terms against double: 1e-5 of the largest value is ten times the usual rounding.
      ASSERT_NEAR(found(i, j), expected(i, j), 1e-5F * largest) << what << " at " << i << ", " << j;
    }
  }
}

void expect_agreement(LayerGraph graph, std::int64_t rows) {
  fill_normal(Key(1), graph.parameters);
  for (float& value : graph.parameters) {
    value *= 0.2F;
  }
  const auto torch = torch_backend().compile(graph);
  const auto reference = compile(graph, "reference");
  Matrix inputs(rows, graph.input_size());
  Matrix gradients(rows, graph.output_size());
  fill_normal(Key(2), inputs.flat());
  fill_normal(Key(3), gradients.flat());
  const auto torch_tape = torch->make_tape();
  const auto reference_tape = reference->make_tape();
  Matrix found;
  Matrix expected;
  torch->forward(inputs, found, *torch_tape);
  reference->forward(inputs, expected, *reference_tape);
  expect_close(found, expected, "forward");
  reference->backward(gradients, expected, *reference_tape);
  for (int again = 0; again < 2; ++again) {
    torch->backward(gradients, found, *torch_tape);
    expect_close(found, expected, "backward");
  }
}

LayerGraph single(Operation operation, ImageShape input, const LayerOptions& options) {
  LayerGraph graph{.inputs = {input}};
  graph.add(operation, options);
  return graph;
}

TEST(TorchNetwork, AgreesWithTheReferenceInEveryFormOfALayer) {
  constexpr auto kPlain = Operation::convolution;
  constexpr auto kTransposed = Operation::transposed_convolution;
  expect_agreement(single(kPlain, {2, 9, 7}, {.channels = 3, .kernel = 3, .stride = 2, .padding = 1}), 3);
  expect_agreement(single(kTransposed, {5, 1, 1}, {.channels = 3, .kernel = 3, .dilation = 2}), 3);
  expect_agreement(single(kTransposed, {5, 1, 1}, {.channels = 3, .kernel = 4}), 3);
  expect_agreement(single(kTransposed, {2, 4, 5}, {.channels = 3, .kernel = 3, .padding = 1, .dilation = 2}), 3);
  expect_agreement(single(kTransposed, {2, 4, 5}, {.channels = 3, .kernel = 4, .stride = 2, .padding = 1}), 3);
  expect_agreement(single(kTransposed, {2, 4, 5}, {.channels = 3, .kernel = 3, .stride = 3}), 3);
}

TEST(TorchNetwork, AgreesWithTheReferenceOnThePapersVae) {
  const models::VaeWeights vae = models::conv_vae({1, 28, 28}, {}, Key(1));
  expect_agreement(vae.encoder, 2);
  expect_agreement(vae.decoder, 2);
}

TEST(TorchNetwork, AgreesWithTheReferenceOnRandomGraphsOfEveryKindOfLayer) {
  for (std::uint64_t g = 0; g < 60; ++g) {
    const LayerGraph graph = random_graph(Key(3000 + g));
    expect_agrees(*torch_backend().compile(graph));
  }
}

TEST(TorchNetwork, AgreesWithTheReferenceOnAResidualVae) {
  const models::VaeWeights vae = torchscript::residual_vae();
  expect_agrees(*torch_backend().compile(vae.encoder));
  expect_agrees(*torch_backend().compile(vae.decoder));
}

TEST(TorchNetwork, UpsamplesByAnyFactorExactly) {
  // Dividing positions by 41 in float arithmetic takes the source before the right one for some of them.
  const auto network = torch_backend().compile(single(Operation::upsampling, {1, 1, 40}, {.stride = 41}));
  Matrix inputs(1, 40);
  std::iota(inputs.data(), inputs.data() + 40, 0.0F);
  Matrix outputs;
  const auto tape = network->make_tape();
  network->forward(inputs, outputs, *tape);
  for (int x = 0; x < 40 * 41; ++x) {
    ASSERT_EQ(outputs(0, x), static_cast<float>(x / 41)) << x;
  }
}

TEST(TorchNetwork, RunsOnTheDeviceThatIsNamed) {
  const LayerGraph graph = random_graph(Key(3000));
  const auto network = compile_torch(graph, "cpu");
  EXPECT_EQ(network->backend(), "torch");
  expect_agrees(*network);
  EXPECT_THROW((void)compile_torch(graph, "abacus"), Misuse);
}

TEST(TorchNetwork, TheGpuBackendRunsOrSaysThatThereIsNoGpu) {
  const LayerGraph graph = random_graph(Key(3000));
  const Backend& backend = torch_cuda_backend();
  EXPECT_EQ(backend.name(), "torch_cuda");
  if (backend.unsupported(graph).empty()) {
    for (std::uint64_t g = 0; g < 60; ++g) {
      expect_agrees(*backend.compile(random_graph(Key(3000 + g))));
    }
  } else {
    EXPECT_EQ(backend.unsupported(graph), "libtorch sees no GPU");
    EXPECT_THROW((void)backend.compile(graph), Misuse);
  }
}

TEST(TorchNetwork, TakesNoRows) {
  const LayerGraph decoder = torchscript::residual_vae().decoder;
  const auto network = torch_backend().compile(decoder);
  const auto tape = network->make_tape();
  Matrix outputs;
  network->forward(Matrix(0, decoder.input_size()), outputs, *tape);
  EXPECT_EQ(outputs.rows(), 0);
}

TEST(TorchNetwork, RefusesAGraphWithoutLayersAndWrongInputs) {
  EXPECT_FALSE(torch_backend().unsupported({}).empty());
  const auto network = torch_backend().compile(single(Operation::convolution, {1, 3, 3}, {.channels = 1}));
  const auto tape = network->make_tape();
  Matrix outputs;
  EXPECT_THROW(network->forward(Matrix(1, 8), outputs, *tape), Misuse);
}

}  // namespace
}  // namespace vaeguard::networks
