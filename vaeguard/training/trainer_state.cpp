// Saving and loading the state of a training.
#include "vaeguard/training/trainer_state.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <nlohmann/json.hpp>

#include "vaeguard/base/error.h"
#include "vaeguard/training/registry.h"

namespace vaeguard::training {
namespace {

using nlohmann::json;

constexpr std::string_view kFormat = "vaeguard.training_state";

// FNV-1a over the bits of the start.
std::uint64_t digest(const std::vector<float>& values) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const float value : values) {
    hash = (hash ^ std::bit_cast<std::uint32_t>(value)) * 1099511628211ULL;
  }
  return hash;
}

// Empty for a standard normal, so that states written before there were other priors stay valid.
std::string prior_text(const models::PriorWeights& prior) {
  return prior.couplings.empty() ? "" : fmt::format(" prior {} bound {}", models::describe(prior), prior.bound);
}

// "gaussian 0.5"; a likelihood without options has a 1, so that states written when each had a variance stay valid.
std::string likelihood_text(const models::Likelihood& likelihood) {
  std::string text(likelihood.name());
  const Value values = likelihood.values();
  for (const auto& [key, value] : *values.as<Value::Table>()) {
    const auto number = value.number();
    text += fmt::format(" {}", number ? fmt::format("{}", *number) : to_text(value));
  }
  return values == Value() ? text + " 1" : text;
}

json sum_json(const LossSum& sum) { return {sum.elbo.reconstruction, sum.elbo.divergence, sum.penalty}; }

LossSum sum_from(const json& entry) {
  return {.elbo = {.reconstruction = entry.at(0).get<double>(), .divergence = entry.at(1).get<double>()},
          .penalty = entry.at(2).get<double>()};
}

// JSON has no infinity, the initial value of both "best so far" numbers: null stands for it.
json finite_json(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

double finite_from(const json& entry) {
  return entry.is_null() ? std::numeric_limits<double>::infinity() : entry.get<double>();
}

json history_json(const std::vector<EpochRecord>& history) {
  json rows = json::array();
  for (const EpochRecord& record : history) {
    rows.push_back({{"epoch", record.epoch},
                    {"learning_rate", record.learning_rate},
                    {"training", sum_json(record.training)},
                    {"validation", sum_json(record.validation)}});
  }
  return rows;
}

std::vector<EpochRecord> history_from(const json& rows) {
  std::vector<EpochRecord> history;
  for (const json& row : rows) {
    history.push_back({.epoch = row.at("epoch").get<int>(),
                       .learning_rate = row.at("learning_rate").get<double>(),
                       .training = sum_from(row.at("training")),
                       .validation = sum_from(row.at("validation"))});
  }
  return history;
}

void check_fingerprint(const models::Safetensors& file, std::string_view fingerprint, std::string_view place) {
  const auto format = file.metadata.find("format");
  if (format == file.metadata.end() || format->second != kFormat) {
    misuse(place, "expected a training state with the metadata entry format = '{}', found {}", kFormat,
           format == file.metadata.end() ? "none" : fmt::format("'{}'", format->second));
  }
  const std::string& found = file.text("fingerprint", place);
  if (found != fingerprint) {
    misuse(place, "this state is of another training; expected ({}), found ({})", fingerprint, found);
  }
}

}  // namespace

std::string training_fingerprint(const models::VaeWeights& start, const data::Dataset& dataset,
                                 const TrainerOptions& options) {
  const ScheduleOptions& s = options.schedule;
  return fmt::format(
      "model {}{} start {:016x} likelihood {}; data {} {} {}+{} images; objective {}; epochs {} batch {} seed {}; "
      "schedule {} learning_rate {} factor {} patience {} threshold {} warmup {} last {}; adam {} {} {}",
      start.architecture, prior_text(start.prior), digest(parameters_of(start)), likelihood_text(start.likelihood),
      dataset.name, dataset.digest, dataset.train.pixels.rows(), dataset.validation.pixels.rows(),
      describe(options.objective), options.epochs, options.batch, options.seed, name(s.kind), s.learning_rate, s.factor,
      s.patience, s.threshold, s.warmup, s.last, options.adam.first_decay, options.adam.second_decay,
      options.adam.epsilon);
}

std::vector<float> parameters_of(const models::VaeWeights& weights) {
  std::vector<float> result = weights.encoder.parameters;
  result.insert(result.end(), weights.decoder.parameters.begin(), weights.decoder.parameters.end());
  for (const networks::LayerGraph& coupling : weights.prior.couplings) {
    result.insert(result.end(), coupling.parameters.begin(), coupling.parameters.end());
  }
  return result;
}

void assign_parameters(std::span<const float> parameters, models::VaeWeights& weights) {
  const auto take = [&](std::vector<float>& to) {
    std::ranges::copy(parameters.first(to.size()), to.begin());
    parameters = parameters.subspan(to.size());
  };
  take(weights.encoder.parameters);
  take(weights.decoder.parameters);
  for (networks::LayerGraph& coupling : weights.prior.couplings) {
    take(coupling.parameters);
  }
}

models::Safetensors to_safetensors(const TrainerState& state) {
  models::Safetensors file;
  const std::array<std::pair<const char*, const std::vector<float>*>, 4> vectors{
      {{"parameters", &state.parameters},
       {"best.parameters", &state.best_parameters},
       {"optimiser.first", &state.adam.first},
       {"optimiser.second", &state.adam.second}}};
  for (const auto& [name, values] : vectors) {
    file.tensors[name] = models::Tensor::of({std::ssize(*values)}, *values);
  }
  file.metadata["format"] = kFormat;
  file.metadata["fingerprint"] = state.fingerprint;
  json position{{"epoch", state.epoch},
                {"image", state.position},
                {"steps", state.adam.steps},
                {"sum", sum_json(state.epoch_sum)},
                {"rate", state.schedule.rate},
                {"plateau_best", finite_json(state.schedule.best)},
                {"plateau_bad_epochs", state.schedule.bad_epochs},
                {"best_loss", finite_json(state.best_loss)},
                {"best_epoch", state.best_epoch}};
  if (state.variance) {
    position["variance"] = {state.variance->now, state.variance->best};
  }
  file.metadata["position"] = position.dump();
  file.metadata["history"] = history_json(state.history).dump();
  return file;
}

TrainerState trainer_state(const models::Safetensors& file, std::string_view fingerprint, std::int64_t parameters,
                           std::string_view place) {
  check_fingerprint(file, fingerprint, place);
  const std::array shape{parameters};
  TrainerState state{.fingerprint = std::string(fingerprint),
                     .parameters = file.floats("parameters", shape, place),
                     .best_parameters = file.floats("best.parameters", shape, place),
                     .adam = {.first = file.floats("optimiser.first", shape, place),
                              .second = file.floats("optimiser.second", shape, place)},
                     .schedule = {},
                     .variance = {},
                     .epoch_sum = {},
                     .history = {}};
  try {
    const json position = json::parse(file.text("position", place));
    state.epoch = position.at("epoch").get<int>();
    state.position = position.at("image").get<std::int64_t>();
    state.adam.steps = position.at("steps").get<std::int64_t>();
    state.epoch_sum = sum_from(position.at("sum"));
    state.schedule = {.rate = position.at("rate").get<double>(),
                      .best = finite_from(position.at("plateau_best")),
                      .bad_epochs = position.at("plateau_bad_epochs").get<int>()};
    if (position.contains("variance")) {
      const json& variance = position.at("variance");
      state.variance = {.now = variance.at(0).get<double>(), .best = variance.at(1).get<double>()};
    }
    state.best_loss = finite_from(position.at("best_loss"));
    state.best_epoch = position.at("best_epoch").get<int>();
    state.history = history_from(json::parse(file.text("history", place)));
  } catch (const json::exception& error) {
    misuse(place, "the metadata entries 'position' and 'history' must be as a training writes them, found: {}",
           error.what());
  }
  if (state.epoch < 0 || state.position < 0 || state.adam.steps < 0) {
    misuse(place, "epoch, image and steps must be >= 0, found {}, {} and {}", state.epoch, state.position,
           state.adam.steps);
  }
  return state;
}

}  // namespace vaeguard::training
