// Training: it learns, it does not depend on threads or interruptions, and it refuses foreign states.
#include "vaeguard/training/trainer.h"

#include "tests/training/tiny_vae.h"
#include "vaeguard/base/error.h"
#include "vaeguard/data/synthetic.h"
#include "vaeguard/models/conv_vae.h"
#include "vaeguard/training/evaluation.h"
#include "vaeguard/training/trainer_state.h"

namespace vaeguard::training {
namespace {

// 150 images in batches of 70: three steps an epoch, the last of 10 images, and chunks of 16 rows, the last of 6.
TrainerOptions tiny_options() {
  TrainerOptions options;
  options.epochs = 3;
  options.batch = 70;
  options.schedule = {.kind = ScheduleKind::plateau, .learning_rate = 1e-2, .patience = 0};
  return options;
}

Trainer run_steps(const data::Dataset& dataset, const TrainerOptions& options, int steps) {
  Trainer trainer(tiny_vae(), dataset, options);
  for (int i = 0; i < steps; ++i) {
    trainer.step();
  }
  return trainer;
}

class StopAfter : public Observer {
 public:
  explicit StopAfter(int steps) : left_(steps) {}
  void progress(std::string_view, std::int64_t, std::int64_t, std::string_view) override { --left_; }
  [[nodiscard]] bool interrupted() const override { return left_ <= 0; }

 private:
  int left_;
};

TEST(Trainer, LearnsTheTinyImages) {
  const data::Dataset dataset = tiny_dataset();
  TrainerOptions options = tiny_options();
  options.epochs = 40;
  const TrainingResult result = train(tiny_vae(), dataset, options, silent_observer());
  ASSERT_EQ(result.history.size(), 40U);
  EXPECT_LT(result.history.back().validation.elbo.loss(1.0), result.history.front().validation.elbo.loss(1.0) - 1.0);
}

TEST(Trainer, SameBitsForOneAndTwoThreads) {
  const data::Dataset dataset = tiny_dataset();
  TrainerOptions options = tiny_options();
  const models::Safetensors one = run_steps(dataset, options, 9).state();
  options.threads = 2;
  EXPECT_EQ(one, run_steps(dataset, options, 9).state());
}

TEST(Trainer, ResumedAtAnyStepGivesTheSameBitsAsUnbroken) {
  const data::Dataset dataset = tiny_dataset();
  const models::Safetensors unbroken = run_steps(dataset, tiny_options(), 9).state();
  for (int stop = 0; stop < 9; ++stop) {
    const auto bytes = models::serialise_safetensors(run_steps(dataset, tiny_options(), stop).state());
    Trainer resumed(tiny_vae(), dataset, tiny_options());
    resumed.restore(models::parse_safetensors(bytes, "memory"), "memory");
    for (int i = stop; i < 9; ++i) {
      resumed.step();
    }
    EXPECT_EQ(resumed.state(), unbroken) << "stopped after " << stop;
  }
}

TEST(Trainer, AnInterruptionSavesTheStateAndASecondCallGoesOn) {
  const data::Dataset dataset = tiny_dataset();
  TrainerOptions options = tiny_options();
  const TrainingResult unbroken = train(tiny_vae(), dataset, options, silent_observer());
  options.state_file = std::filesystem::temp_directory_path() / "vaeguard_trainer_test.safetensors";
  std::filesystem::remove(options.state_file);
  StopAfter stop(5);
  EXPECT_THROW(train(tiny_vae(), dataset, options, stop), Interrupted);
  const TrainingResult resumed = train(tiny_vae(), dataset, options, silent_observer());
  EXPECT_EQ(parameters_of(resumed.best), parameters_of(unbroken.best));
  EXPECT_EQ(resumed.history.size(), unbroken.history.size());
  StopAfter at_once(0);
  EXPECT_EQ(parameters_of(train(tiny_vae(), dataset, options, at_once).best), parameters_of(unbroken.best))
      << "a finished state has nothing left to interrupt";
  std::filesystem::remove(options.state_file);
}

TEST(Trainer, KeepsTheEpochWithTheBestValidation) {
  const data::Dataset dataset = tiny_dataset();
  TrainerOptions options = tiny_options();
  options.epochs = 6;
  options.schedule = {.kind = ScheduleKind::constant, .learning_rate = 0.3};  // large enough to get worse again
  Trainer trainer(tiny_vae(), dataset, options);
  trainer.run(silent_observer());
  const auto& history = trainer.history();
  const auto best =
      std::ranges::min_element(history, {}, [](const EpochRecord& r) { return r.validation.elbo.loss(1.0); });
  EXPECT_EQ(trainer.best_epoch(), best->epoch);
  ASSERT_LT(trainer.best_epoch(), 6) << "this test needs a training that gets worse";
  EXPECT_NE(parameters_of(trainer.best()), parameters_of(trainer.current()));
}

TEST(Trainer, RefusesTheStateOfAnotherTraining) {
  const data::Dataset dataset = tiny_dataset();
  const models::Safetensors state = run_steps(dataset, tiny_options(), 2).state();
  TrainerOptions other = tiny_options();
  other.seed = 2;
  Trainer trainer(tiny_vae(), dataset, other);
  EXPECT_THROW(trainer.restore(state, "state"), Misuse);
  models::Safetensors damaged = state;
  damaged.metadata["position"] = "{}";
  Trainer same(tiny_vae(), dataset, tiny_options());
  EXPECT_THROW(same.restore(damaged, "state"), Misuse);
  damaged = state;
  damaged.tensors.erase("optimiser.second");
  EXPECT_THROW(same.restore(damaged, "state"), Misuse);
  EXPECT_THROW(same.restore({}, "state"), Misuse);
}

TEST(Trainer, ADivergedLossIsAFailure) {
  const data::Dataset dataset = tiny_dataset();
  TrainerOptions options = tiny_options();
  options.schedule = {.kind = ScheduleKind::constant, .learning_rate = 1e30};
  EXPECT_THROW(train(tiny_vae(), dataset, options, silent_observer()), Failure);
}

TEST(Trainer, RefusesOptionsAndDataThatMakeNoSense) {
  const data::Dataset dataset = tiny_dataset();
  TrainerOptions options = tiny_options();
  options.batch = 0;
  EXPECT_THROW(Trainer(tiny_vae(), dataset, options), Misuse);
  EXPECT_THROW(Trainer(models::conv_vae({1, 28, 28}, {}, Key(1)), dataset, tiny_options()), Misuse);
  EXPECT_THROW(training_preset("fast"), Misuse);
}

TEST(Trainer, PublishedPresetIsThePapers) {
  const TrainerOptions options = training_preset("published");
  EXPECT_EQ(options.epochs, 300);
  EXPECT_EQ(options.batch, 128);
  EXPECT_EQ(options.schedule.kind, ScheduleKind::plateau);
  EXPECT_EQ(options.schedule.learning_rate, 5e-4);
  EXPECT_EQ(options.schedule.factor, 0.5);
  EXPECT_EQ(options.schedule.patience, 10);
  EXPECT_EQ(options.objective.estimator, TotalCorrelationEstimator::published);
}

// 4096 log 2 = 2839 nats at the start, where every pixel is as likely black as white.
TEST(TrainerEndToEnd, AFewStepsOnLargerImagesLowerTheLoss) {
  const data::Dataset dataset = data::synthetic({.train = 240, .validation = 32, .test = 10, .side = 64}, Key(1));
  TrainerOptions options;
  options.epochs = 5;
  options.batch = 16;
  options.threads = 2;
  const TrainingResult result =
      train(models::conv_vae(dataset.shape, {}, Key(2), 8), dataset, options, silent_observer());
  ASSERT_EQ(result.history.size(), 5U);
  EXPECT_LT(result.history[4].training.elbo.loss(1.0), 0.8 * result.history[0].training.elbo.loss(1.0));
  EXPECT_LT(result.history[4].validation.elbo.loss(1.0), 0.7 * 2839.0);
}

TEST(TrainerEndToEnd, ThePapersVaeLearnsSyntheticImages) {
  const data::Dataset dataset = data::synthetic({.train = 1000, .validation = 100, .test = 100}, Key(1));
  TrainerOptions options;
  options.epochs = 4;
  options.batch = 32;
  options.threads = 2;
  const models::VaeWeights start = models::conv_vae(dataset.shape, {}, Key(2));
  const TrainingResult result = train(start, dataset, options, silent_observer());
  const double before = estimate_elbo(models::Vae(start), dataset.test.pixels, Key(3), 2).elbo;
  const double after = estimate_elbo(models::Vae(result.best), dataset.test.pixels, Key(3), 2).elbo;
  EXPECT_GT(after, before + 200.0);  // 784 log 2 = 543 nats at the start; a constant mean image is below 300
}

}  // namespace
}  // namespace vaeguard::training
