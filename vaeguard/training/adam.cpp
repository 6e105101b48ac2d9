// Adam over slices of the parameters.
#include "vaeguard/training/adam.h"

#include <utility>

#include "vaeguard/base/adam.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"

namespace vaeguard::training {
namespace {

// Parameters that one thread updates at a time; does not affect the result.
constexpr std::int64_t kSlice = 1 << 15;

}  // namespace

void AdamOptions::validate() const {
  const auto decay = [](double value) { return value >= 0.0 && value < 1.0; };
  if (!decay(first_decay) || !decay(second_decay)) {
    misuse("training.adam", "first_decay and second_decay must be in [0, 1), got {} and {}", first_decay, second_decay);
  }
  if (!(epsilon > 0.0)) {
    misuse("training.adam", "epsilon must be > 0, got {}", epsilon);
  }
}

Adam::Adam(std::size_t parameters, AdamOptions options)
    : options_(options),
      state_{.first = std::vector<float>(parameters), .second = std::vector<float>(parameters), .steps = 0} {
  options_.validate();
}

void Adam::step(std::span<float> parameters, std::span<const float> gradient, double rate, int threads) {
  if (parameters.size() != state_.first.size() || gradient.size() != parameters.size()) {
    misuse("training.adam", "expected {} parameters and gradients, got {} and {}", state_.first.size(),
           parameters.size(), gradient.size());
  }
  ++state_.steps;
  const AdamStep<float, AdamForm::sums> move(
      {.mean = options_.first_decay, .square = options_.second_decay, .floor = options_.epsilon}, state_.steps, rate);
  parallel_chunks(std::ssize(parameters), kSlice, threads, [&](std::int64_t begin, std::int64_t count) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(begin + count); ++i) {
      parameters[i] -= move(gradient[i], state_.first[i], state_.second[i]);
    }
  });
}

void Adam::set_state(AdamState state) {
  if (state.first.size() != state_.first.size() || state.second.size() != state_.second.size() || state.steps < 0) {
    misuse("training.adam", "expected a state of {} parameters, got {} and {} after {} steps", state_.first.size(),
           state.first.size(), state.second.size(), state.steps);
  }
  state_ = std::move(state);
}

}  // namespace vaeguard::training
