// Training of a VAE by stochastic gradients of an objective, resumable at any step with the result of an unbroken run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/observer.h"
#include "vaeguard/data/dataset.h"
#include "vaeguard/models/safetensors.h"
#include "vaeguard/models/vae.h"
#include "vaeguard/training/adam.h"
#include "vaeguard/training/batch_gradient.h"
#include "vaeguard/training/objective.h"
#include "vaeguard/training/schedule.h"

namespace vaeguard::training {

struct TrainerOptions {
  int epochs = 10;
  std::int64_t batch = 32;
  ObjectiveOptions objective;
  std::uint64_t seed = 1;
  ScheduleOptions schedule;
  AdamOptions adam;
  int threads = 1;
  std::filesystem::path state_file;  // where to keep the state; empty keeps none
  double save_seconds = 60.0;        // at most this much work is lost if the program is killed

  void validate() const;
};

/// "default": small batches and one cycle of the learning rate, which reaches in few epochs the ELBO that the paper's
/// schedule reaches much later. "published": the paper's Adam 5e-4, batch 128, halved on a plateau of 10 epochs, 300
/// epochs, and its code's estimate of the total correlation. Throws Misuse for other names.
TrainerOptions training_preset(std::string_view name);

/// One epoch; terms are means over images. Those of training images were taken during the epoch; those of validation
/// images always include both terms of the ELBO, whatever the objective.
struct EpochRecord {
  int epoch = 0;  // 1, 2, ...
  double learning_rate = 0.0;
  LossSum training;
  LossSum validation;
};

/// Holds parameters, optimiser and position in the data. The variance of a Gaussian that says variance = "learned" is
/// set after each epoch, from the training images as they were seen in it (learned_variance.h). Images are used as they
/// are, continuous in [0, 1]. Random numbers depend on (seed, epoch, image), and gradients are summed over fixed chunks
/// in a fixed order, so neither the number of threads nor an interruption changes a bit.
class Trainer {
 public:
  /// `dataset` must outlive the trainer.
  Trainer(models::VaeWeights start, const data::Dataset& dataset, TrainerOptions options);

  [[nodiscard]] bool finished() const { return epoch_ == options_.epochs; }
  [[nodiscard]] std::int64_t steps() const { return adam_.state().steps; }
  [[nodiscard]] std::int64_t steps_per_epoch() const;
  /// One minibatch; the last one of an epoch is followed by validation.
  void step();
  /// Steps until finished, saving the state as the options say. When interrupted, saves and throws Interrupted.
  void run(Observer& observer);

  /// The current weights.
  [[nodiscard]] models::VaeWeights current() const;
  /// The weights after the epoch with the lowest validation loss so far; the start before the first epoch's end.
  [[nodiscard]] const models::VaeWeights& best() const { return best_; }
  [[nodiscard]] int best_epoch() const { return best_epoch_; }
  [[nodiscard]] const std::vector<EpochRecord>& history() const { return history_; }

  [[nodiscard]] models::Safetensors state() const;
  /// Continues from `state`. Throws Misuse that names `place` unless it belongs to this start, data set and options.
  void restore(const models::Safetensors& state, std::string_view place);

 private:
  void finish_epoch();
  /// Before the sums of an epoch are forgotten.
  void learn_variance();
  void set_likelihood(models::Likelihood likelihood);
  void report(Observer& observer, std::int64_t images_here, double seconds) const;
  /// The objective's penalty summed over the validation images, in mini-batches of the training's size.
  double validation_penalty();
  /// Copies the current parameters to the networks.
  void update_networks();

  const data::Dataset* dataset_;
  TrainerOptions options_;
  std::string fingerprint_;  // of everything the result depends on
  bool learns_variance_;
  models::VaeWeights best_;
  models::Likelihood likelihood_;  // now
  std::vector<float> parameters_;  // of encoder, decoder and prior
  std::unique_ptr<networks::TrainableNetwork> encoder_;
  std::unique_ptr<networks::TrainableNetwork> decoder_;
  std::unique_ptr<models::TrainablePrior> prior_;
  Adam adam_;
  Schedule schedule_;
  std::unique_ptr<const Objective> objective_;
  BatchGradient batch_gradient_;
  int epoch_ = 0;                    // finished epochs
  std::int64_t position_ = 0;        // images of this epoch already used
  std::vector<std::int64_t> order_;  // of the images in this epoch
  LossSum epoch_sum_;                // over those images
  double best_loss_;
  int best_epoch_ = 0;
  std::vector<EpochRecord> history_;
};

struct TrainingResult {
  models::VaeWeights best;
  int best_epoch = 0;
  std::vector<EpochRecord> history;
};

/// Trains from `start`, or continues from options.state_file if that exists. A finished state returns its result at
/// once.
TrainingResult train(models::VaeWeights start, const data::Dataset& dataset, const TrainerOptions& options,
                     Observer& observer);

}  // namespace vaeguard::training
