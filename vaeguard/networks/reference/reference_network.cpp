// Plain double-precision loops over the connections of each layer.
#include "vaeguard/networks/reference/reference_network.h"

#include <algorithm>
#include <functional>

namespace vaeguard::networks {
namespace {

// Calls visit(output, input, weight) with the indices of every product that a weighted layer adds up.
template <typename Visit>
void for_each_product(const Layer& layer, Visit visit) {
  const std::int64_t inputs = layer.input.channels / layer.groups;  // of one group
  const std::int64_t outputs = layer.output.channels / layer.groups;
  // From an input channel to the next, the weight's index moves by this much (see Layer for the orders).
  const std::int64_t step = layer.operation == Operation::convolution ? layer.taps() : outputs * layer.taps();
  for (const Connection& c : connections(layer)) {
    for (std::int64_t o = 0; o < layer.output.channels; ++o) {
      const std::int64_t first = o / outputs * inputs;
      std::int64_t w = layer.weight_index(o, first, c.tap);
      for (std::int64_t i = first; i < first + inputs; ++i, w += step) {
        visit(static_cast<std::size_t>(o * layer.output.positions() + c.output),
              static_cast<std::size_t>(i * layer.input.positions() + c.input), static_cast<std::size_t>(w));
      }
    }
  }
}

std::vector<double> weighted_sums(const LayerGraph& graph, const Layer& layer, const std::vector<double>& x) {
  const auto weight = graph.weight(layer);
  std::vector<double> y;
  for (const float bias : graph.bias(layer)) {
    y.insert(y.end(), static_cast<std::size_t>(layer.output.positions()), bias);
  }
  for_each_product(layer, [&](std::size_t o, std::size_t i, std::size_t w) { y[o] += weight[w] * x[i]; });
  return y;
}

// y = W x + b: the gradient at x is W^T g, at W the products g x^T, at b the sums of g over positions.
void weighted_pull(const LayerGraph& graph, const Layer& layer, const std::vector<double>& x,
                   std::span<const double> sum_gradient, std::vector<double>& gradient,
                   std::span<double> parameter_gradients) {
  const auto weight = graph.weight(layer);
  for_each_product(layer,
                   [&](std::size_t o, std::size_t i, std::size_t w) { gradient[i] += weight[w] * sum_gradient[o]; });
  if (parameter_gradients.empty()) {
    return;
  }
  const auto weights = parameter_gradients.subspan(static_cast<std::size_t>(layer.weight_offset));
  for_each_product(layer, [&](std::size_t o, std::size_t i, std::size_t w) { weights[w] += x[i] * sum_gradient[o]; });
  const auto biases = parameter_gradients.subspan(static_cast<std::size_t>(layer.bias_offset));
  for (std::size_t o = 0; o < sum_gradient.size(); ++o) {
    biases[o / static_cast<std::size_t>(layer.output.positions())] += sum_gradient[o];
  }
}

std::vector<double>& at(Boundaries& boundaries, std::int64_t index) {
  return boundaries[static_cast<std::size_t>(index)];
}
const std::vector<double>& at(const Boundaries& boundaries, std::int64_t index) {
  return boundaries[static_cast<std::size_t>(index)];
}

void add_to(std::vector<double>& sum, std::span<const double> values) {
  std::ranges::transform(sum, values, sum.begin(), std::plus{});
}

}  // namespace

std::vector<double> reference_sums(const LayerGraph& graph, const Layer& layer, const Boundaries& boundaries) {
  const std::vector<double>& x = at(boundaries, layer.source);
  if (layer.weighted()) {
    return weighted_sums(graph, layer, x);
  }
  if (layer.operation == Operation::addition) {
    std::vector<double> y = x;
    add_to(y, at(boundaries, layer.other));
    return y;
  }
  std::vector<double> y;
  for (const std::int64_t from : moves(layer)) {
    y.push_back(x[static_cast<std::size_t>(from)]);
  }
  return y;
}

void reference_pull(const LayerGraph& graph, const Layer& layer, const Boundaries& boundaries,
                    std::span<const double> sum_gradient, Boundaries& gradients,
                    std::span<double> parameter_gradients) {
  std::vector<double>& gradient = at(gradients, layer.source);
  if (layer.weighted()) {
    weighted_pull(graph, layer, at(boundaries, layer.source), sum_gradient, gradient, parameter_gradients);
  } else if (layer.operation == Operation::addition) {
    add_to(gradient, sum_gradient);
    add_to(at(gradients, layer.other), sum_gradient);
  } else {
    const std::vector<std::int64_t> from = moves(layer);
    for (std::size_t i = 0; i < from.size(); ++i) {
      gradient[static_cast<std::size_t>(from[i])] += sum_gradient[i];
    }
  }
}

Boundaries reference_forward(const LayerGraph& graph, std::span<const double> input) {
  Boundaries boundaries{{input.begin(), input.end()}};
  for (const Layer& layer : graph.layers) {
    std::vector<double> values = reference_sums(graph, layer, boundaries);
    std::ranges::for_each(values, [&](double& value) { value = activate(layer.activation, layer.slope, value); });
    boundaries.push_back(std::move(values));
  }
  return boundaries;
}

std::vector<double> reference_backward(const LayerGraph& graph, const Boundaries& boundaries,
                                       std::span<const double> output_gradient, std::span<double> parameter_gradients) {
  Boundaries gradients;
  for (const std::vector<double>& values : boundaries) {
    gradients.emplace_back(values.size(), 0.0);
  }
  gradients.back().assign(output_gradient.begin(), output_gradient.end());
  // A layer reads earlier boundaries only: in reverse order, a boundary's gradient is complete when its layer comes.
  for (std::size_t l = graph.layers.size(); l-- > 0;) {
    const Layer& layer = graph.layers[l];
    std::vector<double> gradient = gradients[l + 1];
    if (layer.activation != Activation::none) {
      // Not every derivative follows from the output, so the sums are worked out again; ReLU's is the same at both.
      const std::vector<double> sums =
          layer.activation == Activation::relu ? boundaries[l + 1] : reference_sums(graph, layer, boundaries);
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        gradient[i] *= activate_derivative(layer.activation, layer.slope, sums[i]);
      }
    }
    reference_pull(graph, layer, boundaries, gradient, gradients, parameter_gradients);
  }
  return gradients.front();
}

namespace {

class ReferenceTape : public Tape {
 public:
  std::vector<Boundaries> rows;
};

class ReferenceNetwork : public Network {
 public:
  explicit ReferenceNetwork(LayerGraph graph) : graph_(std::move(graph)) {}
  [[nodiscard]] const LayerGraph& graph() const override { return graph_; }
  [[nodiscard]] std::string_view backend() const override { return "reference"; }
  [[nodiscard]] std::unique_ptr<Tape> make_tape() const override { return std::make_unique<ReferenceTape>(); }

  void forward(const Matrix& inputs, Matrix& outputs, Tape& tape) const override {
    check_shape("networks.reference", "inputs", inputs, -1, graph_.input.size());
    auto& rows = dynamic_cast<ReferenceTape&>(tape).rows;
    rows.clear();
    outputs.resize(inputs.rows(), graph_.output().size());
    for (std::int64_t b = 0; b < inputs.rows(); ++b) {
      const std::vector<double> input(inputs.row(b).begin(), inputs.row(b).end());
      rows.push_back(reference_forward(graph_, input));
      std::ranges::transform(rows.back().back(), outputs.row(b).begin(),
                             [](double value) { return static_cast<float>(value); });
    }
  }

  void backward(const Matrix& output_gradients, Matrix& input_gradients, Tape& tape) const override {
    const auto& rows = dynamic_cast<ReferenceTape&>(tape).rows;
    check_shape("networks.reference", "output_gradients", output_gradients, static_cast<std::int64_t>(rows.size()),
                graph_.output().size());
    input_gradients.resize(output_gradients.rows(), graph_.input.size());
    for (std::int64_t b = 0; b < output_gradients.rows(); ++b) {
      const std::vector<double> gradient(output_gradients.row(b).begin(), output_gradients.row(b).end());
      std::ranges::transform(reference_backward(graph_, rows[static_cast<std::size_t>(b)], gradient),
                             input_gradients.row(b).begin(), [](double value) { return static_cast<float>(value); });
    }
  }

 private:
  LayerGraph graph_;
};

class ReferenceBackend : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "reference"; }
  [[nodiscard]] std::string description() const override { return "plain loops in double precision; slow, the truth"; }
  [[nodiscard]] std::string unsupported(const LayerGraph& graph, Precision precision) const override {
    if (precision != Precision::float32) {
      return "the backend reference computes in double only";
    }
    return graph.layers.empty() ? "the graph has no layers" : "";
  }
  [[nodiscard]] std::shared_ptr<const Network> compile(const LayerGraph& graph,
                                                       Precision /*precision*/) const override {
    return std::make_shared<ReferenceNetwork>(graph);
  }
};

}  // namespace

const Backend& reference_backend() {
  static const ReferenceBackend backend;
  return backend;
}

}  // namespace vaeguard::networks
