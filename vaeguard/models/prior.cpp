// Affine couplings forward, backward and inverted, around the networks that determine how far each dimension moves.
#include "vaeguard/models/prior.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/base/text.h"

namespace vaeguard::models {
namespace {

constexpr std::string_view kPlace = "models.prior";
constexpr std::string_view kStandardNormal = "standard_normal";
constexpr std::string_view kRealNvp = "realnvp";

// -log N(u; 0, I)
template <typename Number>
double normal_energy(std::span<const Number> point) {
  double sum = 0.0;
  for (const Number value : point) {
    sum += static_cast<double>(value) * value;
  }
  return 0.5 * (sum + static_cast<double>(point.size()) * std::log(2.0 * std::numbers::pi));
}

// Weights N(0, 1 / fan in), which keep the scale of activations; biases stay zero.
void randomise(networks::LayerGraph& graph, const networks::Layer& layer, Key key) {
  const auto deviation = static_cast<float>(1.0 / std::sqrt(static_cast<double>(layer.input().channels)));
  const std::span<float> weight = graph.weight(layer);
  fill_normal(key, weight);
  std::ranges::transform(weight, weight.begin(), [&](float value) { return deviation * value; });
}

networks::LayerGraph coupling_graph(const CouplingHalves& halves, std::int64_t hidden, Key key) {
  networks::LayerGraph graph{.inputs = {{halves.kept, 1, 1}}};
  for (const std::string_view layer : {"first", "second"}) {
    graph.add(networks::Operation::convolution, {.channels = hidden, .activation = networks::Activation::silu});
    randomise(graph, graph.layers.back(), key.fold(layer));
  }
  return graph.add(networks::Operation::convolution, {.channels = 2 * halves.moved});
}

std::vector<std::shared_ptr<const networks::Network>> compile_all(const PriorWeights& weights,
                                                                  std::string_view backend) {
  std::vector<std::shared_ptr<const networks::Network>> networks;
  for (const networks::LayerGraph& graph : weights.couplings) {
    networks.push_back(networks::compile(graph, backend));
  }
  return networks;
}

std::vector<std::shared_ptr<networks::TrainableNetwork>> compile_all_trainable(const PriorWeights& weights) {
  std::vector<std::shared_ptr<networks::TrainableNetwork>> networks;
  for (const networks::LayerGraph& graph : weights.couplings) {
    networks.push_back(networks::compile_trainable(graph));
  }
  return networks;
}

}  // namespace

CouplingHalves::CouplingHalves(std::int64_t latents, std::size_t coupling)
    : first_kept(static_cast<std::int64_t>(coupling % 2)),
      first_moved(1 - first_kept),
      kept((latents - first_kept + 1) / 2),
      moved(latents - kept) {}

void RealNvpOptions::validate() const {
  if (couplings < 1 || hidden < 1) {
    misuse(kPlace, "couplings and hidden must be at least 1, got {} and {}", couplings, hidden);
  }
  if (!(bound > 0.0) || !std::isfinite(bound)) {
    misuse(kPlace, "bound must be finite and > 0, got {}", bound);
  }
}

PriorWeights realnvp(std::int64_t latents, Key key, const RealNvpOptions& options) {
  options.validate();
  if (latents < 2) {
    misuse(kPlace, "a RealNVP keeps some latents and moves the others: it needs at least 2, got {}", latents);
  }
  PriorWeights prior{.couplings = {}, .bound = options.bound};
  for (std::size_t k = 0; k < static_cast<std::size_t>(options.couplings); ++k) {
    prior.couplings.push_back(coupling_graph(CouplingHalves(latents, k), options.hidden, key.fold(k)));
  }
  return prior;
}

PriorWeights make_prior(std::string_view name, std::int64_t latents, Key key) {
  check_prior_name(name, kPlace);
  return name == kRealNvp ? realnvp(latents, key) : PriorWeights{};
}

void check_prior_name(std::string_view name, std::string_view place) {
  const std::vector<std::string> known{std::string(kStandardNormal), std::string(kRealNvp)};
  if (std::ranges::find(known, name) == known.end()) {
    unknown_name(place, "prior", name, known);
  }
}

std::string_view name(const PriorWeights& prior) { return prior.couplings.empty() ? kStandardNormal : kRealNvp; }

std::string describe(const PriorWeights& prior) {
  return prior.couplings.empty() ? std::string(name(prior))
                                 : fmt::format("{} of {} couplings", name(prior), prior.couplings.size());
}

void validate(const PriorWeights& prior, std::int64_t latents, std::string_view place) {
  for (std::size_t k = 0; k < prior.couplings.size(); ++k) {
    const CouplingHalves halves(latents, k);
    const std::int64_t reads = prior.couplings[k].input_size();
    const std::int64_t gives = prior.couplings[k].output_size();
    if (halves.kept < 1 || halves.moved < 1 || reads != halves.kept || gives != 2 * halves.moved) {
      misuse(place, "coupling {} of the prior must take {} of {} latents and give {} values, it takes {} and gives {}",
             k, halves.kept, latents, 2 * halves.moved, reads, gives);
    }
  }
  if (!(prior.bound > 0.0) || !std::isfinite(prior.bound)) {
    misuse(place, "the prior's bound must be finite and > 0, got {}", prior.bound);
  }
}

double standard_normal_energy(std::span<const float> latent) { return normal_energy(latent); }

double PriorTape::energy(std::int64_t b) const {
  const std::size_t size = point.size() / static_cast<std::size_t>(rows);
  const auto row = static_cast<std::size_t>(b);
  return normal_energy(std::span(point).subspan(row * size, size)) - log_determinant[row];
}

Prior::Prior(const PriorWeights& weights, std::string_view backend)
    : Prior(compile_all(weights, backend), weights.bound) {
  validate(weights, latents_, kPlace);
}

Prior::Prior(std::vector<std::shared_ptr<const networks::Network>> networks, double bound)
    : networks_(std::move(networks)), bound_(bound), latents_(-1) {
  if (!networks_.empty()) {
    const networks::LayerGraph& first = networks_.front()->graph();
    latents_ = first.input_size() + first.output_size() / 2;
  }
}

void Prior::forward(const Matrix& latents, PriorTape& tape) const {
  check_shape(kPlace, "latents", latents, -1, latents_);
  tape.rows = latents.rows();
  tape.point.assign(latents.values().begin(), latents.values().end());
  tape.log_determinant.assign(static_cast<std::size_t>(tape.rows), 0.0);
  tape.steps.resize(networks_.size());
  for (std::size_t k = 0; k < networks_.size(); ++k) {
    couple(k, tape);
  }
}

// Fills the outputs and log scales of coupling k from the kept part of the point.
void Prior::run_network(std::size_t k, PriorTape& tape) const {
  PriorTape::Step& step = tape.steps[k];
  const CouplingHalves halves(latents_, k);
  if (step.network == nullptr) {
    step.network = networks_[k]->make_tape();
  }
  step.kept.resize(tape.rows, halves.kept);
  for (std::int64_t b = 0; b < tape.rows; ++b) {
    const double* point = tape.point.data() + b * latents_ + halves.first_kept;
    for (std::int64_t i = 0; i < halves.kept; ++i) {
      step.kept(b, i) = static_cast<float>(point[2 * i]);
    }
  }
  networks_[k]->forward(step.kept, step.outputs, *step.network);
  step.log_scale.resize(static_cast<std::size_t>(tape.rows * halves.moved));
  for (std::int64_t b = 0; b < tape.rows; ++b) {
    for (std::int64_t i = 0; i < halves.moved; ++i) {
      step.log_scale[static_cast<std::size_t>(b * halves.moved + i)] = bound_ * std::tanh(step.outputs(b, i) / bound_);
    }
  }
}

void Prior::couple(std::size_t k, PriorTape& tape) const {
  run_network(k, tape);
  PriorTape::Step& step = tape.steps[k];
  const CouplingHalves halves(latents_, k);
  step.scaled.resize(step.log_scale.size());
  for (std::int64_t b = 0; b < tape.rows; ++b) {
    double* point = tape.point.data() + b * latents_ + halves.first_moved;
    double& log_determinant = tape.log_determinant[static_cast<std::size_t>(b)];
    for (std::int64_t i = 0; i < halves.moved; ++i) {
      const auto at = static_cast<std::size_t>(b * halves.moved + i);
      step.scaled[at] = point[2 * i] * std::exp(step.log_scale[at]);
      point[2 * i] = step.scaled[at] + step.outputs(b, halves.moved + i);
      log_determinant += step.log_scale[at];
    }
  }
}

void Prior::uncouple(std::size_t k, PriorTape& tape) const {
  run_network(k, tape);
  const PriorTape::Step& step = tape.steps[k];
  const CouplingHalves halves(latents_, k);
  for (std::int64_t b = 0; b < tape.rows; ++b) {
    double* point = tape.point.data() + b * latents_ + halves.first_moved;
    for (std::int64_t i = 0; i < halves.moved; ++i) {
      const auto at = static_cast<std::size_t>(b * halves.moved + i);
      point[2 * i] = (point[2 * i] - step.outputs(b, halves.moved + i)) * std::exp(-step.log_scale[at]);
    }
  }
}

template <typename Pull>
void Prior::run_backward(double weight, PriorTape& tape, const Pull& pull) const {
  // The energy is |u|^2 / 2 - sum of s: u is the gradient at the base point, -1 that at each s.
  tape.gradient.resize(tape.point.size());
  std::ranges::transform(tape.point, tape.gradient.begin(), [&](double value) { return weight * value; });
  for (std::size_t k = networks_.size(); k-- > 0;) {
    PriorTape::Step& step = tape.steps[k];
    const CouplingHalves halves(latents_, k);
    step.output_gradients.resize(tape.rows, 2 * halves.moved);
    for (std::int64_t b = 0; b < tape.rows; ++b) {
      double* gradient = tape.gradient.data() + b * latents_ + halves.first_moved;
      for (std::int64_t i = 0; i < halves.moved; ++i) {
        const auto at = static_cast<std::size_t>(b * halves.moved + i);
        const double slope = 1.0 - std::pow(step.log_scale[at] / bound_, 2);  // ds/da
        step.output_gradients(b, i) = static_cast<float>((gradient[2 * i] * step.scaled[at] - weight) * slope);
        step.output_gradients(b, halves.moved + i) = static_cast<float>(gradient[2 * i]);
        gradient[2 * i] *= std::exp(step.log_scale[at]);
      }
    }
    pull(k, step);
    for (std::int64_t b = 0; b < tape.rows; ++b) {
      double* gradient = tape.gradient.data() + b * latents_ + halves.first_kept;
      for (std::int64_t i = 0; i < halves.kept; ++i) {
        gradient[2 * i] += step.kept_gradients(b, i);
      }
    }
  }
}

void Prior::backward(PriorTape& tape) const {
  run_backward(1.0, tape, [this](std::size_t k, PriorTape::Step& step) {
    networks_[k]->backward(step.output_gradients, step.kept_gradients, *step.network);
  });
}

Matrix Prior::from_base(const Matrix& base, int threads) const {
  constexpr std::int64_t kChunk = 64;  // bounds the tape's memory
  check_shape(kPlace, "base points", base, -1, latents_);
  Matrix latents(base.rows(), base.columns());
  parallel_chunks(base.rows(), row_chunk(base.rows(), kChunk, threads), threads,
                  [&](std::int64_t first, std::int64_t count) {
                    const Matrix some = base.slice(first, count);
                    PriorTape tape;
                    tape.rows = count;
                    tape.point.assign(some.values().begin(), some.values().end());
                    tape.steps.resize(networks_.size());
                    for (std::size_t k = networks_.size(); k-- > 0;) {
                      uncouple(k, tape);
                    }
                    std::ranges::transform(tape.point, latents.data() + first * latents.columns(),
                                           [](double value) { return static_cast<float>(value); });
                  });
  return latents;
}

TrainablePrior::TrainablePrior(const PriorWeights& weights)
    : TrainablePrior(compile_all_trainable(weights), weights.bound) {}

TrainablePrior::TrainablePrior(std::vector<std::shared_ptr<networks::TrainableNetwork>> networks, double bound)
    : Prior({networks.begin(), networks.end()}, bound), trainable_(std::move(networks)) {}

std::size_t TrainablePrior::parameters() const {
  std::size_t count = 0;
  for (const auto& network : trainable_) {
    count += network->graph().parameters.size();
  }
  return count;
}

void TrainablePrior::set_parameters(std::span<const float> parameters) {
  for (const auto& network : trainable_) {
    const std::size_t count = network->graph().parameters.size();
    network->set_parameters(parameters.first(count));
    parameters = parameters.subspan(count);
  }
}

void TrainablePrior::backward_parameters(double weight, std::span<float> parameter_gradients, PriorTape& tape) const {
  std::size_t end = parameters();
  run_backward(weight, tape, [&](std::size_t k, PriorTape::Step& step) {
    const std::size_t count = trainable_[k]->graph().parameters.size();
    end -= count;
    trainable_[k]->backward_parameters(step.output_gradients, &step.kept_gradients,
                                       parameter_gradients.subspan(end, count), *step.network);
  });
}

}  // namespace vaeguard::models
