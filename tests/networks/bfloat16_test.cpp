// Networks in bfloat16 against a double-precision reference that rounds where they round, and what is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/networks/bfloat16_here.h"
#include "tests/networks/run_again.h"
#include "tests/networks/tolerance.h"
#include "vaeguard/networks/native/bfloat16.h"
#include "vaeguard/networks/native/kernels.h"
#include "vaeguard/networks/native/native_network.h"

namespace vaeguard::networks {
namespace {

constexpr std::uint64_t kGraphs = 24;
constexpr std::int64_t kRows = 5;
constexpr double kUnit = 1.0 / 256.0;  // largest relative error of a rounding to 8 bits

double rounded(double value) { return native::to_float(native::to_bfloat16(static_cast<float>(value))); }

void round_all(std::vector<double>& values) { std::ranges::transform(values, values.begin(), rounded); }

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Channels that come in pairs are rounded between layers, others are not.
bool rounds(const ImageShape& shape) { return shape.channels % 2 == 0; }

std::shared_ptr<const Network> compile_bfloat16(const LayerGraph& graph) {
  return native_backend().compile(graph, Precision::bfloat16);
}

LayerGraph with_rounded_weights(LayerGraph graph) {
  for (const Layer& layer : graph.layers) {
    for (float& weight : graph.weight(layer)) {
      weight = static_cast<float>(rounded(weight));
    }
  }
  return graph;
}

/// One layer of a graph by itself.
LayerGraph single(const LayerGraph& graph, std::size_t layer) {
  LayerGraph result{
      .inputs = graph.layers[layer].inputs, .layers = {graph.layers[layer]}, .parameters = graph.parameters};
  result.layers[0].sources = {0};
  return result;
}

/// What a bfloat16 network gives, in double but for the roundings of inputs, values, gradients and tangents between
/// layers.
struct Rounding {
  explicit Rounding(const LayerGraph& the_graph) : graph(with_rounded_weights(the_graph)) {}

  [[nodiscard]] std::vector<std::vector<double>> forward(std::span<const float> input) const {
    std::vector<std::vector<double>> boundaries{in_double(input)};
    for (std::size_t l = 0; l < graph.layers.size(); ++l) {
      if (rounds(graph.layers[l].input())) {
        round_all(boundaries[l]);
      }
      boundaries.push_back(reference_forward(single(graph, l), boundaries[l]).back());
    }
    return boundaries;
  }

  [[nodiscard]] std::vector<double> backward(const std::vector<std::vector<double>>& boundaries,
                                             std::span<const float> output_gradient) const {
    std::vector<double> gradient = in_double(output_gradient);
    for (std::size_t l = graph.layers.size(); l-- > 0;) {
      if (rounds(graph.layers[l].output)) {
        round_all(gradient);
      }
      gradient = reference_backward(single(graph, l), {boundaries[l], boundaries[l + 1]}, gradient);
    }
    return gradient;
  }

  [[nodiscard]] std::vector<double> tangent(const std::vector<std::vector<double>>& boundaries,
                                            std::span<const float> input_tangent) const {
    std::vector<double> tangent = in_double(input_tangent);
    for (std::size_t l = 0; l < graph.layers.size(); ++l) {
      if (rounds(graph.layers[l].input())) {
        round_all(tangent);
      }
      tangent = reference_tangent(single(graph, l), {boundaries[l], boundaries[l + 1]}, tangent).back();
    }
    return tangent;
  }

  LayerGraph graph;
};

/// Counts how many values agree as floats do, with all within `loose` of the magnitudes that were added up.
struct Agreement {
  std::int64_t values = 0;
  std::int64_t as_floats = 0;

  void add(std::span<const float> actual, const std::vector<double>& expected, const std::vector<double>& magnitude,
           double tight, double loose) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(actual[i], expected[i], loose * magnitude[i]) << "at " << i;
      ++values;
      as_floats += std::abs(actual[i] - expected[i]) <= tight * magnitude[i];
    }
  }
};

/// Float sums differ from double ones in the last bits, so that now and then a value between layers is rounded to its
/// other neighbour, and constants that were folded into biases are not rounded at all: either is one rounding of a
/// value, of which a result sees at most one a layer and direction, through the magnitudes of Tolerance. All other
/// results agree as floats do.
Agreement agreement(const LayerGraph& graph) {
  const auto network = compile_bfloat16(graph);
  const Rounding reference(graph);
  const Tolerance tolerance(reference.graph);
  const double roundings = std::pow(1.0 + kUnit, 2.0 * static_cast<double>(graph.layers.size()) + 1.0) - 1.0;
  const Matrix inputs = random_matrix(Key(1), kRows, graph.input_size());
  const Matrix output_gradients = random_matrix(Key(2), kRows, graph.output_size());
  const Matrix input_tangents = random_matrix(Key(3), kRows, graph.input_size());
  const auto tape = network->make_tape();
  Matrix outputs;
  Matrix gradients;
  Matrix tangents;
  network->forward(inputs, outputs, *tape);
  network->tangent(input_tangents, tangents, *tape);
  network->backward(output_gradients, gradients, *tape);
  Agreement result;
  for (std::int64_t b = 0; b < kRows; ++b) {
    const auto boundaries = reference.forward(inputs.row(b));
    const auto magnitudes = tolerance.forward(inputs.row(b));
    result.add(outputs.row(b), boundaries.back(), magnitudes.errors.back(), tolerance.unit(),
               tolerance.unit() + roundings);
    result.add(gradients.row(b), reference.backward(boundaries, output_gradients.row(b)),
               tolerance.backward(magnitudes, output_gradients.row(b)), tolerance.unit(), tolerance.unit() + roundings);
    result.add(tangents.row(b), reference.tangent(boundaries, input_tangents.row(b)),
               tolerance.tangent(magnitudes, input_tangents.row(b)), tolerance.unit(), tolerance.unit() + roundings);
  }
  return result;
}

TEST(Bfloat16, RoundsToNearestWithTiesToEven) {
  const auto round_bits = [](std::uint32_t bits) { return native::to_bfloat16(std::bit_cast<float>(bits)); };
  EXPECT_EQ(round_bits(0x3F800000), 0x3F80);  // 1
  EXPECT_EQ(round_bits(0x3F807FFF), 0x3F80);
  EXPECT_EQ(round_bits(0x3F808000), 0x3F80);  // a tie, down to even
  EXPECT_EQ(round_bits(0x3F808001), 0x3F81);
  EXPECT_EQ(round_bits(0x3F818000), 0x3F82);  // a tie, up to even
  EXPECT_EQ(round_bits(0xBF818000), 0xBF82);
  EXPECT_EQ(round_bits(0x7F7FFFFF), 0x7F80);  // the largest float becomes infinite
  EXPECT_EQ(round_bits(0xFF800000), 0xFF80);
  EXPECT_TRUE(std::isnan(native::to_float(round_bits(0x7F800001))));
  EXPECT_TRUE(std::isnan(native::to_float(round_bits(0xFFFFFFFF))));
}

/// As decoders begin: a point, then taps with gaps that are folded away, then layers that read the gaps.
LayerGraph small_decoder() {
  LayerGraph graph{.inputs = {{16, 1, 1}}};
  graph
      .add(Operation::transposed_convolution,
           {.channels = 34, .kernel = 3, .dilation = 2, .activation = Activation::relu})
      .add(Operation::transposed_convolution, {.channels = 18, .kernel = 3, .activation = Activation::relu})
      .add(Operation::transposed_convolution, {.channels = 1, .kernel = 4, .stride = 2, .padding = 1});
  randomise(graph, Key(10));
  return graph;
}

/// Two layers with nothing to fold: only one value in thousands is rounded the other way.
LayerGraph two_layers() {
  LayerGraph graph{.inputs = {{12, 4, 4}}};
  graph.add(Operation::convolution, {.channels = 20, .kernel = 3, .padding = 1, .activation = Activation::relu})
      .add(Operation::convolution, {.channels = 6, .kernel = 3});
  randomise(graph, Key(11));
  return graph;
}

TEST(Bfloat16Differential, NetworksAgreeWithAReferenceThatRoundsAsTheyDo) {
  std::vector<LayerGraph> graphs{small_decoder(), two_layers()};
  for (std::uint64_t g = 0; g < kGraphs; ++g) {
    graphs.push_back(random_graph(Key(1000 + g), {.simple = true}));
  }
  Agreement all;
  for (const LayerGraph& graph : graphs) {
    SCOPED_TRACE(describe(graph.layers.front()));
    const Agreement one = agreement(graph);
    all.values += one.values;
    all.as_floats += one.as_floats;
  }
  EXPECT_GT(static_cast<double>(all.as_floats), 0.9 * static_cast<double>(all.values))
      << all.as_floats << " of " << all.values;
}

TEST(Bfloat16Differential, ADifferenceOfOneWeightIsSeen) {
  // One more in the last of its eight bits, the least that a wrong weight can differ.
  const LayerGraph truth = two_layers();
  LayerGraph graph = with_rounded_weights(truth);
  float& weight =
      *std::ranges::max_element(graph.weight(graph.layers[1]), {}, [](float value) { return std::abs(value); });
  weight = native::to_float(static_cast<native::Half>(native::to_bfloat16(weight) + 1));
  const Matrix inputs = random_matrix(Key(1), 1, graph.input_size());
  const Rounding reference(truth);
  const Tolerance tolerance(reference.graph);
  const auto expected = reference.forward(inputs.row(0)).back();
  const auto magnitude = tolerance.forward(inputs.row(0)).errors.back();
  const auto strays = [&](const LayerGraph& of) {
    const auto network = compile_bfloat16(of);
    const auto tape = network->make_tape();
    Matrix outputs;
    network->forward(inputs, outputs, *tape);
    std::int64_t count = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      count += std::abs(outputs.row(0)[i] - expected[i]) > tolerance.unit() * magnitude[i];
    }
    return count;
  };
  EXPECT_EQ(strays(truth), 0);
  EXPECT_GE(strays(graph), 2);  // of the four positions of one channel
}

TEST(Bfloat16Differential, ItsGradientsAreCloseToThoseOfFloatButNotThose) {
  const LayerGraph graph = small_decoder();
  const Matrix inputs = random_matrix(Key(3), 20, graph.input_size());
  const Matrix output_gradients = random_matrix(Key(4), 20, graph.output_size());
  const auto gradients = [&](const Network& network) {
    const auto tape = network.make_tape();
    Matrix outputs;
    Matrix result;
    network.forward(inputs, outputs, *tape);
    network.backward(output_gradients, result, *tape);
    return result;
  };
  const Matrix exact = gradients(*native_backend().compile(graph));
  const Matrix rough = gradients(*compile_bfloat16(graph));
  double error = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < exact.values().size(); ++i) {
    const double difference = static_cast<double>(rough.values()[i]) - exact.values()[i];
    error += difference * difference;
    norm += static_cast<double>(exact.values()[i]) * exact.values()[i];
  }
  // Values that are 2^-8 of their scale away cross 0 in about 0.5 % of the ReLUs, which then give or take their whole
  // share of the gradient: sqrt(0.005) = 7 % of its norm. The roundings themselves are far less.
  EXPECT_LT(error, 0.15 * 0.15 * norm);
  EXPECT_GT(error, 1e-4 * 1e-4 * norm);
}

TEST(Bfloat16Independence, ARowsResultIsBitwiseTheSameInAnyBatchAndOrder) {
  constexpr std::int64_t kAll = 64;
  for (const LayerGraph& graph : {small_decoder(), two_layers(), random_graph(Key(1007), {.simple = true})}) {
    const auto network = compile_bfloat16(graph);
    const Matrix inputs = random_matrix(Key(3), kAll, graph.input_size());
    const Matrix output_gradients = random_matrix(Key(4), kAll, graph.output_size());
    const auto both = [&](const Matrix& some, const Matrix& gradients) {
      const auto tape = network->make_tape();
      std::pair<Matrix, Matrix> result;
      network->forward(some, result.first, *tape);
      network->backward(gradients, result.second, *tape);
      return result;
    };
    const auto all = both(inputs, output_gradients);
    for (const std::int64_t batch : {1, 7}) {
      for (std::int64_t first = 0; first < kAll; first += batch) {
        const std::int64_t count = std::min(batch, kAll - first);
        const auto part = both(inputs.slice(first, count), output_gradients.slice(first, count));
        EXPECT_EQ(part.first, all.first.slice(first, count));
        EXPECT_EQ(part.second, all.second.slice(first, count));
      }
    }
    const auto order = permutation(Key(5), kAll);
    const auto shuffled = both(inputs.gather(order), output_gradients.gather(order));
    EXPECT_EQ(shuffled.first, all.first.gather(order));
    EXPECT_EQ(shuffled.second, all.second.gather(order));
    EXPECT_EQ(forward_all(*network, inputs, 2), all.first);
  }
}

TEST(Bfloat16Independence, NotANumberStaysOneAndDoesNotReachItsNeighbours) {
  LayerGraph graph = two_layers();
  graph.layers[0].activation = Activation::none;
  const auto network = compile_bfloat16(graph);
  Matrix inputs = random_matrix(Key(7), 16, graph.input_size());
  const Matrix clean = forward_all(*network, inputs, 1);
  std::ranges::fill(inputs.row(5), std::numeric_limits<float>::quiet_NaN());
  const Matrix outputs = forward_all(*network, inputs, 1);
  EXPECT_EQ(outputs.slice(0, 5), clean.slice(0, 5));
  EXPECT_EQ(outputs.slice(6, 10), clean.slice(6, 10));
  EXPECT_TRUE(std::ranges::all_of(outputs.row(5), [](float value) { return std::isnan(value); }));
}

TEST(Bfloat16Choice, WhatItCannotRunIsNamed) {
  if (native::select_bfloat16_kernels().kernels == nullptr) {
    GTEST_SKIP() << "nothing is run in bfloat16 here";
  }
  const auto refusal = [](const LayerGraph& graph) { return native_backend().unsupported(graph, Precision::bfloat16); };
  const auto extended = [](Operation operation, const LayerOptions& options) {
    LayerGraph graph = two_layers();
    graph.add(operation, options);
    return graph;
  };
  EXPECT_EQ(refusal(two_layers()), "");
  EXPECT_NE(refusal(extended(Operation::convolution, {.channels = 6, .groups = 2})).find("layer 2"), std::string::npos);
  EXPECT_NE(refusal(extended(Operation::convolution, {.channels = 6, .activation = Activation::tanh})).find("tanh"),
            std::string::npos);
  EXPECT_NE(refusal(extended(Operation::upsampling, {.stride = 2})).find("upsampling"), std::string::npos);
  EXPECT_NE(refusal(extended(Operation::convolution, {.channels = 6, .sources = {1}})).find("layer 2"),
            std::string::npos);
  EXPECT_FALSE(refusal({}).empty());
}

TEST(Bfloat16Choice, OtherBackendsRefuseIt) {
  for (const Backend* backend : backends()) {
    if (backend->name() != "native") {
      EXPECT_NE(backend->unsupported(two_layers(), Precision::bfloat16), "") << backend->name();
    }
  }
}

TEST(Bfloat16Choice, IsWhatTheProcessorAndTheEnvironmentAllow) {
  const std::string wanted = environment("VAEGUARD_BF16");
  const std::string set = environment("VAEGUARD_ISA");
  const std::string refusal = native_backend().unsupported(two_layers(), Precision::bfloat16);
  const std::string description = native_backend().description();
  if (wanted == "emulated") {
    EXPECT_EQ(refusal, "");
    EXPECT_NE(description.find("bfloat16 emulated"), std::string::npos) << description;
  } else if (!has_bfloat16()) {
    EXPECT_EQ(refusal, "this processor has no AVX512-BF16");
    EXPECT_EQ(description.find("bfloat16"), std::string::npos) << description;
  } else if (set.empty() || set == "avx512") {
    EXPECT_EQ(refusal, "");
    EXPECT_NE(description.find("bfloat16 by avx512bf16"), std::string::npos) << description;
  } else {
    EXPECT_EQ(refusal, "VAEGUARD_ISA names an instruction set without bfloat16");
  }
}

TEST(Bfloat16InstructionSets, EachOfThisProcessorEmulatesIt) {
  for (const std::string& set : instruction_sets()) {
    const Child emulated = run_again("VAEGUARD_BF16=emulated VAEGUARD_ISA=" + set, "Bfloat16*:-*InstructionSets*");
    EXPECT_EQ(emulated.status, 0) << set << "\n" << emulated.output;
    EXPECT_NE(emulated.output.find("[  PASSED  ] 9 tests"), std::string::npos) << emulated.output;
    const Child plain = run_again("VAEGUARD_BF16= VAEGUARD_ISA=" + set, "Bfloat16Choice.*");
    EXPECT_EQ(plain.status, 0) << set << "\n" << plain.output;
  }
}

TEST(Bfloat16InstructionSets, AnUnknownWishIsRefused) {
  const Child child = run_again("VAEGUARD_BF16=abacus", "Bfloat16Choice.OtherBackendsRefuseIt");
  EXPECT_EQ(child.status, 0) << child.output;  // nobody asked
  const Child asked = run_again("VAEGUARD_BF16=abacus", "Bfloat16Differential.ADifferenceOfOneWeightIsSeen");
  EXPECT_NE(asked.status, 0);
  EXPECT_NE(asked.output.find("VAEGUARD_BF16 must be emulated or not set, got 'abacus'"), std::string::npos);
}

}  // namespace
}  // namespace vaeguard::networks
