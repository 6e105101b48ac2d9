// The model under test gets the prior that was asked for, wherever its weights come from.
#include "vaeguard/experiments/subject.h"

#include "tests/expect_misuse.h"
#include "tests/models/learned_prior.h"
#include "tests/temporary_folder.h"
#include "tests/training/tiny_vae.h"

namespace vaeguard::experiments {
namespace {

ModelPlan brief_training(const std::filesystem::path& start, const std::string& prior) {
  ModelPlan model;
  model.start = start;
  model.prior = prior;
  model.training.epochs = 1;
  return model;
}

models::Checkpoint trained(const ModelPlan& model) {
  model.validate();
  return train_model(model, 1, training::tiny_dataset(), {}, 1, silent_observer());
}

TEST(TrainModel, GivesAPlainStartALearnedPriorAndKeepsOneThatIsThere) {
  const TemporaryFolder folder;
  const auto plain = folder.path() / "plain.safetensors";
  models::save_checkpoint({.vae = training::tiny_vae(), .classifier = std::nullopt, .metadata = {}}, plain);
  EXPECT_EQ(models::name(trained(brief_training(plain, "")).vae.prior), "standard_normal");
  const models::Checkpoint learned = trained(brief_training(plain, "realnvp"));
  EXPECT_EQ(models::name(learned.vae.prior), "realnvp");
  EXPECT_NE(learned.vae.prior.couplings.front().parameters,
            models::realnvp(2, Key(1).fold("weights").fold("prior")).couplings.front().parameters)
      << "it must have been trained";

  const auto flow = folder.path() / "flow.safetensors";
  models::save_checkpoint(learned, flow);
  EXPECT_EQ(trained(brief_training(flow, "")).vae.prior.couplings.size(), learned.vae.prior.couplings.size());
  expect_misuse([&] { (void)trained(brief_training(flow, "standard_normal")); },
                {"has learned its prior, realnvp; leave prior out, got standard_normal"});
  ModelPlan consistent = brief_training(flow, "");
  consistent.training.objective.name = "avae";
  expect_misuse([&] { (void)trained(consistent); }, {"objective avae needs the prior standard_normal"});
}

}  // namespace
}  // namespace vaeguard::experiments
