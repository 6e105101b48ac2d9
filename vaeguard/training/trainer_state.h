// What is needed to resume a training: the state of a Trainer, and its safetensors form.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/data/dataset.h"
#include "vaeguard/models/safetensors.h"
#include "vaeguard/models/vae.h"
#include "vaeguard/training/adam.h"
#include "vaeguard/training/schedule.h"
#include "vaeguard/training/trainer.h"

namespace vaeguard::training {

struct LearnedVariance {
  double now = 0.0;
  double best = 0.0;  // of the epoch with the best validation
};

struct TrainerState {
  std::string fingerprint;
  std::vector<float> parameters;
  std::vector<float> best_parameters;
  AdamState adam;
  ScheduleState schedule;
  int epoch = 0;
  std::int64_t position = 0;
  std::optional<LearnedVariance> variance;  // none unless it is learned
  LossSum epoch_sum;
  double best_loss = 0.0;
  int best_epoch = 0;
  std::vector<EpochRecord> history;
};

/// Text that names everything a training's result depends on: start, data and options.
std::string training_fingerprint(const models::VaeWeights& start, const data::Dataset& dataset,
                                 const TrainerOptions& options);

/// Parameters of the encoder, of the decoder and of the prior.
std::vector<float> parameters_of(const models::VaeWeights& weights);
void assign_parameters(std::span<const float> parameters, models::VaeWeights& weights);

models::Safetensors to_safetensors(const TrainerState& state);
/// Throws Misuse that names `place` for a foreign or damaged file, or for another fingerprint.
TrainerState trainer_state(const models::Safetensors& file, std::string_view fingerprint, std::int64_t parameters,
                           std::string_view place);

}  // namespace vaeguard::training
