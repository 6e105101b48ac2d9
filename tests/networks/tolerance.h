// How far float arithmetic may stray from double on a layer graph: running error analysis.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "tests/networks/random_graph.h"
#include "vaeguard/networks/layer_maps.h"
#include "vaeguard/networks/reference/reference_network.h"

namespace vaeguard::networks {

/// max |f'|, max |f''| away from a kink, and the largest value that the usual formulas for f and f' add and take away
/// on the way (exp(x) - 1, 1 - y y), which rounds in full even where the result is small. Those of exp at a sum `x`.
struct ActivationBounds {
  double slope = 1.0;
  double curvature = 0.0;
  double offset = 0.0;
};

inline ActivationBounds bounds(const LayerOptions& layer, double x) {
  const double steepest = std::max(1.0, layer.slope);
  switch (layer.activation) {
    case Activation::leaky_relu:
      return {.slope = steepest};
    case Activation::elu:
      return {.slope = steepest, .curvature = layer.slope, .offset = steepest};
    case Activation::silu:  // f' = 1.0998 near 2.4, f'' = 1 / 2 at 0
      return {.slope = 1.1, .curvature = 0.5, .offset = 1.0};
    case Activation::tanh:  // f'' = 4 / (3 sqrt(3))
      return {.slope = 1.0, .curvature = 0.77, .offset = 1.0};
    case Activation::sigmoid:  // f'' = 1 / (6 sqrt(3))
      return {.slope = 0.25, .curvature = 0.097, .offset = 1.0};
    case Activation::exp:
      return {.slope = std::exp(x), .curvature = std::exp(x)};
    case Activation::softplus:
      return {.slope = 1.0, .curvature = 0.25, .offset = 1.0};
    default:
      return {};
  }
}

/// A forward pass and, in Tolerance::unit(), how far floats may stray from it at each boundary.
struct Strays {
  Boundaries values;
  Boundaries errors;
  Boundaries totals;  // |values| + errors
};

/// How far float arithmetic may stray from the double one, by running error analysis. A sum of n floats strays from the
/// exact one by about u sqrt(n) times the sum of magnitudes (a random walk of n roundings of half a unit u = 2^-24
/// each), and errors e of what it reads pass through the magnitudes of the weights: |W| (|x| + e) + |b|. An activation
/// passes at most max |f'| of that on and rounds its own result. Backwards a gradient g becomes f' g, where f' strays
/// by max |f''| times the error of the sum, and is then pulled through the same |W|; a tangent is pushed likewise. A
/// product also meets the errors of its other factor, a softmax those of its output. A factor of 8 stands for eight
/// standard deviations, for a backend's own folding of weights and for other orders of summation. What leaves the
/// normal floats at the lower end strays by the smallest of them: exponentials end there or at 0. A sum that lies
/// within rounding of a kink (of ReLU, say) could fall to different sides; tests use fixed keys for which none does.
class Tolerance {
 public:
  explicit Tolerance(const LayerGraph& graph) : graph_(graph), absolute_(graph) {
    double terms = 0.0;
    for (const Layer& layer : graph_.layers) {
      terms += terms_of(layer);
    }
    for (float& value : absolute_.parameters) {
      value = std::abs(value);
    }
    unit_ = 8.0 * 0.5 * std::numeric_limits<float>::epsilon() * std::sqrt(terms);
    smallest_ = std::numeric_limits<float>::min() / unit_;
  }
  [[nodiscard]] double unit() const { return unit_; }

  [[nodiscard]] Strays forward(std::span<const float> input) const {
    Strays strays{.values = reference_forward(graph_, in_double(input)), .errors = {}, .totals = {}};
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      strays.errors.emplace_back(strays.values[i].size(), 0.0);
      strays.totals.push_back(magnitudes(strays.values[i]));
    }
    for (const Layer& layer : graph_.layers) {
      const std::vector<double> sums = reference_sums(graph_, layer, strays.values);
      std::vector<double> error = sum_errors(layer, strays);
      std::vector<double> total = error;
      const std::vector<double>& values = strays.values[strays.errors.size()];
      for (std::size_t i = 0; i < error.size(); ++i) {
        const ActivationBounds bound = bounds(layer, sums[i]);
        error[i] = bound.slope * error[i] + std::abs(values[i]) + bound.offset + smallest_;
        total[i] = std::abs(values[i]) + error[i];
      }
      strays.errors.push_back(std::move(error));
      strays.totals.push_back(std::move(total));
    }
    return strays;
  }

  /// The errors of the outputs, one output after the other.
  [[nodiscard]] std::vector<double> outputs(const Strays& strays) const {
    return reference_outputs(graph_, strays.errors);
  }

  /// For the input gradient; adds those of the parameter gradients to `parameter_errors` unless empty.
  [[nodiscard]] std::vector<double> backward(const Strays& strays, std::span<const float> output_gradient,
                                             std::span<double> parameter_errors = {}) const {
    Boundaries sizes;  // |x|
    Boundaries zeros;
    for (const std::vector<double>& values : strays.values) {
      sizes.push_back(magnitudes(values));
      zeros.emplace_back(values.size(), 0.0);
    }
    Boundaries gradients = zeros;
    Boundaries errors = zeros;
    seed(in_double(output_gradient), gradients);
    seed(magnitudes(in_double(output_gradient)), errors);  // a sum over several readers of a boundary rounds
    for (std::size_t l = graph_.layers.size(); l-- > 0;) {
      const Layer& layer = graph_.layers[l];
      const std::size_t boundary = graph_.inputs.size() + l;
      const std::vector<double> sums = reference_sums(graph_, layer, strays.values);
      const std::vector<double> sum_error = sum_errors(layer, strays);
      std::vector<double> gradient = gradients[boundary];
      std::vector<double> error = errors[boundary];
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        const ActivationBounds bound = bounds(layer, sums[i]);
        error[i] = bound.slope * error[i] +
                   std::abs(gradient[i]) * (bound.curvature * sum_error[i] + bound.slope + bound.offset);
        gradient[i] *= activate_derivative(layer, sums[i]);
        error[i] += std::abs(gradient[i]) + smallest_;
      }
      const std::vector<double> size = magnitudes(gradient);
      reference_pull(graph_, layer, strays.values, gradient, gradients, {});
      if (layer.operation == Operation::softmax) {
        add_to(errors[static_cast<std::size_t>(layer.source())], through_softmax(layer, sums, sum_error, size, error));
        continue;
      }
      const bool chosen = layer.operation == Operation::max_pooling;  // by the values themselves
      reference_pull(absolute_, layer, chosen ? strays.values : sizes, error, errors, parameter_errors);
      // g times the error of x, besides |x| times the error of g
      Boundaries unused = layer.weighted() && !parameter_errors.empty() ? zeros : Boundaries{};
      if (layer.operation == Operation::product) {
        reference_pull(absolute_, layer, strays.errors, size, errors, {});
      } else if (!unused.empty()) {
        reference_pull(absolute_, layer, strays.errors, size, unused, parameter_errors);
      }
    }
    std::vector<double> result;
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      result.insert(result.end(), errors[i].begin(), errors[i].end());
    }
    return result;
  }

  /// For the tangent at the outputs.
  [[nodiscard]] std::vector<double> tangent(const Strays& strays, std::span<const float> input_tangent) const {
    const Boundaries tangents = reference_tangent(graph_, strays.values, in_double(input_tangent));
    Boundaries sizes;
    Boundaries tangent_sizes;
    for (std::size_t b = 0; b < tangents.size(); ++b) {
      sizes.push_back(magnitudes(strays.values[b]));
      tangent_sizes.push_back(magnitudes(tangents[b]));
    }
    Boundaries errors;
    Boundaries totals;
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      errors.emplace_back(tangents[i].size(), 0.0);
      totals.push_back(tangent_sizes[i]);
    }
    for (const Layer& layer : graph_.layers) {
      const std::size_t boundary = errors.size();
      const std::vector<double> sums = reference_sums(graph_, layer, strays.values);
      const std::vector<double> sum_error = sum_errors(layer, strays);
      const std::vector<double> push = magnitudes(reference_push(graph_, layer, strays.values, tangents));
      const auto source = static_cast<std::size_t>(layer.source());
      const bool chosen = layer.operation == Operation::max_pooling;
      std::vector<double> error = layer.operation == Operation::softmax
                                      ? through_softmax(layer, sums, sum_error, tangent_sizes[source], totals[source])
                                      : reference_push(absolute_, layer, chosen ? strays.values : sizes, totals);
      if (layer.operation == Operation::product) {
        add_to(error, reference_push(absolute_, layer, strays.errors, tangent_sizes));
      }
      for (std::size_t i = 0; i < error.size(); ++i) {
        const ActivationBounds bound = bounds(layer, sums[i]);
        error[i] = bound.slope * error[i] + push[i] * (bound.curvature * sum_error[i] + bound.slope + bound.offset) +
                   tangent_sizes[boundary][i] + smallest_;
      }
      totals.push_back(error);
      add_to(totals.back(), tangent_sizes[boundary]);
      errors.push_back(std::move(error));
    }
    return reference_outputs(graph_, errors);
  }

  /// Whether a sum lies so near the kink of its activation, or two values of a pooled window so near each other, that
  /// floats may fall to the other side.
  [[nodiscard]] bool near_kink(const Strays& strays) const {
    return std::ranges::any_of(graph_.layers, [&](const Layer& layer) {
      return near_kink(layer, strays) || (layer.operation == Operation::max_pooling && near_tie(layer, strays));
    });
  }

 private:
  static double terms_of(const Layer& layer) {
    switch (layer.operation) {
      case Operation::convolution:
      case Operation::transposed_convolution:
        return static_cast<double>(layer.taps() * (layer.input().channels + layer.output.channels) / layer.groups);
      case Operation::addition:
      case Operation::product:  // backward, over the positions beside one
        return 1.0 + static_cast<double>(layer.output.positions());
      case Operation::softmax:
        return static_cast<double>(layer.output.channels);
      case Operation::mean:
      case Operation::bilinear_resize:
        return 4.0 + static_cast<double>(layer.input().positions());
      case Operation::concatenation:
        return 1.0 + static_cast<double>(layer.sources.size());
      default:
        return 1.0 + layer.stride * layer.stride + layer.kernel * layer.kernel;
    }
  }

  static std::vector<double> magnitudes(std::vector<double> values) {
    std::ranges::transform(values, values.begin(), [](double value) { return std::abs(value); });
    return values;
  }

  static void add_to(std::vector<double>& sum, const std::vector<double>& values) {
    std::ranges::transform(sum, values, sum.begin(), std::plus{});
  }

  void seed(const std::vector<double>& output_gradient, Boundaries& gradients) const {
    auto from = output_gradient.begin();
    for (const std::int64_t output : graph_.output_boundaries()) {
      std::ranges::for_each(gradients[static_cast<std::size_t>(output)], [&](double& value) { value += *from++; });
    }
  }

  // Errors of what a layer gives before its activation.
  [[nodiscard]] std::vector<double> sum_errors(const Layer& layer, const Strays& strays) const {
    if (layer.operation != Operation::softmax) {
      return reference_sums(absolute_, layer, strays.totals);
    }
    // dy = y (dx - <y, dx>), and an exponential of a difference that was rounded
    const std::vector<double> y = reference_sums(graph_, layer, strays.values);
    return through_softmax(layer, y, std::vector<double>(y.size(), smallest_), strays.totals[source(layer)],
                           strays.totals[source(layer)], 1.0);
  }

  // The error of y (d - <y, d>), where y strays by `y_error` and d, of size `d_size`, by `d_error`.
  [[nodiscard]] std::vector<double> through_softmax(const Layer& layer, const std::vector<double>& y,
                                                    const std::vector<double>& y_error,
                                                    const std::vector<double>& d_size,
                                                    const std::vector<double>& d_error, double rounding = 0.0) const {
    std::vector<double> result(y.size());
    const auto positions = static_cast<std::size_t>(layer.output.positions());
    for (std::size_t p = 0; p < positions; ++p) {
      double size = 0.0;
      double error = rounding;
      for (std::size_t i = p; i < y.size(); i += positions) {
        size += y[i] * d_size[i];
        error += y[i] * (d_error[i] + d_size[i]) + y_error[i] * d_size[i];
      }
      for (std::size_t i = p; i < y.size(); i += positions) {
        result[i] = y[i] * (d_error[i] + d_size[i] + error) + y_error[i] * (d_size[i] + size) + smallest_;
      }
    }
    return result;
  }

  static std::size_t source(const Layer& layer) { return static_cast<std::size_t>(layer.source()); }

  [[nodiscard]] bool near_kink(const Layer& layer, const Strays& strays) const {
    std::vector<double> kinks;
    if (layer.activation == Activation::relu || layer.activation == Activation::leaky_relu ||
        layer.activation == Activation::elu) {
      kinks = {0.0};
    } else if (layer.activation == Activation::clamp) {
      kinks = {layer.low, layer.high};
    }
    const std::vector<double> sums = reference_sums(graph_, layer, strays.values);
    const std::vector<double> errors = sum_errors(layer, strays);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      for (const double kink : kinks) {
        if (std::abs(sums[i] - kink) <= unit_ * errors[i]) {
          return true;
        }
      }
    }
    return false;
  }

  [[nodiscard]] bool near_tie(const Layer& layer, const Strays& strays) const {
    const std::vector<double>& x = strays.values[source(layer)];
    const std::vector<double>& error = strays.errors[source(layer)];
    const std::vector<double> most = reference_sums(graph_, layer, strays.values);
    for (std::int64_t c = 0; c < layer.output.channels; ++c) {
      std::vector<int> near(static_cast<std::size_t>(layer.output.positions()));
      for (const Connection& window : connections(layer)) {
        const auto i = static_cast<std::size_t>(c * layer.input().positions() + window.input);
        const auto o = static_cast<std::size_t>(c * layer.output.positions() + window.output);
        near[static_cast<std::size_t>(window.output)] += most[o] - x[i] <= 2.0 * unit_ * error[i] ? 1 : 0;
      }
      if (std::ranges::any_of(near, [](int count) { return count > 1; })) {
        return true;
      }
    }
    return false;
  }

  LayerGraph graph_;
  LayerGraph absolute_;
  double unit_;
  double smallest_;
};

}  // namespace vaeguard::networks
