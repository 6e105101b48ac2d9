// Times passes through one inverted residual cell with random weights.
#include "apps/cli/bench_cell.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "apps/cli/fma_peak.h"
#include "apps/cli/peer.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/base/pool.h"
#include "vaeguard/base/random.h"
#include "vaeguard/networks/network.h"
#include "vaeguard/networks/reference/reference_network.h"

namespace vaeguard::cli {
namespace {

using networks::Activation;
using networks::LayerGraph;
using networks::Operation;
using Json = nlohmann::ordered_json;

struct Shape {
  std::int64_t channels;
  std::int64_t extent;
};
constexpr std::array kShapes{Shape{128, 8}, Shape{64, 16}};
constexpr std::array<std::int64_t, 2> kBatches{10, 100};

// x + branch(x) * excite(branch(x)), as in the decoders of NVAE with their batch normalisations folded away.
LayerGraph cell_graph(const Shape& shape) {
  const std::int64_t hidden = 6 * shape.channels;
  LayerGraph graph{.inputs = {{shape.channels, shape.extent, shape.extent}}};
  graph.add(Operation::convolution, {.channels = hidden, .activation = Activation::silu})
      .add(Operation::convolution, {.channels = hidden,
                                    .kernel = 5,
                                    .padding = 2,
                                    .groups = static_cast<int>(hidden),
                                    .activation = Activation::silu})
      .add(Operation::convolution, {.channels = shape.channels});
  const std::int64_t branch = graph.last();
  graph.add(Operation::mean, {})
      .add(Operation::convolution,
           {.channels = std::max<std::int64_t>(shape.channels / 16, 4), .activation = Activation::relu})
      .add(Operation::convolution, {.channels = shape.channels, .activation = Activation::sigmoid})
      .add(Operation::product, {.sources = {branch, -1}})
      .add(Operation::addition, {.sources = {-1, 0}});
  fill_normal(Key(1), graph.parameters);
  for (const networks::Layer& layer : graph.layers) {
    const auto fan = static_cast<float>(layer.input().channels / layer.groups * layer.taps());
    std::ranges::for_each(graph.weight(layer), [&](float& weight) { weight /= std::sqrt(fan); });
  }
  return graph;
}

std::string name_of(const Shape& shape) { return fmt::format("{}x{}", shape.channels, shape.extent); }

Matrix normal(Key key, std::int64_t rows, std::int64_t columns) {
  Matrix matrix(rows, columns);
  fill_normal(key, matrix.flat());
  return matrix;
}

// ||found - truth|| / ||truth||
double difference(std::span<const float> found, const std::vector<double>& truth) {
  double square = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    square += (found[i] - truth[i]) * (found[i] - truth[i]);
    norm += truth[i] * truth[i];
  }
  return std::sqrt(square / norm);
}

void check_against_reference(const networks::Network& network) {
  constexpr double kAllowed = 1e-5;  // sums of at most 768 products round to a few times 1e-7
  const LayerGraph& graph = network.graph();
  const Matrix inputs = normal(Key(2), 1, graph.input_size());
  const Matrix output_gradients = normal(Key(3), 1, graph.output_size());
  const auto tape = network.make_tape();
  Matrix outputs;
  Matrix gradients;
  network.forward(inputs, outputs, *tape);
  network.backward(output_gradients, gradients, *tape);
  const auto in_double = [](std::span<const float> row) { return std::vector<double>(row.begin(), row.end()); };
  const auto boundaries = networks::reference_forward(graph, in_double(inputs.row(0)));
  const double forward = difference(outputs.row(0), networks::reference_outputs(graph, boundaries));
  const double backward =
      difference(gradients.row(0), networks::reference_backward(graph, boundaries, in_double(output_gradients.row(0))));
  if (!(forward < kAllowed && backward < kAllowed)) {
    failure("bench",
            "backend {}: outputs and gradients differ from the reference by {:.3g} and {:.3g}; no speed is told",
            network.backend(), forward, backward);
  }
}

double cell_speed(const networks::Network& network, std::int64_t batch, int threads, double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr std::int64_t kMostRows = 16;
  struct Workspace {
    std::unique_ptr<networks::Tape> tape;
    Matrix outputs;
    Matrix gradients;
  };
  Pool<Workspace> workspaces([&] { return std::make_unique<Workspace>(Workspace{network.make_tape(), {}, {}}); });
  const Matrix inputs = normal(Key(4), batch, network.graph().input_size());
  const Matrix output_gradients = normal(Key(5), batch, network.graph().output_size());
  double fastest = std::numeric_limits<double>::infinity();
  const auto finish = Clock::now() + std::chrono::duration<double>(seconds);
  do {
    const auto start = Clock::now();
    parallel_chunks(batch, row_chunk(batch, kMostRows, threads), threads, [&](std::int64_t first, std::int64_t count) {
      auto workspace = workspaces.borrow();
      network.forward(inputs.slice(first, count), workspace->outputs, *workspace->tape);
      network.backward(output_gradients.slice(first, count), workspace->gradients, *workspace->tape);
    });
    fastest = std::min(fastest, std::chrono::duration<double>(Clock::now() - start).count());
  } while (Clock::now() < finish);
  return static_cast<double>(batch) / fastest;
}

}  // namespace

Json bench_cell(int threads, double seconds, const std::string& peer) {
  Json result{{"threads", threads}};
  double peak = fma_peak_gflops(threads);
  for (const Shape& shape : kShapes) {
    const auto network = networks::compile(cell_graph(shape));
    check_against_reference(*network);
    for (const std::int64_t batch : kBatches) {
      result["gradients_per_second"][name_of(shape)][std::to_string(batch)] =
          cell_speed(*network, batch, threads, seconds);
    }
    peak = std::max(peak, fma_peak_gflops(threads));
  }
  result["fma_peak_gflops"] = peak;
  for (const Shape& shape : kShapes) {
    for (const auto& [batch, speed] : result["gradients_per_second"][name_of(shape)].items()) {
      // A gradient is a forward and a backward pass; a multiply-add counts as two operations.
      const double operations = 4.0 * static_cast<double>(networks::multiply_adds(cell_graph(shape)));
      result["fraction_of_peak"][name_of(shape)][batch] = speed.get<double>() * operations / (1e9 * peak);
    }
  }
  if (!peer.empty()) {
    const Json theirs =
        run_peer(peer, fmt::format("--threads {} --seconds {}", threads, seconds), "gradients_per_second");
    result["eager"] = theirs["gradients_per_second"];
    for (const auto& [kind, by_shape] : result["eager"].items()) {
      for (const auto& [shape, by_batch] : by_shape.items()) {
        for (const auto& [batch, speed] : by_batch.items()) {
          result["ratio_to_eager"][kind][shape][batch] =
              result["gradients_per_second"][shape][batch].get<double>() / speed.get<double>();
        }
      }
    }
  }
  return result;
}

}  // namespace vaeguard::cli
