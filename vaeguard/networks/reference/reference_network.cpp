// Passes over the layers of a graph, and their backend.
#include "vaeguard/networks/reference/reference_network.h"

#include <algorithm>

#include "vaeguard/networks/activation.h"
#include "vaeguard/networks/reference/reference_operations.h"

namespace vaeguard::networks {
namespace {

constexpr const char* kPlace = "networks.reference";

std::vector<std::span<const double>> read(const Layer& layer, const Boundaries& boundaries) {
  std::vector<std::span<const double>> result;
  for (const std::int64_t source : layer.sources) {
    result.emplace_back(boundaries[static_cast<std::size_t>(source)]);
  }
  return result;
}

// f' before the activation of a layer. Not every derivative follows from the output, so the sums are recomputed; for
// ReLU the output has the same sign as the sum.
std::vector<double> slopes(const LayerGraph& graph, const Layer& layer, const Boundaries& boundaries,
                           const std::vector<double>& output) {
  std::vector<double> result = layer.activation == Activation::none || layer.activation == Activation::relu
                                   ? output
                                   : reference_sums(graph, layer, boundaries);
  std::ranges::for_each(result, [&](double& value) { value = activate_derivative(layer, value); });
  return result;
}

// Splits one row into the values of several boundaries.
Boundaries cut(std::span<const double> row, std::span<const ImageShape> shapes) {
  Boundaries result;
  std::size_t first = 0;
  for (const ImageShape& shape : shapes) {
    const auto size = static_cast<std::size_t>(shape.size());
    const auto part = row.subspan(first, size);
    result.emplace_back(part.begin(), part.end());
    first += size;
  }
  return result;
}

}  // namespace

std::vector<double> reference_sums(const LayerGraph& graph, const Layer& layer, const Boundaries& boundaries) {
  std::vector<double> y(static_cast<std::size_t>(layer.output.size()));
  reference_operation(layer.operation).forward({graph, layer, read(layer, boundaries)}, y);
  return y;
}

void reference_pull(const LayerGraph& graph, const Layer& layer, const Boundaries& boundaries,
                    std::span<const double> sum_gradient, Boundaries& gradients,
                    std::span<double> parameter_gradients) {
  std::vector<std::span<double>> x_gradients;
  for (const std::int64_t source : layer.sources) {
    x_gradients.emplace_back(gradients[static_cast<std::size_t>(source)]);
  }
  reference_operation(layer.operation)
      .backward({graph, layer, read(layer, boundaries)}, sum_gradient, x_gradients, parameter_gradients);
}

std::vector<double> reference_push(const LayerGraph& graph, const Layer& layer, const Boundaries& boundaries,
                                   const Boundaries& tangents) {
  std::vector<double> y(static_cast<std::size_t>(layer.output.size()));
  reference_operation(layer.operation).tangent({graph, layer, read(layer, boundaries)}, read(layer, tangents), y);
  return y;
}

Boundaries reference_forward(const LayerGraph& graph, std::span<const double> input) {
  Boundaries boundaries = cut(input, graph.inputs);
  for (const Layer& layer : graph.layers) {
    std::vector<double> values = reference_sums(graph, layer, boundaries);
    std::ranges::for_each(values, [&](double& value) { value = activate(layer, value); });
    boundaries.push_back(std::move(values));
  }
  return boundaries;
}

std::vector<double> reference_outputs(const LayerGraph& graph, const Boundaries& boundaries) {
  std::vector<double> result;
  for (const std::int64_t output : graph.output_boundaries()) {
    const auto& values = boundaries[static_cast<std::size_t>(output)];
    result.insert(result.end(), values.begin(), values.end());
  }
  return result;
}

std::vector<double> reference_backward(const LayerGraph& graph, const Boundaries& boundaries,
                                       std::span<const double> output_gradient, std::span<double> parameter_gradients) {
  Boundaries gradients;
  for (const std::vector<double>& values : boundaries) {
    gradients.emplace_back(values.size(), 0.0);
  }
  auto from = output_gradient.begin();
  for (const std::int64_t output : graph.output_boundaries()) {
    std::ranges::for_each(gradients[static_cast<std::size_t>(output)], [&](double& value) { value += *from++; });
  }
  // A layer reads only earlier boundaries, so in reverse order a boundary's gradient is complete when its layer is due.
  for (std::size_t l = graph.layers.size(); l-- > 0;) {
    const Layer& layer = graph.layers[l];
    const std::size_t boundary = graph.inputs.size() + l;
    std::vector<double> gradient = gradients[boundary];
    std::ranges::transform(gradient, slopes(graph, layer, boundaries, boundaries[boundary]), gradient.begin(),
                           std::multiplies{});
    reference_pull(graph, layer, boundaries, gradient, gradients, parameter_gradients);
  }
  std::vector<double> result;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    result.insert(result.end(), gradients[i].begin(), gradients[i].end());
  }
  return result;
}

Boundaries reference_tangent(const LayerGraph& graph, const Boundaries& boundaries,
                             std::span<const double> input_tangent) {
  Boundaries tangents = cut(input_tangent, graph.inputs);
  for (const Layer& layer : graph.layers) {
    std::vector<double> tangent = reference_push(graph, layer, boundaries, tangents);
    std::ranges::transform(tangent, slopes(graph, layer, boundaries, boundaries[tangents.size()]), tangent.begin(),
                           std::multiplies{});
    tangents.push_back(std::move(tangent));
  }
  return tangents;
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
    check_shape(kPlace, "inputs", inputs, -1, graph_.input_size());
    auto& rows = dynamic_cast<ReferenceTape&>(tape).rows;
    rows.clear();
    outputs.resize(inputs.rows(), graph_.output_size());
    for (std::int64_t b = 0; b < inputs.rows(); ++b) {
      rows.push_back(reference_forward(graph_, in_double(inputs.row(b))));
      round_into(reference_outputs(graph_, rows.back()), outputs.row(b));
    }
  }

  void backward(const Matrix& output_gradients, Matrix& input_gradients, Tape& tape) const override {
    const auto& rows = dynamic_cast<ReferenceTape&>(tape).rows;
    check_shape(kPlace, "output_gradients", output_gradients, static_cast<std::int64_t>(rows.size()),
                graph_.output_size());
    input_gradients.resize(output_gradients.rows(), graph_.input_size());
    for (std::int64_t b = 0; b < output_gradients.rows(); ++b) {
      round_into(reference_backward(graph_, rows[static_cast<std::size_t>(b)], in_double(output_gradients.row(b))),
                 input_gradients.row(b));
    }
  }

  void tangent(const Matrix& input_tangents, Matrix& output_tangents, Tape& tape) const override {
    const auto& rows = dynamic_cast<ReferenceTape&>(tape).rows;
    check_shape(kPlace, "input_tangents", input_tangents, static_cast<std::int64_t>(rows.size()), graph_.input_size());
    output_tangents.resize(input_tangents.rows(), graph_.output_size());
    for (std::int64_t b = 0; b < input_tangents.rows(); ++b) {
      const Boundaries tangents =
          reference_tangent(graph_, rows[static_cast<std::size_t>(b)], in_double(input_tangents.row(b)));
      round_into(reference_outputs(graph_, tangents), output_tangents.row(b));
    }
  }

 private:
  static std::vector<double> in_double(std::span<const float> row) { return {row.begin(), row.end()}; }
  static void round_into(const std::vector<double>& values, std::span<float> row) {
    std::ranges::transform(values, row.begin(), [](double value) { return static_cast<float>(value); });
  }

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
    return defect(graph);
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
