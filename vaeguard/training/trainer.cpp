// The training loop: mini-batches, epochs, validation, progress.
#include "vaeguard/training/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/training/evaluation.h"
#include "vaeguard/training/learned_variance.h"
#include "vaeguard/training/registry.h"
#include "vaeguard/training/trainer_state.h"

namespace vaeguard::training {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Key training_key(const TrainerOptions& options) { return Key(options.seed).fold("training"); }

LossSum mean(const LossSum& sum, std::int64_t images) {
  const auto count = static_cast<double>(images);
  return {.elbo = {.reconstruction = sum.elbo.reconstruction / count, .divergence = sum.elbo.divergence / count},
          .penalty = sum.penalty / count};
}

void check_start(const models::VaeWeights& weights, const data::Dataset& dataset, const TrainerOptions& options) {
  check_prior(options.objective.name, models::name(weights.prior));
  if (learns_variance(weights.likelihood) && objectives().find(options.objective.name).needs_start) {
    misuse("training.trainer", "objective {} looks at no training images, from which a variance could be learned",
           options.objective.name);
  }
  validate(weights.prior, weights.latent_size(), "training.trainer");
  const std::int64_t size = weights.image().size();
  check_shape("training.trainer", "training images", dataset.train.pixels, -1, size);
  check_shape("training.trainer", "validation images", dataset.validation.pixels, -1, size);
  if (dataset.train.pixels.empty() || dataset.validation.pixels.empty()) {
    misuse("training.trainer", "expected training and validation images, got {} and {}", dataset.train.pixels.rows(),
           dataset.validation.pixels.rows());
  }
}

}  // namespace

void TrainerOptions::validate() const {
  if (epochs < 1 || batch < 1 || threads < 1) {
    misuse("training.trainer", "epochs, batch and threads must be at least 1, got {}, {} and {}", epochs, batch,
           threads);
  }
  if (!(save_seconds > 0.0)) {
    misuse("training.trainer", "save_seconds must be > 0, got {}", save_seconds);
  }
  objective.validate();
  schedule.validate();
  adam.validate();
}

TrainerOptions training_preset(std::string_view name) {
  TrainerOptions options;
  if (name == "default") {
    return options;
  }
  if (name == "published") {
    options.epochs = 300;
    options.batch = 128;
    options.schedule = {.kind = ScheduleKind::plateau, .learning_rate = 5e-4};
    options.objective.estimator = TotalCorrelationEstimator::published;
    return options;
  }
  misuse("training.trainer", "preset must be 'default' or 'published', got '{}'", name);
}

Trainer::Trainer(models::VaeWeights start, const data::Dataset& dataset, TrainerOptions options)
    : dataset_(&dataset),
      options_((options.validate(), std::move(options))),
      fingerprint_((check_start(start, dataset, options_), training_fingerprint(start, dataset, options_))),
      learns_variance_(training::learns_variance(start.likelihood)),
      best_(std::move(start)),
      likelihood_(best_.likelihood = first_likelihood(best_.likelihood)),
      parameters_(parameters_of(best_)),
      encoder_(networks::compile_trainable(best_.encoder)),
      decoder_(networks::compile_trainable(best_.decoder)),
      prior_(std::make_unique<models::TrainablePrior>(best_.prior)),
      adam_(parameters_.size(), options_.adam),
      schedule_(options_.schedule, options_.epochs * steps_per_epoch()),
      objective_(make_objective(options_.objective, dataset.train.pixels.rows())),
      batch_gradient_(*objective_, {*encoder_, *decoder_, likelihood_, *prior_}, options_.threads),
      order_(permutation(training_key(options_).fold("order").fold(0), dataset.train.pixels.rows())),
      best_loss_(std::numeric_limits<double>::infinity()) {}

std::int64_t Trainer::steps_per_epoch() const {
  return (dataset_->train.pixels.rows() + options_.batch - 1) / options_.batch;
}

void Trainer::step() {
  const std::int64_t count = std::min(options_.batch, std::ssize(order_) - position_);
  const std::span<const std::int64_t> batch =
      std::span(order_).subspan(static_cast<std::size_t>(position_), static_cast<std::size_t>(count));
  const auto epoch = static_cast<std::uint64_t>(epoch_);
  const Key key = training_key(options_);
  const auto gradient = batch_gradient_.add_value_and_gradient(
      dataset_->train.pixels, batch,
      {.noise = key.fold("noise").fold(epoch), .choices = key.fold("objective").fold(epoch)}, epoch_sum_);
  if (!std::isfinite(objective_->loss(epoch_sum_))) {
    failure("training.trainer", "the loss must stay finite, got {} in step {} (a smaller learning_rate may help)",
            objective_->loss(epoch_sum_), steps());
  }
  adam_.step(parameters_, gradient, schedule_.rate(steps()), options_.threads);
  update_networks();
  position_ += count;
  if (position_ == std::ssize(order_)) {
    finish_epoch();
  }
}

void Trainer::update_networks() {
  const VaeNetworks::Parts parts = VaeNetworks{*encoder_, *decoder_, {}, *prior_}.split(parameters_);
  parallel_chunks(3, 1, options_.threads, [&](std::int64_t which, std::int64_t) {
    if (which == 0) {
      encoder_->set_parameters(parts.encoder);
    } else if (which == 1) {
      decoder_->set_parameters(parts.decoder);
    } else {
      prior_->set_parameters(parts.prior);
    }
  });
}

models::VaeWeights Trainer::current() const {
  models::VaeWeights weights = best_;
  assign_parameters(parameters_, weights);
  weights.likelihood = likelihood_;
  return weights;
}

double Trainer::validation_penalty() {
  if (!objective_->penalised()) {
    return 0.0;
  }
  const Matrix& images = dataset_->validation.pixels;
  const Key key = training_key(options_).fold("validation");
  std::vector<std::int64_t> rows(static_cast<std::size_t>(images.rows()));
  std::iota(rows.begin(), rows.end(), 0);
  // A total correlation assumes no more images than there are.
  const std::int64_t batch = std::min(options_.batch, dataset_->train.pixels.rows());
  LossSum sum;
  for (std::int64_t first = 0; first < images.rows(); first += batch) {
    const auto count = static_cast<std::size_t>(std::min(batch, images.rows() - first));
    batch_gradient_.add_value(images, std::span(rows).subspan(static_cast<std::size_t>(first), count),
                              {.noise = key, .choices = key.fold("objective")}, sum);
  }
  return sum.penalty;
}

void Trainer::set_likelihood(models::Likelihood likelihood) {
  likelihood_ = std::move(likelihood);
  batch_gradient_.set_likelihood(likelihood_);
}

void Trainer::learn_variance() {
  if (learns_variance_) {
    const auto pixels = static_cast<double>(dataset_->train.pixels.rows() * dataset_->train.pixels.columns());
    const double reconstruction = epoch_sum_.elbo.reconstruction / pixels;
    set_likelihood(models::gaussian(best_variance(reconstruction, variance_of(likelihood_))));
  }
}

void Trainer::finish_epoch() {
  const double rate = schedule_.rate(steps() - 1);
  learn_variance();
  const ElboEstimate validation = estimate_elbo(*encoder_, *decoder_, likelihood_, *prior_, dataset_->validation.pixels,
                                                training_key(options_).fold("validation"), options_.threads);
  ++epoch_;
  history_.push_back(
      {.epoch = epoch_,
       .learning_rate = rate,
       .training = mean(epoch_sum_, std::ssize(order_)),
       .validation = {.elbo = {.reconstruction = validation.reconstruction, .divergence = validation.divergence},
                      .penalty = validation_penalty() / static_cast<double>(validation.images)}});
  const double loss = objective_->loss(history_.back().validation);
  schedule_.epoch_finished(loss);
  if (loss < best_loss_) {
    best_loss_ = loss;
    best_epoch_ = epoch_;
    best_ = current();
  }
  epoch_sum_ = {};
  position_ = 0;
  order_ = permutation(training_key(options_).fold("order").fold(static_cast<std::uint64_t>(epoch_)),
                       dataset_->train.pixels.rows());
}

void Trainer::report(Observer& observer, std::int64_t images_here, double seconds) const {
  const std::int64_t images = dataset_->train.pixels.rows();
  const LossSum now = position_ > 0 ? mean(epoch_sum_, position_) : history_.back().training;
  observer.progress(
      "train", epoch_ * images + position_, options_.epochs * images,
      fmt::format("epoch {} of {}, loss {:.2f}, {:.0f} images/s", std::min(epoch_ + 1, options_.epochs),
                  options_.epochs, objective_->loss(now), static_cast<double>(images_here) / std::max(seconds, 1e-9)));
}

void Trainer::run(Observer& observer) {
  const bool keep = !options_.state_file.empty();
  const auto save = [&] {
    if (keep) {
      models::save_safetensors(state(), options_.state_file);
    }
  };
  const Clock::time_point start = Clock::now();
  Clock::time_point saved = start;
  std::int64_t images = 0;
  while (!finished()) {
    if (observer.interrupted()) {
      save();
      throw Interrupted{};
    }
    const int epoch = epoch_;
    images += std::min(options_.batch, std::ssize(order_) - position_);
    step();
    report(observer, images, seconds_since(start));
    if (epoch_ != epoch) {
      const EpochRecord& record = history_.back();
      observer.message(fmt::format("epoch {}: training loss {:.2f}, validation ELBO {:.2f} ({:.2f} + {:.2f})",
                                   record.epoch, objective_->loss(record.training), -record.validation.elbo.loss(1.0),
                                   record.validation.elbo.reconstruction, record.validation.elbo.divergence));
    }
    if (epoch_ != epoch || seconds_since(saved) > options_.save_seconds) {
      save();
      saved = Clock::now();
    }
  }
}

models::Safetensors Trainer::state() const {
  std::optional<LearnedVariance> variance;
  if (learns_variance_) {
    variance = {.now = variance_of(likelihood_), .best = variance_of(best_.likelihood)};
  }
  return to_safetensors(TrainerState{.fingerprint = fingerprint_,
                                     .parameters = parameters_,
                                     .best_parameters = parameters_of(best_),
                                     .adam = adam_.state(),
                                     .schedule = schedule_.state(),
                                     .epoch = epoch_,
                                     .position = position_,
                                     .variance = variance,
                                     .epoch_sum = epoch_sum_,
                                     .best_loss = best_loss_,
                                     .best_epoch = best_epoch_,
                                     .history = history_});
}

void Trainer::restore(const models::Safetensors& saved, std::string_view place) {
  TrainerState state = trainer_state(saved, fingerprint_, std::ssize(parameters_), place);
  parameters_ = std::move(state.parameters);
  update_networks();
  assign_parameters(state.best_parameters, best_);
  if (learns_variance_ != state.variance.has_value()) {
    misuse(place, "the metadata entry 'position' must have {} variance, found {}", learns_variance_ ? "a" : "no",
           state.variance ? "one" : "none");
  }
  if (state.variance) {
    set_likelihood(models::gaussian(state.variance->now));
    best_.likelihood = models::gaussian(state.variance->best);
  }
  adam_.set_state(std::move(state.adam));
  schedule_.set_state(state.schedule);
  epoch_ = state.epoch;
  position_ = state.position;
  order_ = permutation(training_key(options_).fold("order").fold(static_cast<std::uint64_t>(epoch_)),
                       dataset_->train.pixels.rows());
  if (epoch_ > options_.epochs || position_ >= std::ssize(order_)) {
    misuse(place, "expected a position in {} epochs of {} images, found epoch {}, image {}", options_.epochs,
           order_.size(), epoch_, position_);
  }
  epoch_sum_ = state.epoch_sum;
  best_loss_ = state.best_loss;
  best_epoch_ = state.best_epoch;
  history_ = std::move(state.history);
}

TrainingResult train(models::VaeWeights start, const data::Dataset& dataset, const TrainerOptions& options,
                     Observer& observer) {
  Trainer trainer(std::move(start), dataset, options);
  if (!options.state_file.empty() && std::filesystem::exists(options.state_file)) {
    trainer.restore(models::load_safetensors(options.state_file), options.state_file.string());
  }
  trainer.run(observer);
  return {.best = trainer.best(), .best_epoch = trainer.best_epoch(), .history = trainer.history()};
}

}  // namespace vaeguard::training
