// The loops, from the defining equation of each operation.
#include "vaeguard/networks/reference/reference_operations.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "vaeguard/networks/layer_maps.h"

namespace vaeguard::networks {
namespace {

using Gradients = std::span<const std::span<double>>;
using Tangents = std::span<const std::span<const double>>;

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

// ---- convolutions: y = W x + b, so the gradient at x is W^T g, at W the products g x^T, at b sums of g over positions

// Calls visit(output, input, weight) with the indices of every product in the sums of a weighted layer.
template <typename Visit>
void for_each_product(const Layer& layer, Visit visit) {
  const std::int64_t inputs = layer.input().channels / layer.groups;  // of one group
  const std::int64_t outputs = layer.output.channels / layer.groups;
  // The distance between the weights of neighbouring input channels (see Layer for the orders).
  const std::int64_t step = layer.operation == Operation::convolution ? layer.taps() : outputs * layer.taps();
  for (const Connection& c : connections(layer)) {
    for (std::int64_t o = 0; o < layer.output.channels; ++o) {
      const std::int64_t first = o / outputs * inputs;
      std::int64_t w = layer.weight_index(o, first, c.tap);
      for (std::int64_t i = first; i < first + inputs; ++i, w += step) {
        visit(at(o * layer.output.positions() + c.output), at(i * layer.input().positions() + c.input), at(w));
      }
    }
  }
}

void multiply(const LayerReading& reading, std::span<const double> x, std::span<double> y) {
  const auto weight = reading.graph.weight(reading.layer);
  for_each_product(reading.layer, [&](std::size_t o, std::size_t i, std::size_t w) { y[o] += weight[w] * x[i]; });
}

void weighted_forward(const LayerReading& reading, std::span<double> y) {
  const auto bias = reading.graph.bias(reading.layer);
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = bias[i / at(reading.layer.output.positions())];
  }
  multiply(reading, reading.x[0], y);
}

void weighted_backward(const LayerReading& reading, std::span<const double> gradient, Gradients x_gradients,
                       std::span<double> parameter_gradients) {
  const Layer& layer = reading.layer;
  const auto weight = reading.graph.weight(layer);
  for_each_product(layer,
                   [&](std::size_t o, std::size_t i, std::size_t w) { x_gradients[0][i] += weight[w] * gradient[o]; });
  if (parameter_gradients.empty()) {
    return;
  }
  const auto weights = parameter_gradients.subspan(at(layer.weight_offset));
  for_each_product(layer,
                   [&](std::size_t o, std::size_t i, std::size_t w) { weights[w] += reading.x[0][i] * gradient[o]; });
  const auto biases = parameter_gradients.subspan(at(layer.bias_offset));
  for (std::size_t o = 0; o < gradient.size(); ++o) {
    biases[o / at(layer.output.positions())] += gradient[o];
  }
}

void weighted_tangent(const LayerReading& reading, Tangents x_tangents, std::span<double> y_tangent) {
  std::ranges::fill(y_tangent, 0.0);
  multiply(reading, x_tangents[0], y_tangent);
}

// ---- moved values: each output is an input or zero

void move(const Layer& layer, std::span<const double> x, std::span<double> y) {
  const std::vector<std::int64_t> from = moves(layer);
  std::ranges::transform(from, y.begin(), [&](std::int64_t i) { return i < 0 ? 0.0 : x[at(i)]; });
}

void move_forward(const LayerReading& reading, std::span<double> y) { move(reading.layer, reading.x[0], y); }

void move_backward(const LayerReading& reading, std::span<const double> gradient, Gradients x_gradients,
                   std::span<double> /*parameter_gradients*/) {
  const std::vector<std::int64_t> from = moves(reading.layer);
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] >= 0) {
      x_gradients[0][at(from[i])] += gradient[i];
    }
  }
}

void move_tangent(const LayerReading& reading, Tangents x_tangents, std::span<double> y_tangent) {
  move(reading.layer, x_tangents[0], y_tangent);
}

// ---- concatenation: one source after the other, since channels are the slowest index

void concatenate(std::span<const std::span<const double>> x, std::span<double> y) {
  auto to = y.begin();
  for (const auto& values : x) {
    to = std::ranges::copy(values, to).out;
  }
}

void concatenation_forward(const LayerReading& reading, std::span<double> y) { concatenate(reading.x, y); }

void concatenation_backward(const LayerReading& /*reading*/, std::span<const double> gradient, Gradients x_gradients,
                            std::span<double> /*parameter_gradients*/) {
  std::size_t from = 0;
  for (const auto& values : x_gradients) {
    for (double& value : values) {
      value += gradient[from++];
    }
  }
}

void concatenation_tangent(const LayerReading& /*reading*/, Tangents x_tangents, std::span<double> y_tangent) {
  concatenate(x_tangents, y_tangent);
}

// ---- addition and product: output value i combines value i, or the value of its channel, of each source

std::size_t met(const LayerReading& reading, std::size_t source, std::size_t i) {
  const bool whole = reading.layer.inputs[source] == reading.layer.output;
  return whole ? i : i / at(reading.layer.output.positions());
}

void add(const LayerReading& reading, Tangents x, std::span<double> y) {
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = x[0][met(reading, 0, i)] + x[1][met(reading, 1, i)];
  }
}

void addition_forward(const LayerReading& reading, std::span<double> y) { add(reading, reading.x, y); }

void addition_backward(const LayerReading& reading, std::span<const double> gradient, Gradients x_gradients,
                       std::span<double> /*parameter_gradients*/) {
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    x_gradients[0][met(reading, 0, i)] += gradient[i];
    x_gradients[1][met(reading, 1, i)] += gradient[i];
  }
}

void addition_tangent(const LayerReading& reading, Tangents x_tangents, std::span<double> y_tangent) {
  add(reading, x_tangents, y_tangent);
}

void product_forward(const LayerReading& reading, std::span<double> y) {
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = reading.x[0][met(reading, 0, i)] * reading.x[1][met(reading, 1, i)];
  }
}

void product_backward(const LayerReading& reading, std::span<const double> gradient, Gradients x_gradients,
                      std::span<double> /*parameter_gradients*/) {
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const std::size_t one = met(reading, 0, i);
    const std::size_t other = met(reading, 1, i);
    x_gradients[0][one] += gradient[i] * reading.x[1][other];
    x_gradients[1][other] += gradient[i] * reading.x[0][one];
  }
}

void product_tangent(const LayerReading& reading, Tangents x_tangents, std::span<double> y_tangent) {
  for (std::size_t i = 0; i < y_tangent.size(); ++i) {
    const std::size_t one = met(reading, 0, i);
    const std::size_t other = met(reading, 1, i);
    y_tangent[i] = x_tangents[0][one] * reading.x[1][other] + reading.x[0][one] * x_tangents[1][other];
  }
}

// ---- weighted means over positions, the same in each channel

// Calls visit(output, input, weight) with the indices of every term.
template <typename Visit>
void for_each_term(const Layer& layer, Visit visit) {
  for (const PositionTerm& term : position_terms(layer)) {
    for (std::int64_t c = 0; c < layer.output.channels; ++c) {
      visit(at(c * layer.output.positions() + term.output), at(c * layer.input().positions() + term.input),
            term.weight);
    }
  }
}

void average(const Layer& layer, std::span<const double> x, std::span<double> y) {
  std::ranges::fill(y, 0.0);
  for_each_term(layer, [&](std::size_t o, std::size_t i, double weight) { y[o] += weight * x[i]; });
}

void average_forward(const LayerReading& reading, std::span<double> y) { average(reading.layer, reading.x[0], y); }

void average_backward(const LayerReading& reading, std::span<const double> gradient, Gradients x_gradients,
                      std::span<double> /*parameter_gradients*/) {
  for_each_term(reading.layer,
                [&](std::size_t o, std::size_t i, double weight) { x_gradients[0][i] += weight * gradient[o]; });
}

void average_tangent(const LayerReading& reading, Tangents x_tangents, std::span<double> y_tangent) {
  average(reading.layer, x_tangents[0], y_tangent);
}

// ---- max pooling: each output is one input, the first of the largest in its window

std::vector<std::size_t> largest(const LayerReading& reading) {
  const Layer& layer = reading.layer;
  const std::span<const double> x = reading.x[0];
  const std::vector<Connection> windows = connections(layer);
  std::vector<std::size_t> from(at(layer.output.size()));
  std::vector<bool> found(from.size());
  for (std::int64_t c = 0; c < layer.output.channels; ++c) {
    for (const Connection& window : windows) {
      const std::size_t o = at(c * layer.output.positions() + window.output);
      const std::size_t i = at(c * layer.input().positions() + window.input);
      if (!found[o] || x[i] > x[from[o]]) {
        from[o] = i;
        found[o] = true;
      }
    }
  }
  return from;
}

void max_pooling_forward(const LayerReading& reading, std::span<double> y) {
  std::ranges::transform(largest(reading), y.begin(), [&](std::size_t i) { return reading.x[0][i]; });
}

void max_pooling_backward(const LayerReading& reading, std::span<const double> gradient, Gradients x_gradients,
                          std::span<double> /*parameter_gradients*/) {
  const std::vector<std::size_t> from = largest(reading);
  for (std::size_t o = 0; o < from.size(); ++o) {
    x_gradients[0][from[o]] += gradient[o];
  }
}

void max_pooling_tangent(const LayerReading& reading, Tangents x_tangents, std::span<double> y_tangent) {
  std::ranges::transform(largest(reading), y_tangent.begin(), [&](std::size_t i) { return x_tangents[0][i]; });
}

// ---- softmax over channels: dy = y (dx - <y, dx>) at each position, and the Jacobian is symmetric

void softmax_forward(const LayerReading& reading, std::span<double> y) {
  const std::size_t positions = at(reading.layer.output.positions());
  const std::span<const double> x = reading.x[0];
  for (std::size_t p = 0; p < positions; ++p) {
    double most = x[p];
    for (std::size_t i = p; i < x.size(); i += positions) {
      most = std::max(most, x[i]);
    }
    double sum = 0.0;
    for (std::size_t i = p; i < x.size(); i += positions) {
      y[i] = std::exp(x[i] - most);
      sum += y[i];
    }
    for (std::size_t i = p; i < x.size(); i += positions) {
      y[i] /= sum;
    }
  }
}

// Calls visit(i, value i of the Jacobian times `change`).
template <typename Visit>
void softmax_jacobian(const LayerReading& reading, std::span<const double> change, Visit visit) {
  std::vector<double> y(change.size());
  softmax_forward(reading, y);
  const std::size_t positions = at(reading.layer.output.positions());
  for (std::size_t p = 0; p < positions; ++p) {
    double mean = 0.0;
    for (std::size_t i = p; i < y.size(); i += positions) {
      mean += y[i] * change[i];
    }
    for (std::size_t i = p; i < y.size(); i += positions) {
      visit(i, y[i] * (change[i] - mean));
    }
  }
}

void softmax_backward(const LayerReading& reading, std::span<const double> gradient, Gradients x_gradients,
                      std::span<double> /*parameter_gradients*/) {
  softmax_jacobian(reading, gradient, [&](std::size_t i, double value) { x_gradients[0][i] += value; });
}

void softmax_tangent(const LayerReading& reading, Tangents x_tangents, std::span<double> y_tangent) {
  softmax_jacobian(reading, x_tangents[0], [&](std::size_t i, double value) { y_tangent[i] = value; });
}

constexpr ReferenceOperation kWeighted{weighted_forward, weighted_backward, weighted_tangent};
constexpr ReferenceOperation kMove{move_forward, move_backward, move_tangent};
constexpr ReferenceOperation kAverage{average_forward, average_backward, average_tangent};

constexpr std::array kOperations{
    kWeighted,                                                                                 // convolution
    kWeighted,                                                                                 // transposed convolution
    ReferenceOperation{addition_forward, addition_backward, addition_tangent},                 // addition
    kMove,                                                                                     // upsampling
    kMove,                                                                                     // pixel shuffle
    kMove,                                                                                     // reshape
    ReferenceOperation{product_forward, product_backward, product_tangent},                    // product
    ReferenceOperation{concatenation_forward, concatenation_backward, concatenation_tangent},  // concatenation
    kMove,                                                                                     // slice
    kMove,                                                                                     // padding
    kMove,                                                                                     // transposition
    kAverage,                                                                                  // mean
    kAverage,                                                                                  // average pooling
    ReferenceOperation{max_pooling_forward, max_pooling_backward, max_pooling_tangent},        // max pooling
    kAverage,                                                                                  // bilinear resize
    ReferenceOperation{softmax_forward, softmax_backward, softmax_tangent},                    // softmax
};
static_assert(kOperations.size() == static_cast<std::size_t>(Operation::softmax) + 1, "one entry for each enumerator");

}  // namespace

const ReferenceOperation& reference_operation(Operation operation) {
  return kOperations[static_cast<std::size_t>(operation)];
}

}  // namespace vaeguard::networks
