// Plain double-precision loops over the connections of each layer.
#include "vaeguard/networks/reference/reference_network.h"

#include <algorithm>

namespace vaeguard::networks {

std::vector<std::vector<double>> reference_forward(const LayerGraph& graph, std::span<const double> input) {
  std::vector<std::vector<double>> boundaries{{input.begin(), input.end()}};
  for (const Layer& layer : graph.layers) {
    const auto weight = graph.weight(layer);
    const auto bias = graph.bias(layer);
    const std::int64_t in_positions = layer.input.positions();
    const std::int64_t out_positions = layer.output.positions();
    const std::vector<double>& x = boundaries.back();
    std::vector<double> y(static_cast<std::size_t>(layer.output.size()));
    for (std::int64_t o = 0; o < layer.output.channels; ++o) {
      std::fill_n(y.begin() + o * out_positions, out_positions, bias[static_cast<std::size_t>(o)]);
    }
    for (const Connection& c : connections(layer)) {
      for (std::int64_t o = 0; o < layer.output.channels; ++o) {
        for (std::int64_t i = 0; i < layer.input.channels; ++i) {
          y[static_cast<std::size_t>(o * out_positions + c.output)] +=
              static_cast<double>(weight[static_cast<std::size_t>(layer.weight_index(o, i, c.tap))]) *
              x[static_cast<std::size_t>(i * in_positions + c.input)];
        }
      }
    }
    if (layer.activation == Activation::relu) {
      std::ranges::for_each(y, [](double& value) { value = std::max(value, 0.0); });
    }
    boundaries.push_back(std::move(y));
  }
  return boundaries;
}

std::vector<double> reference_backward(const LayerGraph& graph, const std::vector<std::vector<double>>& boundaries,
                                       std::span<const double> output_gradient, std::span<double> parameter_gradients) {
  std::vector<double> gradient(output_gradient.begin(), output_gradient.end());
  for (std::size_t l = graph.layers.size(); l-- > 0;) {
    const Layer& layer = graph.layers[l];
    const auto weight = graph.weight(layer);
    const std::int64_t in_positions = layer.input.positions();
    const std::int64_t out_positions = layer.output.positions();
    const std::vector<double>& x = boundaries[l];
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      const bool silent = layer.activation == Activation::relu && boundaries[l + 1][i] <= 0.0;
      gradient[i] = silent ? 0.0 : gradient[i];
    }
    std::vector<double> next(x.size(), 0.0);
    for (const Connection& c : connections(layer)) {
      for (std::int64_t o = 0; o < layer.output.channels; ++o) {
        const double g = gradient[static_cast<std::size_t>(o * out_positions + c.output)];
        for (std::int64_t i = 0; i < layer.input.channels; ++i) {
          const auto w = static_cast<std::size_t>(layer.weight_index(o, i, c.tap));
          const auto at = static_cast<std::size_t>(i * in_positions + c.input);
          next[at] += weight[w] * g;
          if (!parameter_gradients.empty()) {
            parameter_gradients[static_cast<std::size_t>(layer.weight_offset) + w] += x[at] * g;
          }
        }
      }
    }
    if (!parameter_gradients.empty()) {
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        parameter_gradients[static_cast<std::size_t>(layer.bias_offset) +
                            i / static_cast<std::size_t>(out_positions)] += gradient[i];
      }
    }
    gradient = std::move(next);
  }
  return gradient;
}

namespace {

class ReferenceTape : public Tape {
 public:
  std::vector<std::vector<std::vector<double>>> boundaries;  // [row][boundary][value]
};

class ReferenceNetwork : public Network {
 public:
  explicit ReferenceNetwork(LayerGraph graph) : graph_(std::move(graph)) {}
  [[nodiscard]] const LayerGraph& graph() const override { return graph_; }
  [[nodiscard]] std::string_view backend() const override { return "reference"; }
  [[nodiscard]] std::unique_ptr<Tape> make_tape() const override { return std::make_unique<ReferenceTape>(); }

  void forward(const Matrix& inputs, Matrix& outputs, Tape& tape) const override {
    check_shape("networks.reference", "inputs", inputs, -1, graph_.input.size());
    auto& boundaries = dynamic_cast<ReferenceTape&>(tape).boundaries;
    boundaries.clear();
    outputs.resize(inputs.rows(), graph_.output().size());
    for (std::int64_t b = 0; b < inputs.rows(); ++b) {
      const std::vector<double> input(inputs.row(b).begin(), inputs.row(b).end());
      boundaries.push_back(reference_forward(graph_, input));
      std::ranges::transform(boundaries.back().back(), outputs.row(b).begin(),
                             [](double value) { return static_cast<float>(value); });
    }
  }

  void backward(const Matrix& output_gradients, Matrix& input_gradients, Tape& tape) const override {
    const auto& boundaries = dynamic_cast<ReferenceTape&>(tape).boundaries;
    check_shape("networks.reference", "output_gradients", output_gradients,
                static_cast<std::int64_t>(boundaries.size()), graph_.output().size());
    input_gradients.resize(output_gradients.rows(), graph_.input.size());
    for (std::int64_t b = 0; b < output_gradients.rows(); ++b) {
      const std::vector<double> gradient(output_gradients.row(b).begin(), output_gradients.row(b).end());
      std::ranges::transform(reference_backward(graph_, boundaries[static_cast<std::size_t>(b)], gradient),
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
  [[nodiscard]] std::string unsupported(const LayerGraph& graph) const override {
    return graph.layers.empty() ? "the graph has no layers" : "";
  }
  [[nodiscard]] std::shared_ptr<const Network> compile(const LayerGraph& graph) const override {
    return std::make_shared<ReferenceNetwork>(graph);
  }
};

}  // namespace

const Backend& reference_backend() {
  static const ReferenceBackend backend;
  return backend;
}

}  // namespace vaeguard::networks
