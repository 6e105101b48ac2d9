// Priors as stacks of couplings over a standard normal: densities, gradients and draws.
#include "vaeguard/models/prior.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/models/prior_design.h"

namespace vaeguard::models {
namespace {

constexpr std::string_view kPlace = "models.prior";

// -log N(u; 0, I)
template <typename Number>
double normal_energy(std::span<const Number> point) {
  double sum = 0.0;
  for (const Number value : point) {
    sum += static_cast<double>(value) * value;
  }
  return 0.5 * (sum + static_cast<double>(point.size()) * std::log(2.0 * std::numbers::pi));
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

std::string_view name(const PriorWeights& prior) { return design_of(prior).name(); }

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

Prior::Prior(const std::vector<std::shared_ptr<const networks::Network>>& networks, double bound) : latents_(-1) {
  if (!networks.empty()) {
    const networks::LayerGraph& first = networks.front()->graph();
    latents_ = first.input_size() + first.output_size() / 2;
  }
  for (std::size_t k = 0; k < networks.size(); ++k) {
    couplings_.emplace_back(networks[k], latents_, k, bound);
  }
}

void Prior::forward(const Matrix& latents, PriorTape& tape) const {
  check_shape(kPlace, "latents", latents, -1, latents_);
  tape.rows = latents.rows();
  tape.point.assign(latents.values().begin(), latents.values().end());
  tape.log_determinant.assign(static_cast<std::size_t>(tape.rows), 0.0);
  tape.steps.resize(couplings_.size());
  for (std::size_t k = 0; k < couplings_.size(); ++k) {
    couplings_[k].forward(tape.point, tape.log_determinant, tape.steps[k]);
  }
}

template <typename Pull>
void Prior::run_backward(double weight, PriorTape& tape, const Pull& pull) const {
  // The energy is |u|^2 / 2 - sum of s: u is the gradient at the base point, -1 that at each s.
  tape.gradient.resize(tape.point.size());
  std::ranges::transform(tape.point, tape.gradient.begin(), [&](double value) { return weight * value; });
  for (std::size_t k = couplings_.size(); k-- > 0;) {
    couplings_[k].begin_backward(weight, tape.gradient, tape.steps[k]);
    pull(k, tape.steps[k]);
    couplings_[k].end_backward(tape.gradient, tape.steps[k]);
  }
}

void Prior::backward(PriorTape& tape) const {
  run_backward(1.0, tape, [this](std::size_t k, CouplingTape& step) {
    couplings_[k].network().backward(step.output_gradients, step.kept_gradients, *step.network);
  });
}

Matrix Prior::from_base(const Matrix& base, int threads) const {
  constexpr std::int64_t kChunk = 64;  // bounds the tape's memory
  check_shape(kPlace, "base points", base, -1, latents_);
  Matrix latents(base.rows(), base.columns());
  parallel_chunks(base.rows(), row_chunk(base.rows(), kChunk, threads), threads,
                  [&](std::int64_t first, std::int64_t count) {
                    const Matrix some = base.slice(first, count);
                    std::vector<double> points(some.values().begin(), some.values().end());
                    for (std::size_t k = couplings_.size(); k-- > 0;) {
                      CouplingTape tape;
                      couplings_[k].inverse(points, tape);
                    }
                    std::ranges::transform(points, latents.data() + first * latents.columns(),
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
  run_backward(weight, tape, [&](std::size_t k, CouplingTape& step) {
    const std::size_t count = trainable_[k]->graph().parameters.size();
    end -= count;
    trainable_[k]->backward_parameters(step.output_gradients, &step.kept_gradients,
                                       parameter_gradients.subspan(end, count), *step.network);
  });
}

}  // namespace vaeguard::models
