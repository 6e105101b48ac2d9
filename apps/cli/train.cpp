// vaeguard train: a VAE with its latent classifier, as a checkpoint.
#include <fmt/format.h>

#include "apps/cli/verbs.h"
#include "vaeguard/data/data_folder.h"
#include "vaeguard/experiments/subject.h"

namespace vaeguard::cli {
namespace {

struct TrainVerb {
  std::string dataset = "mnist";
  std::string preset = "default";
  int epochs = 0;
  std::int64_t batch = 0;
  double learning_rate = 0.0;
  double beta = 1.0;
  std::string companions_of;
  std::string out = "vae.safetensors";
};

models::Checkpoint train(const TrainVerb& verb, const Common& common) {
  experiments::ModelPlan model;
  const std::uint64_t seed = common.seed_or(1);
  model.training = training::training_preset(verb.preset);
  auto& training = model.training;
  training.seed = seed;
  training.epochs = verb.epochs > 0 ? verb.epochs : training.epochs;
  training.schedule.learning_rate = verb.learning_rate > 0.0 ? verb.learning_rate : training.schedule.learning_rate;
  training.batch = verb.batch > 0 ? verb.batch : training.batch;
  training.beta = verb.beta;
  training.validate();
  const auto dataset = experiments::load_dataset(experiments::dataset_plan(verb.dataset),
                                                 data::data_folder(common.data), common.thread_count());
  if (!verb.companions_of.empty()) {
    auto checkpoint = models::load_checkpoint(verb.companions_of);
    experiments::fit_companions(checkpoint, seed, dataset, common.thread_count(), *common.observer);
    return checkpoint;
  }
  const std::filesystem::path state = verb.out + ".training";
  auto checkpoint = experiments::train_model(model, seed, dataset, state, common.thread_count(), *common.observer);
  remove(state);
  return checkpoint;
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
  app->add_option("--epochs", verb->epochs, "Epochs, instead of the preset's");
  app->add_option("--batch", verb->batch, "Images a step, instead of the preset's");
  app->add_option("--learning-rate", verb->learning_rate, "Learning rate, instead of the preset's");
  app->add_option("--beta", verb->beta, "Weight of the KL divergence; 1 is a VAE")->capture_default_str();
  app->add_option("--companions-of", verb->companions_of,
                  "Keep this checkpoint's VAE; fit the latent classifier and the pixel law");
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
