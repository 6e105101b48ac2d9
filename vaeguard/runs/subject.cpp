// Training, checking and measuring the model under test.
#include "vaeguard/runs/subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/energy/maker.h"
#include "vaeguard/measures/model_evaluation.h"
#include "vaeguard/models/conv_vae.h"
#include "vaeguard/runs/environment.h"
#include "vaeguard/training/classifier_fit.h"
#include "vaeguard/training/learned_variance.h"
#include "vaeguard/training/pixel_law_fit.h"
#include "vaeguard/training/registry.h"

namespace vaeguard::runs {
namespace {

void check_image(ImageShape image, const data::Dataset& dataset, std::string_view place) {
  if (image != dataset.shape) {
    misuse(place, "the model must take the images of {}, {}x{}x{}; it takes {}x{}x{}", dataset.name,
           dataset.shape.channels, dataset.shape.height, dataset.shape.width, image.channels, image.height,
           image.width);
  }
}

// The initial weights, before the plan's prior is applied.
models::VaeWeights given_weights(const plans::ModelPlan& model, const data::Dataset& dataset, std::uint64_t seed) {
  if (!model.start.empty()) {
    models::VaeWeights weights = load_layers(model.start, "training").vae;
    check_image(weights.image(), dataset, model.start.string());
    return weights;
  }
  const std::int64_t channels = dataset.shape.channels;
  const models::Likelihood usual =
      model.preset == "published" ? models::published_likelihood(channels) : models::usual_likelihood(channels);
  return models::conv_vae(dataset.shape, model.likelihood.value_or(usual), Key(seed).fold("weights"), model.latent);
}

// A new prior starts as the standard normal, so a model that was trained under that is unchanged.
models::VaeWeights start_weights(const plans::ModelPlan& model, const data::Dataset& dataset, std::uint64_t seed) {
  models::VaeWeights weights = given_weights(model, dataset, seed);
  if (!model.prior || *model.prior == models::design_of(weights.prior)) {
    return weights;
  }
  if (!weights.prior.couplings.empty()) {
    misuse("runs.subject", "the start {} has learned its prior, {}; leave prior out, got {}", model.start.string(),
           models::describe(models::design_of(weights.prior)), models::describe(*model.prior));
  }
  weights.prior = model.prior->make(weights.latent_size(), Key(seed).fold("weights").fold("prior"));
  return weights;
}

// Of any variance where the plan leaves it to the training.
bool same_likelihood(const models::Likelihood& planned, const models::Likelihood& found) {
  return training::learns_variance(planned) ? planned.name() == found.name() : planned == found;
}

models::Checkpoint trained(const plans::ModelPlan& model, std::uint64_t seed, const data::Dataset& dataset,
                           const std::filesystem::path& state_file, int threads, Observer& observer) {
  training::TrainerOptions options = model.training;
  options.threads = threads;
  options.state_file = state_file;
  models::VaeWeights start = start_weights(model, dataset, seed);
  const bool learns_variance = training::learns_variance(start.likelihood);
  auto result = training::train(std::move(start), dataset, options, observer);
  models::Checkpoint checkpoint{std::move(result.best), std::nullopt, {}};
  checkpoint.metadata = {
      {"objective", training::describe(options.objective)},
      {"training", fmt::format("epochs {}, batch {}, schedule {}, learning_rate {}, seed {}{}", options.epochs,
                               options.batch, training::name(options.schedule.kind), options.schedule.learning_rate,
                               options.seed, learns_variance ? ", variance learned" : "")},
      {"best_epoch", std::to_string(result.best_epoch)},
  };
  if (!model.start.empty()) {
    checkpoint.metadata["start"] = model.start.filename().string();
  }
  return checkpoint;
}

models::Checkpoint kept(const std::filesystem::path& file, const data::Dataset& dataset) {
  models::Checkpoint checkpoint = load_layers(file, "vae_from");
  check_image(checkpoint.vae.image(), dataset, file.string());
  checkpoint.metadata["vae_from"] = file.filename().string();
  return checkpoint;
}

// A classifier of the data set's labels on the encoder's means.
void add_classifier(models::Checkpoint& checkpoint, const models::Vae& vae, const data::Dataset& dataset, int threads,
                    Observer& observer) {
  const Matrix means = vae.encode(dataset.train.pixels, threads).mean;
  checkpoint.classifier =
      training::fit_classifier(means, dataset.train.labels, dataset.classes, {.threads = threads}, observer).classifier;
  const Matrix test_means = vae.encode(dataset.test.pixels, threads).mean;
  checkpoint.metadata["classifier_test_accuracy"] =
      fmt::format("{:.4f}", models::accuracy(*checkpoint.classifier, test_means, dataset.test.labels));
}

}  // namespace

models::Checkpoint make_checkpoint(const plans::ModelPlan& model, std::uint64_t seed, const data::Dataset& dataset,
                                   const std::filesystem::path& state_file, int threads, Observer& observer) {
  if (!dataset.labelled()) {
    observer.message(fmt::format("{} has no labels: no latent classifier will be fitted", dataset.name));
  }
  models::Checkpoint checkpoint = model.vae_from.empty() ? trained(model, seed, dataset, state_file, threads, observer)
                                                         : kept(model.vae_from, dataset);
  const models::Vae vae(checkpoint.vae);
  checkpoint.classifier.reset();
  checkpoint.metadata.erase("classifier_test_accuracy");
  if (dataset.labelled()) {
    add_classifier(checkpoint, vae, dataset, threads, observer);
  }
  checkpoint.vae.pixel_law = std::make_shared<const models::PixelLaw>(
      training::fit_pixel_law(vae, dataset.train.pixels, Key(seed).fold("pixel law"), {.threads = threads}));
  checkpoint.metadata["vaeguard"] = version();
  checkpoint.metadata["dataset"] = dataset.name;
  checkpoint.metadata["data_digest"] = dataset.digest;
  checkpoint.metadata["test_elbo"] = fmt::format("{:.4f}", measures::test_elbo(vae, seed, dataset, threads).elbo);
  return checkpoint;
}

StoredModel read_checkpoint(const plans::ModelPlan& model) {
  StoredModel stored = load_model(model.checkpoint);
  if (model.likelihood && !same_likelihood(*model.likelihood, stored.likelihood())) {
    misuse(model.checkpoint.string(), "the checkpoint has the likelihood {}, the plan says {}",
           models::describe(stored.likelihood()), models::describe(*model.likelihood));
  }
  if (const auto prior = models::design_of(stored.prior()); model.prior && *model.prior != prior) {
    misuse(model.checkpoint.string(), "the checkpoint has the prior {}, the plan says {}", models::describe(prior),
           models::describe(*model.prior));
  }
  return stored;
}

void check_subject(const measures::Subject& subject, const data::Dataset& dataset, std::string_view place) {
  check_image(subject.vae.image(), dataset, place);
  if (subject.classifier && dataset.classes > 0 && subject.classifier->classes() != dataset.classes) {
    misuse(place, "a latent classifier of {} must have {} classes, this one has {}", dataset.name, dataset.classes,
           subject.classifier->classes());
  }
}

measures::Subject make_subject(const StoredModel& model, const data::Dataset& dataset, std::string_view place,
                               std::string_view backend, networks::Precision gradients) {
  measures::Subject subject{model.compile(backend, gradients), model.classifier};
  check_subject(subject, dataset, place);
  return subject;
}

void report_fallbacks(const models::Vae& vae, networks::Precision asked, Observer& observer) {
  if (asked != networks::Precision::float32 && !vae.mixed()) {
    const models::LayeredVae* layers = vae.layers();
    observer.message(fmt::format("warning: precision mixed is not possible, fp32 runs: {}",
                                 layers == nullptr ? "the model is not made of layers" : layers->refusal()));
  }
  if (const std::string reason = energy::maker_refusal(vae); !reason.empty()) {
    observer.message(fmt::format("warning: the energy runs step by step, {}", reason));
  }
}

void tell_other_data(const StoredModel& model, const data::Dataset& dataset, std::string_view place,
                     Observer& observer) {
  const auto digest = model.metadata.find("data_digest");
  if (digest == model.metadata.end() || digest->second == dataset.digest) {
    return;
  }
  const auto name = model.metadata.find("dataset");
  const std::string trained_on = name == model.metadata.end() ? "data" : name->second;
  observer.message(fmt::format("warning: {} was trained on {}{}, not on {}: digests {:.8} and {:.8}", place,
                               trained_on == dataset.name ? "other files of " : "", trained_on, dataset.name,
                               digest->second, dataset.digest));
}

}  // namespace vaeguard::runs
