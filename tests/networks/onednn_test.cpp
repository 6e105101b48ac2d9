// The onednn backend against double precision on chains and on graphs with branches, and its independence of the batch.
#ifdef VAEGUARD_WITH_ONEDNN
#include "vaeguard/networks/onednn/onednn_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/networks/agreement.h"
#include "vaeguard/networks/onednn/choose_form.h"

namespace vaeguard::networks {
namespace {

using testing::HasSubstr;

/// The paper's decoder of MNIST.
LayerGraph paper_decoder() {
  LayerGraph graph{.inputs = {{64, 1, 1}}};
  const auto transposed = Operation::transposed_convolution;
  const auto relu = Activation::relu;
  graph.add(transposed, {.channels = 128, .kernel = 3, .dilation = 2, .activation = relu})
      .add(transposed, {.channels = 96, .kernel = 3, .activation = relu})
      .add(transposed, {.channels = 64, .kernel = 3, .padding = 1, .activation = relu})
      .add(transposed, {.channels = 32, .kernel = 4, .stride = 2, .padding = 1, .activation = relu})
      .add(transposed, {.channels = 1, .kernel = 4, .stride = 2, .padding = 1});
  randomise(graph, Key(3));
  return graph;
}

/// An encoder with a residual block and a skip from the input, of layers that chains do not have.
LayerGraph branching_graph(Activation activation) {
  LayerGraph graph{.inputs = {{6, 5, 5}}};
  const double slope = 0.3;
  graph
      .add(Operation::convolution,
           {.channels = 12, .kernel = 3, .padding = 1, .groups = 3, .activation = activation, .slope = slope})  // 1
      .add(Operation::convolution, {.channels = 6, .kernel = 3, .padding = 2, .dilation = 2})                   // 2
      .add(Operation::addition, {.activation = activation, .slope = slope, .sources = {2, 0}})                  // 3
      .add(Operation::transposed_convolution, {.channels = 8,
                                               .kernel = 3,
                                               .stride = 2,
                                               .padding = 1,
                                               .output_padding = 1,
                                               .groups = 2,
                                               .activation = activation,
                                               .slope = slope})   // 4: 8 x 10 x 10
      .add(Operation::pixel_shuffle, {.stride = 2})               // 5: 2 x 20 x 20
      .add(Operation::upsampling, {.stride = 4, .sources = {3}})  // 6: 6 x 20 x 20
      .add(Operation::convolution, {.channels = 2, .kernel = 1})  // 7
      .add(Operation::addition, {.sources = {7, 5}})              // 8
      .add(Operation::addition, {.sources = {8, 8}})              // 9: twice the same
      .add(Operation::convolution, {.channels = 3,
                                    .kernel = 4,
                                    .stride = 2,
                                    .padding = 1,
                                    .activation = activation,
                                    .slope = slope})    // 10: 3 x 10 x 10
      .add(Operation::reshape, {.shape = {300, 1, 1}})  // 11
      .add(Operation::convolution, {.channels = 9, .activation = activation, .slope = slope});
  randomise(graph, Key(4));
  return graph;
}

struct Result {
  Matrix outputs;
  Matrix gradients;
  friend bool operator==(const Result&, const Result&) = default;
};

Result run(const Network& network, const Matrix& inputs, const Matrix& output_gradients, Tape& tape) {
  Result result;
  network.forward(inputs, result.outputs, tape);
  network.backward(output_gradients, result.gradients, tape);
  return result;
}
Result run(const Network& network, const Matrix& inputs, const Matrix& output_gradients) {
  return run(network, inputs, output_gradients, *network.make_tape());
}

void expect_agrees(const LayerGraph& graph) { expect_agrees(*onednn_backend().compile(graph), 2); }

TEST(OneDnnDifferential, RandomChainsAgreeWithDoublePrecision) {
  for (std::uint64_t seed = 1000; seed < 1060; ++seed) {
    expect_agrees(random_graph(Key(seed), {.general = false}));
  }
}

TEST(OneDnnDifferential, ThePapersDecoderAgreesWithDoublePrecision) { expect_agrees(paper_decoder()); }

TEST(OneDnnDifferential, GapsBeforeALayerOfAnyShapeAreClosedRightly) {
  for (const int dilation : {2, 3}) {
    for (const int stride : {1, 2}) {
      for (const Activation activation : {Activation::relu, Activation::sigmoid}) {
        LayerGraph graph{.inputs = {{5, 1, 1}}};
        graph
            .add(Operation::transposed_convolution,
                 {.channels = 6, .kernel = 3, .dilation = dilation, .activation = activation})
            .add(Operation::transposed_convolution,
                 {.channels = 4, .kernel = 3, .stride = stride, .padding = 1, .dilation = 2, .groups = 2})
            .add(Operation::convolution, {.channels = 2, .kernel = 2});
        randomise(graph, Key(5));
        expect_agrees(graph);
      }
    }
  }
}

TEST(OneDnnDifferential, ALayerWithGapsKeepsThemWhereAnotherReadsIt) {
  LayerGraph graph{.inputs = {{5, 1, 1}}};
  const LayerOptions gaps{.channels = 6, .kernel = 2, .dilation = 2, .activation = Activation::relu};
  graph.add(Operation::transposed_convolution, gaps)
      .add(Operation::transposed_convolution, {.channels = 6, .kernel = 3, .padding = 1})
      .add(Operation::addition, {.sources = {2, 1}});
  randomise(graph, Key(6));
  expect_agrees(graph);
}

TEST(OneDnnDifferential, BranchesGroupsAndEveryActivationAgreeWithDoublePrecision) {
  for (const Activation activation : {Activation::none, Activation::relu, Activation::leaky_relu, Activation::elu,
                                      Activation::silu, Activation::tanh, Activation::sigmoid}) {
    expect_agrees(branching_graph(activation));
  }
}

TEST(OneDnnDifferential, AnUnusedBranchAndAnUnusedInputAreHarmless) {
  LayerGraph graph{.inputs = {{3, 2, 2}}};
  graph.add(Operation::convolution, {.channels = 4, .activation = Activation::silu})
      .add(Operation::convolution, {.channels = 2, .kernel = 2, .sources = {0}});
  randomise(graph, Key(7));
  expect_agrees(graph);
}

/// Every form that a map of this layer can take, run on its own.
void expect_forms_agree(const Layer& layer, bool scatter, std::span<const float> weights) {
  using namespace onednn;
  const Geometry shape = geometry(layer);
  const std::int64_t rows = 4;
  const ImageShape from = scatter ? shape.coarse : shape.fine;
  const ImageShape to = scatter ? shape.fine : shape.coarse;
  const std::vector<float> bias = random_matrix(Key(8), 1, to.channels).values();
  const Epilogue epilogue{.bias = bias, .activation = Activation::relu, .slope = 0.0};
  const Matrix source = random_matrix(Key(9), rows, from.size());
  std::vector<float> first;
  for (const Form form : possible_forms(shape, scatter, epilogue)) {
    std::vector<Call> calls;
    const LinearMap map(shape, scatter, form, weights, epilogue, rows, calls);
    Workspace workspace(calls, map.columns());
    std::vector<float> result(static_cast<std::size_t>(rows * to.size()), -1.0F);
    map.run(workspace, source.data(), result.data());
    if (first.empty()) {
      first = result;
    }
    const double fan = static_cast<double>(shape.taps() * from.channels);
    for (std::size_t i = 0; i < result.size(); ++i) {
      // Sums of about unit size, twice rounded in the manner that Tolerance explains.
      ASSERT_NEAR(result[i], first[i], 1e-6 * (8.0 + std::sqrt(fan)))
          << name(form) << (scatter ? " scatter of " : " gather of ") << describe(layer);
    }
  }
}

TEST(OneDnnForms, AllFormsOfAMapGiveTheSame) {
  const onednn::OneThread one;
  for (std::uint64_t seed = 1000; seed < 1030; ++seed) {
    const LayerGraph graph = random_graph(Key(seed), {.simple = true});
    for (const Layer& layer : graph.layers) {
      expect_forms_agree(layer, true, graph.weight(layer));
      expect_forms_agree(layer, false, graph.weight(layer));
    }
  }
}

TEST(OneDnnForms, AStopwatchChoosesOneThatAgreesToo) {
  setenv("VAEGUARD_ONEDNN_MEASURE", "1", 1);
  for (std::uint64_t seed = 1000; seed < 1010; ++seed) {
    expect_agrees(random_graph(Key(seed), {.general = false}));
  }
  unsetenv("VAEGUARD_ONEDNN_MEASURE");
}

TEST(OneDnnForms, TheRuleTakesTheMeasuredOnesForThePapersDecoder) {
  using namespace onednn;
  const auto rule = [](const ImageShape& fine, const ImageShape& coarse, int kernel, int stride, bool scatter) {
    const Geometry shape{.fine = fine, .coarse = coarse, .kernel = kernel, .stride = stride, .padding = 1};
    return choose_form(shape, scatter, {}, 8);
  };
  EXPECT_EQ(rule({64, 7, 7}, {96, 7, 7}, 3, 1, true), Form::transpose) << "a fifth of the taps lies in the padding";
  EXPECT_EQ(rule({32, 14, 14}, {64, 7, 7}, 4, 2, true), Form::columns);
  EXPECT_EQ(rule({32, 14, 14}, {64, 7, 7}, 4, 2, false), Form::columns);
  EXPECT_EQ(rule({1, 28, 28}, {32, 14, 14}, 4, 2, false), Form::direct) << "columns of single floats";
}

TEST(OneDnnRows, AreBitForBitIndependentOfTheBatch) {
  std::vector<LayerGraph> graphs{paper_decoder(), branching_graph(Activation::silu), branching_graph(Activation::relu)};
  for (std::uint64_t seed = 1000; seed < 1020; ++seed) {
    graphs.push_back(random_graph(Key(seed), {.general = false}));
  }
  for (const LayerGraph& graph : graphs) {
    const auto network = onednn_backend().compile(graph);
    const Matrix inputs = random_matrix(Key(1), 64, graph.input_size());
    const Matrix gradients = random_matrix(Key(2), 64, graph.output_size());
    const Result all = run(*network, inputs, gradients);
    for (const auto& [first, count] : {std::pair{0, 1}, {5, 1}, {63, 1}, {3, 7}, {20, 7}}) {
      const Result some = run(*network, inputs.slice(first, count), gradients.slice(first, count));
      EXPECT_EQ(some.outputs, all.outputs.slice(first, count)) << describe(graph.layers.front());
      EXPECT_EQ(some.gradients, all.gradients.slice(first, count)) << describe(graph.layers.front());
    }
  }
}

TEST(OneDnnTape, ServesAnyNumberOfRowsInTurnAndPullsBackTwice) {
  const LayerGraph graph = branching_graph(Activation::elu);
  const auto network = onednn_backend().compile(graph);
  const auto tape = network->make_tape();
  for (const std::int64_t rows : {7, 64, 1, 20, 0, 3}) {
    const Matrix inputs = random_matrix(Key(1), rows, graph.input_size());
    const Matrix gradients = random_matrix(Key(2), rows, graph.output_size());
    const Result reused = run(*network, inputs, gradients, *tape);
    EXPECT_EQ(reused, run(*network, inputs, gradients)) << rows;
    Matrix again;
    network->backward(gradients, again, *tape);
    EXPECT_EQ(again, reused.gradients);
  }
}

TEST(OneDnnThreads, TwoAtOnceGiveWhatOneGives) {
  const LayerGraph graph = paper_decoder();
  const auto network = onednn_backend().compile(graph);
  constexpr std::int64_t kMany = 40;
  const Matrix inputs = random_matrix(Key(1), kMany, graph.input_size());
  const Matrix gradients = random_matrix(Key(2), kMany, graph.output_size());
  const Result alone = run(*network, inputs, gradients);
  std::vector<Result> together(2);
  std::vector<std::thread> threads;
  for (Result& result : together) {
    threads.emplace_back([&] {
      const auto tape = network->make_tape();
      for (int repetition = 0; repetition < 5; ++repetition) {
        result = run(*network, inputs, gradients, *tape);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(together[0], alone);
  EXPECT_EQ(together[1], alone);
}

#if defined(__linux__) && DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
// The OpenMP runtime that oneDNN would fork with.
extern "C" int omp_get_max_threads(void);
extern "C" void omp_set_num_threads(int);

TEST(OneDnnThreads, ACallStaysOnItsThreadAndLeavesTheNumberOfThreadsAlone) {
  const auto alive = [] {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  const LayerGraph graph = paper_decoder();
  const int before_all = omp_get_max_threads();
  omp_set_num_threads(3);
  const auto before = alive();
  (void)run(*onednn_backend().compile(graph), random_matrix(Key(1), 20, graph.input_size()),
            random_matrix(Key(2), 20, graph.output_size()));
  EXPECT_EQ(alive(), before) << "OpenMP keeps the threads that it forks";
  EXPECT_EQ(omp_get_max_threads(), 3);
  omp_set_num_threads(before_all);
}
#endif

TEST(OneDnnBackend, SaysWhyItCannotRunAGraph) {
  const LayerGraph nothing{.inputs = {{2, 1, 1}}};
  EXPECT_THAT(onednn_backend().unsupported(nothing), HasSubstr("no layers"));
  EXPECT_EQ(onednn_backend().unsupported(paper_decoder()), "");
  EXPECT_EQ(onednn_backend().unsupported(branching_graph(Activation::silu)), "");
  LayerGraph vast{.inputs = {{1, 1, 1}}};
  vast.add(Operation::convolution, {.channels = 1, .kernel = 1, .padding = 30'000});
  EXPECT_THAT(onednn_backend().unsupported(vast), HasSubstr(describe(vast.layers.front())));
}

TEST(OneDnnBackend, IsRegistered) { EXPECT_EQ(compile(paper_decoder(), "onednn")->backend(), "onednn"); }

}  // namespace
}  // namespace vaeguard::networks
#endif
