// Any layer graph in double precision, branches and all, and how far float arithmetic may stray from it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::networks {

/// The truth for one row of any graph. With `magnitude` set, bounds on what is added up instead: absolute parameters
/// and inputs, activations taken as 1 + |x|; a gradient grows by how far a derivative moves with its rounded argument,
/// which is 1 + |x| again (all second derivatives are at most one).
struct Truth {
  std::vector<double> output;
  std::vector<double> gradient;
};
inline Truth truth(const LayerGraph& graph, std::span<const float> input, std::span<const float> output_gradient,
                   bool magnitude) {
  const auto size = [&graph](std::size_t b) {
    return static_cast<std::size_t>(graph.boundary(static_cast<std::int64_t>(b)).size());
  };
  const auto taken = [magnitude](double value) { return magnitude ? std::abs(value) : value; };
  const auto smooth = [](const Layer& l) {
    return l.activation != Activation::none && l.activation != Activation::relu;
  };
  std::vector<std::vector<double>> values{{}};
  std::vector<std::vector<double>> before(graph.layers.size());
  std::ranges::transform(input, std::back_inserter(values[0]), taken);
  // Calls visit(output value, input value, weight) for each product of a weighted layer.
  const auto products = [&](const Layer& layer, const auto& visit) {
    const std::int64_t inputs = layer.input.channels / layer.groups;
    for (const Connection& c : connections(layer)) {
      for (std::int64_t o = 0; o < layer.output.channels; ++o) {
        const std::int64_t begin = o / (layer.output.channels / layer.groups) * inputs;
        for (std::int64_t i = begin; i < begin + inputs; ++i) {
          visit(static_cast<std::size_t>(o * layer.output.positions() + c.output),
                static_cast<std::size_t>(i * layer.input.positions() + c.input),
                taken(graph.weight(layer)[static_cast<std::size_t>(layer.weight_index(o, i, c.tap))]));
        }
      }
    }
  };
  for (std::size_t l = 0; l < graph.layers.size(); ++l) {
    const Layer& layer = graph.layers[l];
    const auto& x = values[static_cast<std::size_t>(layer.source)];
    std::vector<double> y(size(l + 1), 0.0);
    if (layer.weighted()) {
      for (std::size_t i = 0; i < y.size(); ++i) {
        y[i] = taken(graph.bias(layer)[i / static_cast<std::size_t>(layer.output.positions())]);
      }
      products(layer, [&](std::size_t o, std::size_t i, double weight) { y[o] += weight * x[i]; });
    } else {
      const auto from = layer.operation == Operation::addition ? std::vector<std::int64_t>{} : moves(layer);
      for (std::size_t i = 0; i < y.size(); ++i) {
        y[i] = from.empty() ? x[i] + values[static_cast<std::size_t>(layer.other)][i]
                            : x[static_cast<std::size_t>(from[i])];
      }
    }
    before[l] = y;
    for (double& value : y) {
      value = magnitude ? value + (smooth(layer) ? 1.0 : 0.0) : activate(layer.activation, layer.slope, value);
    }
    values.push_back(std::move(y));
  }
  std::vector<std::vector<double>> gradients;
  for (std::size_t b = 0; b < values.size(); ++b) {
    gradients.emplace_back(size(b), 0.0);
  }
  std::ranges::transform(output_gradient, gradients.back().begin(), taken);
  for (std::size_t l = graph.layers.size(); l-- > 0;) {
    const Layer& layer = graph.layers[l];
    auto& g = gradients[l + 1];
    for (std::size_t i = 0; i < g.size(); ++i) {
      g[i] *= magnitude ? (smooth(layer) ? 1.0 + before[l][i] : 1.0)
                        : activate_derivative(layer.activation, layer.slope, before[l][i]);
    }
    auto& to = gradients[static_cast<std::size_t>(layer.source)];
    if (layer.weighted()) {
      products(layer, [&](std::size_t o, std::size_t i, double weight) { to[i] += weight * g[o]; });
      continue;
    }
    const auto from = layer.operation == Operation::addition ? std::vector<std::int64_t>{} : moves(layer);
    for (std::size_t i = 0; i < g.size(); ++i) {
      to[from.empty() ? i : static_cast<std::size_t>(from[i])] += g[i];
      if (from.empty()) {
        gradients[static_cast<std::size_t>(layer.other)][i] += g[i];
      }
    }
  }
  return {values.back(), gradients.front()};
}

}  // namespace vaeguard::networks
