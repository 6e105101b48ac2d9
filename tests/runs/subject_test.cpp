// The model under test gets what was asked for, wherever its weights come from.
#include "vaeguard/runs/subject.h"

#include "tests/expect_misuse.h"
#include "tests/models/learned_prior.h"
#include "tests/temporary_folder.h"
#include "tests/training/tiny_vae.h"

namespace vaeguard::runs {
namespace {

plans::ModelPlan brief_training(const std::filesystem::path& start,
                                const std::optional<models::PriorDesign>& prior = std::nullopt) {
  plans::ModelPlan model;
  model.start = start;
  model.prior = prior;
  model.training.epochs = 1;
  return model;
}

models::Checkpoint trained(const plans::ModelPlan& model) {
  model.validate();
  return make_checkpoint(model, 1, training::tiny_dataset(), {}, 1, silent_observer());
}

TEST(MakeCheckpoint, GivesAPlainStartALearnedPriorAndKeepsOneThatIsThere) {
  const TemporaryFolder folder;
  const auto plain = folder.path() / "plain.safetensors";
  models::save_checkpoint({.vae = training::tiny_vae(), .classifier = std::nullopt, .metadata = {}}, plain);
  EXPECT_EQ(models::name(trained(brief_training(plain)).vae.prior), "standard_normal");
  const models::Checkpoint learned = trained(brief_training(plain, models::RealNvpOptions{}));
  EXPECT_EQ(models::name(learned.vae.prior), "realnvp");
  EXPECT_NE(learned.vae.prior.couplings.front().parameters,
            models::realnvp(2, Key(1).fold("weights").fold("prior")).couplings.front().parameters)
      << "it must have been trained";

  const auto flow = folder.path() / "flow.safetensors";
  models::save_checkpoint(learned, flow);
  EXPECT_EQ(trained(brief_training(flow)).vae.prior.couplings.size(), learned.vae.prior.couplings.size());
  expect_misuse(
      [&] { (void)trained(brief_training(flow, models::PriorDesign())); },
      {"has learned its prior, realnvp, couplings 4, hidden 128, bound 2; leave prior out, got standard_normal"});
  plans::ModelPlan consistent = brief_training(flow);
  consistent.training.objective.name = "avae";
  expect_misuse([&] { (void)trained(consistent); }, {"objective avae needs the prior standard_normal"});
}

TEST(MakeCheckpoint, VaeFromKeepsTheWeightsAndTakesTheLabelsOfTheDataSet) {
  const TemporaryFolder folder;
  plans::ModelPlan model;
  model.vae_from = folder.path() / "kept.safetensors";
  const models::VaeWeights weights = training::tiny_vae();
  models::save_checkpoint({.vae = weights, .classifier = std::nullopt, .metadata = {{"objective", "elbo"}}},
                          model.vae_from);
  data::Dataset dataset = training::tiny_dataset();
  dataset.classes = 3;
  dataset.train.labels.front() = 2;
  const models::Checkpoint checkpoint = make_checkpoint(model, 1, dataset, {}, 1, silent_observer());
  EXPECT_EQ(checkpoint.vae.encoder.parameters, weights.encoder.parameters);
  EXPECT_EQ(checkpoint.vae.decoder.parameters, weights.decoder.parameters);
  EXPECT_EQ(checkpoint.classifier.value().classes(), 3);
  EXPECT_NE(checkpoint.vae.pixel_law, nullptr);
  EXPECT_EQ(checkpoint.metadata.at("objective"), "elbo") << "how the weights came about stays true";
  EXPECT_EQ(checkpoint.metadata.at("vae_from"), "kept.safetensors");

  dataset.shape = {1, 4, 9};
  expect_misuse([&] { (void)make_checkpoint(model, 1, dataset, {}, 1, silent_observer()); },
                {"kept.safetensors", "must take the images of tiny, 1x4x9; it takes 1x6x6"});
}

/// Keeps what it is told.
class Listener : public Observer {
 public:
  void message(std::string_view text) override { told += std::string(text) + "\n"; }
  std::string told;
};

TEST(MakeCheckpoint, WithoutLabelsTrainsWithoutAClassifierAndSaysSo) {
  const TemporaryFolder folder;
  const auto start = folder.path() / "start.safetensors";
  models::save_checkpoint({.vae = training::tiny_vae(), .classifier = std::nullopt, .metadata = {}}, start);
  data::Dataset dataset = training::tiny_dataset();
  dataset.classes = 0;
  for (data::Images* part : {&dataset.train, &dataset.validation, &dataset.test}) {
    part->labels.clear();
  }
  Listener listener;
  const models::Checkpoint checkpoint = make_checkpoint(brief_training(start), 1, dataset, {}, 1, listener);
  EXPECT_FALSE(checkpoint.classifier);
  EXPECT_NE(checkpoint.vae.pixel_law, nullptr);
  EXPECT_TRUE(checkpoint.metadata.contains("test_elbo"));
  EXPECT_FALSE(checkpoint.metadata.contains("classifier_test_accuracy"));
  EXPECT_THAT(listener.told, testing::StartsWith("tiny has no labels: no latent classifier will be fitted\n"));
}

TEST(TellOtherData, WarnsByTheDigestThatTheCheckpointHolds) {
  data::Dataset dataset;
  dataset.name = "fashion_mnist";
  dataset.digest = "0123456789abcdef";
  models::Checkpoint checkpoint;
  Listener listener;
  tell_other_data(checkpoint, dataset, "vae", listener);
  checkpoint.metadata = {{"dataset", "fashion_mnist"}, {"data_digest", "0123456789abcdef"}};
  tell_other_data(checkpoint, dataset, "vae", listener);
  EXPECT_EQ(listener.told, "");
  checkpoint.metadata = {{"dataset", "mnist"}, {"data_digest", "fedcba9876543210"}};
  tell_other_data(checkpoint, dataset, "vae", listener);
  EXPECT_EQ(listener.told, "warning: vae was trained on mnist, not on fashion_mnist: digests fedcba98 and 01234567\n");
}

TEST(MakeSubject, RefusesAClassifierOfOtherClassesAndImagesOfAnotherShape) {
  const data::Dataset dataset = training::tiny_dataset();
  models::Checkpoint checkpoint{.vae = training::tiny_vae(), .classifier = std::nullopt, .metadata = {}};
  EXPECT_FALSE(make_subject(checkpoint, dataset, "test", "auto").classifier);
  checkpoint.classifier = models::LinearClassifier{Matrix(3, 2), std::vector<float>(3)};
  expect_misuse([&] { (void)make_subject(checkpoint, dataset, "test", "auto"); }, {"2 classes, this one has 3"});
  data::Dataset other = dataset;
  other.shape = {1, 4, 9};
  expect_misuse([&] { (void)make_subject(checkpoint, other, "test", "auto"); }, {"1x4x9; it takes 1x6x6"});
}

TEST(ReadCheckpoint, RefusesWeightsThatAreNotWhatThePlanSaysOfThem) {
  const TemporaryFolder folder;
  plans::ModelPlan model;
  model.checkpoint = folder.path() / "vae.safetensors";
  models::save_checkpoint({.vae = training::tiny_vae(), .classifier = std::nullopt, .metadata = {}}, model.checkpoint);
  EXPECT_EQ(read_checkpoint(model).likelihood(), models::Likelihood{});
  model.likelihood = models::Likelihood{};
  EXPECT_EQ(read_checkpoint(model).likelihood(), models::Likelihood{});
  model.likelihood = models::gaussian(0.5);
  expect_misuse([&] { (void)read_checkpoint(model); },
                {"vae.safetensors", "has the likelihood bernoulli, the plan says gaussian, variance 0.5"});
  Value learned;
  learned.set("variance", "learned");
  model.likelihood = models::gaussian(0.5).with(learned);
  expect_misuse([&] { (void)read_checkpoint(model); }, {"the plan says gaussian, variance \"learned\""});
  models::save_checkpoint(
      {.vae = training::tiny_vae(models::gaussian(0.02)), .classifier = std::nullopt, .metadata = {}},
      model.checkpoint);
  EXPECT_EQ(read_checkpoint(model).likelihood(), models::gaussian(0.02));
  model.likelihood.reset();
  model.prior = models::RealNvpOptions{};
  expect_misuse([&] { (void)read_checkpoint(model); }, {"has the prior standard_normal, the plan says realnvp"});
}

}  // namespace
}  // namespace vaeguard::runs
