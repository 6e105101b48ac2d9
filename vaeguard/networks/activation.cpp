// One entry per activation: its name, function and derivative.
#include "vaeguard/networks/activation.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace vaeguard::networks {
namespace {

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

struct Entry {
  std::string_view name;
  double (*value)(const LayerOptions& options, double x);
  double (*derivative)(const LayerOptions& options, double x);
};

constexpr std::array<Entry, kActivations> kEntries{
    Entry{"none", [](const LayerOptions&, double x) { return x; }, [](const LayerOptions&, double) { return 1.0; }},
    Entry{"relu", [](const LayerOptions&, double x) { return std::max(x, 0.0); },
          [](const LayerOptions&, double x) { return x > 0.0 ? 1.0 : 0.0; }},
    Entry{"leaky_relu", [](const LayerOptions& o, double x) { return x > 0.0 ? x : o.slope * x; },
          [](const LayerOptions& o, double x) { return x > 0.0 ? 1.0 : o.slope; }},
    Entry{"elu", [](const LayerOptions& o, double x) { return x > 0.0 ? x : o.slope * std::expm1(x); },
          [](const LayerOptions& o, double x) { return x > 0.0 ? 1.0 : o.slope * std::exp(x); }},
    Entry{"silu", [](const LayerOptions&, double x) { return x / (1.0 + std::exp(-x)); },
          [](const LayerOptions&, double x) { return sigmoid(x) * (1.0 + x * sigmoid(-x)); }},
    Entry{"tanh", [](const LayerOptions&, double x) { return std::tanh(x); },
          [](const LayerOptions&, double x) { return 1.0 - std::tanh(x) * std::tanh(x); }},
    Entry{"sigmoid", [](const LayerOptions&, double x) { return sigmoid(x); },
          [](const LayerOptions&, double x) { return sigmoid(x) * sigmoid(-x); }},
    Entry{"exp", [](const LayerOptions&, double x) { return std::exp(x); },
          [](const LayerOptions&, double x) { return std::exp(x); }},
    Entry{"clamp", [](const LayerOptions& o, double x) { return std::clamp(x, o.low, o.high); },
          [](const LayerOptions& o, double x) { return x > o.low && x <= o.high ? 1.0 : 0.0; }},
    Entry{"softplus",
          [](const LayerOptions&, double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); },
          [](const LayerOptions&, double x) { return sigmoid(x); }},
};

const Entry& entry(Activation activation) { return kEntries[static_cast<std::size_t>(activation)]; }

}  // namespace

double activate(const LayerOptions& options, double x) { return entry(options.activation).value(options, x); }

double activate_derivative(const LayerOptions& options, double x) {
  return entry(options.activation).derivative(options, x);
}

std::string_view name(Activation activation) { return entry(activation).name; }

}  // namespace vaeguard::networks
