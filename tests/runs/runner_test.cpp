// Whole runs on synthetic data: complete records, resuming after an interruption, and runs of another plan.
#include "vaeguard/runs/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <set>

#include "tests/expect_misuse.h"
#include "tests/tiny_plan.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/models/checkpoint.h"
#include "vaeguard/models/conv_vae.h"
#include "vaeguard/runs/store.h"

namespace vaeguard::runs {
namespace {

constexpr std::string_view kScenarios = R"(
[[attack]]
goal = "encoder_skl"
optimiser = "sign_pgd"
radii = [0.1]
restarts = 2
[[attack]]
optimiser = "noise"
radii = [0.1]
restarts = 2
defences = ["none"]
[[defence]]
preset = "none"
[[defence]]
preset = "hmc"
restarts = 1
warmup = 3
transitions = 4
leapfrog_steps = 3
)";

class RunnerEndToEnd : public testing::Test {
 protected:
  std::filesystem::path folder(const std::string& name) {
    const auto result = std::filesystem::path(testing::TempDir()) / ("runner-" + name);
    remove_all(result);
    return result;
  }
  static void run(const std::filesystem::path& out, int threads, Observer& observer) {
    run_plan(plans::parse_plan(tiny_plan(kScenarios), "tiny.toml"),
             {.out = out, .data_folder = {}, .threads = threads, .backend = "auto"}, observer);
  }
};

void run_text(const std::string& plan, const std::filesystem::path& out) {
  run_plan(plans::parse_plan(plan, "tiny.toml"), {.out = out, .data_folder = {}, .threads = 2, .backend = "auto"},
           silent_observer());
}

std::string without(std::string text, std::string_view part) { return text.erase(text.find(part), part.size()); }

// Interrupts at the n-th question.
class Interrupting : public Observer {
 public:
  explicit Interrupting(int after) : left_(after) {}
  [[nodiscard]] bool interrupted() const override { return --left_ < 0; }

 private:
  mutable std::atomic<int> left_;
};

TEST_F(RunnerEndToEnd, WritesEveryCellWithEveryEstimate) {
  const auto out = folder("complete");
  run(out, 2, silent_observer());
  const auto all = Store(out / "results.sqlite", Store::Access::read).read();
  std::set<std::string> cells;
  std::set<std::string> estimates;
  std::set<std::string> scores;
  for (const auto& m : all.measurements) {
    cells.insert(m.cell);
    estimates.insert(m.estimate + "/" + m.restarts);
    scores.insert(m.score);
    if (m.cell != "model") {
      EXPECT_TRUE(std::isfinite(m.value)) << m.cell << " " << m.metric;
      EXPECT_EQ(m.n, 10);
    }
  }
  EXPECT_THAT(cells, testing::UnorderedElementsAre("model", "clean-none-0-none", "clean-none-0-hmc",
                                                   "encoder_skl-linf-0.1-none", "encoder_skl-linf-0.1-hmc",
                                                   "noise-linf-0.1-none"));
  EXPECT_THAT(estimates, testing::UnorderedElementsAre("draw/mean", "draw/worst", "mean/mean", "mean/worst",
                                                       "vote/mean", "vote/worst"));
  EXPECT_THAT(scores, testing::UnorderedElementsAre("", "energy_drop", "encoder_shift"));
  EXPECT_FALSE(all.curves.empty());
  // The defence was given only the first restart of each reference; the undefended cell has both.
  const auto last_restart = [&](std::string_view cell) {
    std::int64_t last = 0;
    for (const auto& item : all.items) {
      last = item.cell == cell ? std::max(last, item.restart) : last;
    }
    return last;
  };
  EXPECT_EQ(last_restart("encoder_skl-linf-0.1-none"), 1);
  EXPECT_EQ(last_restart("encoder_skl-linf-0.1-hmc"), 0);
  for (const auto* file :
       {"plan.toml", "environment.json", "checkpoints/vae.safetensors", "arrays/clean-none-0-hmc.npz",
        "arrays/references.npz", "arrays/attacks/encoder_skl-linf-0.1.npz", "measurements.csv"}) {
    EXPECT_TRUE(exists(out / file)) << file;
  }
}

TEST_F(RunnerEndToEnd, InterruptedAnywhereItResumesToTheSameRecords) {
  const auto unbroken = folder("unbroken");
  run(unbroken, 2, silent_observer());
  const auto broken = folder("broken");
  int interruptions = 0;
  for (int after = 3;; after += 10) {
    Interrupting observer(after);
    try {
      run(broken, 1, observer);
      break;
    } catch (const Interrupted&) {
      ++interruptions;
    }
  }
  EXPECT_GE(interruptions, 3);
  EXPECT_EQ(records_but_seconds(broken), records_but_seconds(unbroken));
}

TEST_F(RunnerEndToEnd, ARunOfOneSeedDoesNotGoOnWithAnother) {
  const auto out = folder("seeds");
  Interrupting early(2);  // in training, before any record
  const auto plan_of = [](std::uint64_t seed) {
    plans::Plan plan = plans::parse_plan(tiny_plan(kScenarios), "tiny.toml");
    plan.seed = seed;  // as the command line sets it
    plan.text = fmt::format("# run with --seed {}\n{}", seed, plan.text);
    return plan;
  };
  const RunOptions options{.out = out, .data_folder = {}, .threads = 2, .backend = "auto"};
  EXPECT_THROW(run_plan(plan_of(5), options, early), Interrupted);
  expect_misuse([&] { run_plan(plan_of(7), options, silent_observer()); },
                {"has records with seed \"5\", this call would add some with 7", "--out"});
  EXPECT_THAT(read_file(out / "plan.toml"), testing::HasSubstr("--seed 5"));
  run_plan(plan_of(5), options, silent_observer());
  expect_misuse([&] { run_plan(plan_of(7), options, silent_observer()); }, {"seed \"5\""});
}

TEST_F(RunnerEndToEnd, AModelThatIsGivenNeedsNoClassesAndNoFile) {
  const auto out = folder("given");
  const plans::Plan plan = plans::parse_plan(tiny_plan(R"(
[[attack]]
goal = "encoder_skl"
radii = [0.1]
iterations = 2
[[defence]]
preset = "none"
[[defence]]
preset = "hmc"
warmup = 3
transitions = 4
leapfrog_steps = 3
)"),
                                             "given.toml");
  const models::VaeWeights weights =
      models::conv_vae(load_dataset(plan.dataset, {}, 1).shape, models::usual_likelihood(1), Key(4), 2);
  const RunOptions options{
      .out = out, .threads = 2, .models = {{"vae", {.subject = {models::Vae(weights)}, .digest = "random"}}}};
  run_plan(plan, options, silent_observer());
  const auto records = Store(out / "results.sqlite", Store::Access::read).read();
  std::set<std::string> metrics;
  for (const auto& m : records.measurements) {
    metrics.insert(m.metric);
  }
  EXPECT_TRUE(metrics.contains("ms_ssim_kuzina22") && metrics.contains("auroc"));
  for (const char* of_classes : {"agreement", "label_accuracy", "brier_score", "classifier_accuracy"}) {
    EXPECT_FALSE(metrics.contains(of_classes)) << of_classes;
  }
  EXPECT_FALSE(exists(out / "checkpoints" / "vae.safetensors"));
  EXPECT_TRUE(exists(out / "arrays" / "latent_map.npz"));
  RunOptions other = options;
  other.models.at("vae").digest = "another";
  expect_misuse([&] { run_plan(plan, other, silent_observer()); }, {"model weights \"random\""});
}

TEST_F(RunnerEndToEnd, WhatNeedsAClassifierIsRefusedBeforeTheFirstStep) {
  const auto out = folder("unlabelled");
  const models::VaeWeights weights = models::conv_vae({1, 28, 28}, models::usual_likelihood(1), Key(4), 2);
  const RunOptions options{
      .out = out, .threads = 2, .models = {{"vae", {.subject = {models::Vae(weights)}, .digest = "random"}}}};
  for (const char* table : {"[[attack]]\ngoal = \"classifier_margin\"\nradii = [0.1]\n",
                            "[[attack]]\noptimiser = \"standard_linf\"\nradii = [0.1]\n",
                            "[[smallest]]\ngoal = \"maximum_damage\"\noptimiser = \"pgd\"\nlargest = 0.3\n"}) {
    expect_misuse([&] { run_plan(plans::parse_plan(tiny_plan(table), "x.toml"), options, silent_observer()); },
                  {"needs a latent classifier", "'vae' has none"});
    remove_all(out);
  }
}

TEST_F(RunnerEndToEnd, SeveralModelsStandInOneRunUnderTheirNames) {
  const auto out = folder("models");
  std::string plan = tiny_plan(R"(
[[attack]]
optimiser = "noise"
radii = [0.1]
[[smallest]]
goal = "classifier_margin"
optimiser = "pgd"
iterations = 2
steps = 1
largest = 0.3
[[distortion]]
goal = "latent_means"
penalties = 2
iterations = 2
)");
  const std::string_view one = "[model.training]\nepochs = 1\n";
  plan.replace(plan.find(one), one.size(),
               "[[model]]\n[model.training]\nepochs = 1\n"
               "[[model]]\nname = \"second\"\nlatent = 2\n[model.training]\nepochs = 1\nbeta = 4\n");
  run_text(plan, out);
  std::map<std::string, std::string> model_of_cell;
  for (const auto& m : Store(out / "results.sqlite", Store::Access::read).read().measurements) {
    model_of_cell[m.cell] = m.model;
  }
  EXPECT_EQ(model_of_cell, (std::map<std::string, std::string>{{"vae-model", "vae"},
                                                               {"vae-clean-none-0-none", "vae"},
                                                               {"vae-noise-linf-0.1-none", "vae"},
                                                               {"vae-classifier_margin-smallest", "vae"},
                                                               {"vae-latent_means-distortion", "vae"},
                                                               {"second-model", "second"},
                                                               {"second-clean-none-0-none", "second"},
                                                               {"second-noise-linf-0.1-none", "second"},
                                                               {"second-classifier_margin-smallest", "second"},
                                                               {"second-latent_means-distortion", "second"}}));
  EXPECT_TRUE(exists(out / "checkpoints" / "second.safetensors"));
  EXPECT_TRUE(exists(out / "arrays" / "second-latent_map.npz"));  // two latents are a plane that can be drawn
  EXPECT_FALSE(exists(out / "arrays" / "vae-latent_map.npz"));
  const std::string environment = read_file(out / "environment.json");
  EXPECT_THAT(environment, testing::AllOf(testing::HasSubstr("model vae training"), testing::HasSubstr("beta 4")));
}

TEST_F(RunnerEndToEnd, RefusesToMixRecordsOfTwoBackends) {
  const auto out = folder("mixture");
  create_directories(out);
  const auto plan = plans::parse_plan(tiny_plan(""), "a.toml");
  run_plan(plan, {.out = out, .data_folder = {}, .threads = 2, .backend = "native"}, silent_observer());
  try {
    run_plan(plan, {.out = out, .data_folder = {}, .threads = 2, .backend = "reference"}, silent_observer());
    FAIL() << "accepted";
  } catch (const Misuse& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("backend used \"native\", this call would add some with reference"));
  }
}

TEST_F(RunnerEndToEnd, RefusesAFolderOfAnotherPlan) {
  const auto out = folder("other");
  create_directories(out);
  const std::string plan = tiny_plan("");
  run_text(plan, out);
  run_text(plan + "# a comment is no change\n", out);
  try {
    run_text("references = 20\n" + without(plan, "references = 10\n"), out);
    FAIL() << "accepted";
  } catch (const Misuse& error) {
    EXPECT_THAT(error.what(),
                testing::HasSubstr("holds a run of another plan: its 'references' is not that of this one"));
  }
}

TEST_F(RunnerEndToEnd, RefusesOtherWeightsUnderTheSameName) {
  const auto out = folder("weights");
  create_directories(out);
  const std::string training = "[model.training]\nepochs = 1\n";
  const std::string plan =
      without(tiny_plan(""), training) + "[[model]]\n" + training + "[[model]]\nname = \"second\"\n" + training;
  run_text(plan, out);
  const auto weights = out / "checkpoints" / "second.safetensors";
  auto checkpoint = models::load_checkpoint(weights);
  checkpoint.metadata["note"] = "trained again";
  models::save_checkpoint(checkpoint, weights);
  try {
    run_text(plan, out);
    FAIL() << "accepted";
  } catch (const Misuse& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("has records with model second weights \"sha256 "));
  }
}

TEST_F(RunnerEndToEnd, APlanThatHasGrownAddsWhatIsMissingToTheRun) {
  const std::string model = "[[model]]\n[model.training]\nepochs = 1\n";
  const std::string second = "[[model]]\nname = \"second\"\n" + model.substr(model.find("[model."));
  const std::string third = "[[model]]\nname = \"third\"\n" + model.substr(model.find("[model."));
  const std::string noise = "[[attack]]\noptimiser = \"noise\"\nradii = [0.1]\n";
  const std::string more_noise = "[[attack]]\noptimiser = \"noise\"\nradii = [0.1, 0.2]\n";
  const std::string none = "[[defence]]\npreset = \"none\"\n";
  const std::string transform = "[[defence]]\npreset = \"median\"\n";
  const std::string head = without(tiny_plan(""), "[model.training]\nepochs = 1\n");

  const auto grown = folder("grown");
  run_text(head + model + second + noise + none, grown);
  const auto early = Store(grown / "results.sqlite", Store::Access::read).read().measurements;
  const std::string all = head + third + model + second + more_noise + transform + none;
  run_text(all, grown);
  const auto whole = folder("whole");
  run_text(all, whole);

  EXPECT_EQ(records_but_seconds(grown), records_but_seconds(whole));  // in the plan's order, not that of completion
  EXPECT_GT(records_but_seconds(grown).size(), early.size());
  // What was there was not computed again: its seconds are as they were.
  const auto late = Store(grown / "results.sqlite", Store::Access::read).read().measurements;
  for (const measures::Measurement& m : early) {
    EXPECT_TRUE(std::ranges::any_of(
        late, [&](const measures::Measurement& one) { return measurements_csv({one}) == measurements_csv({m}); }))
        << m.cell << " " << m.metric;
  }
  EXPECT_EQ(read_file(grown / "plan.toml"), all);
}

}  // namespace
}  // namespace vaeguard::runs
