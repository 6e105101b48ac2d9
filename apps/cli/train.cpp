// vaeguard train: a VAE with its latent classifier, as a checkpoint.
#include <fmt/format.h>

#include <limits>
#include <optional>

#include "apps/cli/choice_options.h"
#include "apps/cli/numbers.h"
#include "apps/cli/verbs.h"
#include "vaeguard/data/data_folder.h"
#include "vaeguard/models/conv_vae.h"
#include "vaeguard/runs/subject.h"
#include "vaeguard/training/registry.h"

namespace vaeguard::cli {
namespace {

constexpr std::string_view kPlace = "vaeguard train";

struct TrainVerb {
  std::string dataset = "mnist";
  std::string preset = "default";
  std::optional<int> epochs;
  std::optional<std::int64_t> batch;
  std::optional<double> learning_rate;
  std::string objective = "elbo";
  WrittenOptions objective_options;
  std::string start;
  std::int64_t latent = models::kConvVaeLatentSize;
  WrittenOptions likelihood;
  WrittenOptions prior;
  std::string vae_from;
  std::string out = "vae.safetensors";
};

// An option that the objective does not read is an error.
void set_objective(const TrainVerb& verb, training::ObjectiveOptions& options) {
  options.name = verb.objective;
  options = training::objective_schema().read(table_of(verb.objective_options), kPlace, options);
}

void set_model(const TrainVerb& verb, plans::ModelPlan& model) {
  model.preset = verb.preset;
  model.start = verb.start;
  model.vae_from = verb.vae_from;
  model.latent = verb.latent;
  model.likelihood = choice_of(verb.likelihood, models::likelihood_schema(), kPlace);
  model.prior = choice_of(verb.prior, models::prior_schema(), kPlace);
}

models::Checkpoint train(const TrainVerb& verb, const Common& common) {
  plans::ModelPlan model;
  const std::uint64_t seed = common.seed_or(1);
  model.training = training::training_preset(verb.preset);
  auto& training = model.training;
  training.seed = seed;
  training.epochs = verb.epochs.value_or(training.epochs);
  training.schedule.learning_rate = verb.learning_rate.value_or(training.schedule.learning_rate);
  training.batch = verb.batch.value_or(training.batch);
  set_objective(verb, training.objective);
  set_model(verb, model);
  training.validate();
  model.validate();
  const auto dataset =
      plans::load_dataset(plans::dataset_plan(verb.dataset), data::data_folder(common.data), common.thread_count());
  const std::filesystem::path state = verb.out + ".training";
  auto checkpoint = runs::make_checkpoint(model, seed, dataset, state, common.thread_count(), *common.observer);
  remove(state);
  return checkpoint;
}

void add_objective(CLI::App& app, TrainVerb& verb) {
  app.add_option("--objective", verb.objective, "What to train for (see `vaeguard list`)")->capture_default_str();
  for (const auto& field : training::objective_schema().fields()) {
    app.add_option(flag(field.option.key), verb.objective_options[field.option.key],
                   fmt::format("{}: {} (default {})", field.option.description, field.option.expectation(),
                               to_text(field.get({}))));
  }
}

}  // namespace

void add_train(CLI::App& program, Common& common) {
  auto* app =
      program.add_subcommand("train", "Train a VAE and its latent classifier; goes on where it was interrupted");
  auto verb = std::make_shared<TrainVerb>();
  app->add_option("--dataset", verb->dataset,
                  "Data set (see `vaeguard list`), or a TOML file that describes a folder of pictures")
      ->capture_default_str();
  app->add_option("--preset", verb->preset, "default, or published (the paper's 300 epochs)")->capture_default_str();
  app->add_option("--epochs", verb->epochs, "Epochs, instead of the preset's")
      ->check(whole_number(1, std::numeric_limits<int>::max()));
  app->add_option("--batch", verb->batch, "Images a step, instead of the preset's")->check(whole_number(1));
  app->add_option("--learning-rate", verb->learning_rate, "Learning rate, instead of the preset's")
      ->check(positive_number());
  add_objective(*app, *verb);
  app->add_option("--start", verb->start, "Checkpoint to begin with, instead of random weights");
  app->add_option("--latent", verb->latent, "Latent size")->capture_default_str()->check(whole_number(1));
  add_choice(*app, verb->likelihood, models::likelihood_schema(),
             "else bernoulli for grey images, gaussian for colours");
  add_choice(*app, verb->prior, models::prior_schema(), "else the start's, or standard_normal");
  auto* vae_from = app->add_option("--vae-from", verb->vae_from,
                                   "Keep this checkpoint's VAE; fit the latent classifier and the pixel law");
  for (const char* option : {"--preset", "--epochs", "--batch", "--learning-rate", "--objective"}) {
    vae_from->excludes(option);  // nothing is trained
  }
  for (const auto& field : training::objective_schema().fields()) {
    vae_from->excludes(flag(field.option.key));
  }
  app->add_option("--out", verb->out, "Checkpoint to write")->capture_default_str();
  app->footer("Example: vaeguard train --dataset mnist --out mnist_vae.safetensors");
  app->callback([verb, &common] {
    const auto checkpoint = train(*verb, common);
    models::save_checkpoint(checkpoint, verb->out);
    for (const auto& [key, value] : checkpoint.metadata) {
      fmt::print("{:<26} {}\n", key, value);
    }
    fmt::print("{}\n", verb->out);
  });
}

}  // namespace vaeguard::cli
