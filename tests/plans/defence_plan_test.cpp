// Presets of defences: each makes a defence, each key of a plan is read, and what is wrong is named.
#include "vaeguard/plans/defence_plan.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/expect_misuse.h"
#include "vaeguard/models/pixel_law.h"

namespace vaeguard::plans {
namespace {

using defences::MapOptions;
using defences::PosteriorSamplingOptions;
using defences::Reading;
using defences::RepairOptions;

DefencePlan read(const std::string& text) {
  const toml::table table = toml::parse(std::string_view(text), std::string_view("plan.toml"));
  return read_defence(TableReader(table, "plan.toml, [[defence]] 1"));
}

template <typename Options>
Options options_of(const DefencePlan& plan) {
  return std::get<Options>(plan.inference);
}

void refuse(const std::string& text, const std::vector<std::string>& parts) {
  expect_misuse([&] { read(text); }, parts);
}

TEST(DefencePlan, EveryPresetMakesADefenceOfItsNameAtAnyRadiusOfTheAttack) {
  const auto names = defence_presets();
  EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size());
  for (const char* name : {"none", "hmc", "hmc_published", "hmc_robust", "hmc_channel", "hmc_multistart", "map",
                           "map_lbfgs", "map_multistart", "map_robust", "map_channel", "map_directed", "repair",
                           "repair_directed", "threshold", "snap", "median", "snap_map"}) {
    EXPECT_THAT(names, testing::Contains(name));
  }
  for (const std::string& name : names) {
    const DefencePlan preset = defence_preset(name);
    EXPECT_EQ(preset.name, name);
    EXPECT_NE(preset.description, "");
    EXPECT_GT(expected_cost(preset), 0.0);
    for (const double radius : {0.0, 0.1}) {
      EXPECT_EQ(make_defence(preset, radius)->name(), name);
    }
    // A plan that only names it gets it.
    EXPECT_EQ(make_defence(read("preset = \"" + name + "\""))->name(), name);
  }
}

TEST(DefencePlan, AnotherNameIsTheOneInRecords) {
  for (const std::string& preset : defence_presets()) {
    const DefencePlan plan = read("preset = \"" + preset + "\"\nname = \"mine_2\"");
    EXPECT_EQ(plan.name, "mine_2");
    // The encoder alone is "none" wherever it stands.
    EXPECT_EQ(make_defence(plan)->name(), preset == "none" ? "none" : "mine_2");
  }
}

TEST(DefencePlan, EveryKeyOfASamplerIsRead) {
  const DefencePlan plan = read(R"(
preset = "hmc"
restarts = 2
reading = "minimum"
norm = "l2"
radius = 0.25
largest_radius = 0.5
start = "lowest"
start_gradients = 11
starts = 4
metric = "identity"
adaptation = "published"
warmup = 7
transitions = 12
leapfrog_steps = 5
thin = 3
step_size = 0.02
target_acceptance = 0.6
jitter = 0.1
)");
  EXPECT_EQ(plan.restarts, 2);
  EXPECT_FALSE(plan.knows_radius);
  EXPECT_FALSE(plan.transform.has_value());
  const auto o = options_of<PosteriorSamplingOptions>(plan);
  EXPECT_EQ(o.reading.reading, Reading::minimum);
  EXPECT_EQ(o.reading.norm, energy::BallNorm::l2);
  EXPECT_EQ(o.reading.radius, 0.25);
  EXPECT_EQ(o.reading.largest_radius, 0.5);
  EXPECT_EQ(o.start, defences::Start::lowest);
  EXPECT_EQ(o.start_gradients, 11);
  EXPECT_EQ(o.starts, 4);
  EXPECT_EQ(o.metric, defences::MetricChoice::identity);
  EXPECT_EQ(o.adaptation, defences::Adaptation::published);
  EXPECT_EQ(o.warmup, 7);
  EXPECT_EQ(o.transitions, 12);
  EXPECT_EQ(o.leapfrog_steps, 5);
  EXPECT_EQ(o.thin, 3);
  EXPECT_EQ(o.step_size, 0.02);
  EXPECT_EQ(o.target_acceptance, 0.6);
  EXPECT_EQ(o.jitter, 0.1);
  EXPECT_EQ(expected_cost(plan), defences::gradients_per_image(o));
}

TEST(DefencePlan, EveryWordForAStartIsRead) {
  using defences::Start;
  const std::vector<std::pair<std::string, Start>> words = {
      {"draw", Start::draw}, {"mean", Start::mean}, {"prior", Start::prior}, {"map", Start::map}};
  for (const auto& [word, start] : words) {
    const DefencePlan plan = read("preset = \"hmc\"\nstart = \"" + word + "\"");
    EXPECT_EQ(options_of<PosteriorSamplingOptions>(plan).start, start);
  }
}

TEST(DefencePlan, EveryKeyOfMapAndRepairIsRead) {
  const auto map = options_of<MapOptions>(
      read("preset = \"map\"\noptimiser = \"lbfgs\"\ngradients = 33\nlearning_rate = 0.4\nreading = \"channel\""));
  EXPECT_EQ(map.optimiser, defences::Optimiser::lbfgs);
  EXPECT_EQ(map.gradients, 33);
  EXPECT_EQ(map.learning_rate, 0.4);
  EXPECT_EQ(map.reading.reading, Reading::channel);
  EXPECT_EQ(expected_cost(read("preset = \"map\"\ngradients = 33")), 33.0);
  const DefencePlan several = read("preset = \"map\"\ngradients = 33\nstarts = 4\nstart_gradients = 10");
  EXPECT_EQ(options_of<MapOptions>(several).starts, 4);
  EXPECT_EQ(options_of<MapOptions>(several).start_gradients, 10);
  EXPECT_EQ(expected_cost(several), 33.0 + 4.0 * 11.0);
  const auto repair =
      options_of<RepairOptions>(read("preset = \"repair\"\npasses = 3\nradius = 0.2\nlargest_radius = 0.4"));
  EXPECT_EQ(repair.passes, 3);
  EXPECT_EQ(repair.reading.radius, 0.2);
  EXPECT_EQ(repair.reading.largest_radius, 0.4);
}

TEST(DefencePlan, AnyDefenceCanBePrecededByATransform) {
  const DefencePlan plan = read("preset = \"map\"\ntransform = \"median\"\ntransform_parameter = 5");
  ASSERT_TRUE(plan.transform.has_value());
  EXPECT_EQ(plan.transform->transform, "median");
  EXPECT_EQ(plan.transform->parameter, 5.0);
  EXPECT_TRUE(std::holds_alternative<MapOptions>(plan.inference));
  const DefencePlan snap = read("preset = \"snap\"\ntransform_parameter = 0.15");
  EXPECT_EQ(snap.transform->parameter, 0.15);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(snap.inference));
}

TEST(DefencePlan, PresetsReadImagesAsTheirNamesSay) {
  EXPECT_EQ(options_of<PosteriorSamplingOptions>(defence_preset("hmc")).reading.reading, Reading::exact);
  EXPECT_EQ(options_of<PosteriorSamplingOptions>(defence_preset("hmc_robust")).reading.reading, Reading::minimum);
  EXPECT_EQ(options_of<PosteriorSamplingOptions>(defence_preset("hmc_channel")).reading.reading, Reading::channel);
  EXPECT_EQ(options_of<MapOptions>(defence_preset("map_robust")).reading.reading, Reading::minimum);
  EXPECT_EQ(options_of<MapOptions>(defence_preset("map_channel")).reading.reading, Reading::channel);
  EXPECT_EQ(options_of<MapOptions>(defence_preset("map_lbfgs")).optimiser, defences::Optimiser::lbfgs);
  EXPECT_EQ(defence_preset("snap_map").transform->transform, "snap");
}

/// A VAE of two latents and four pixels with zero weights: codes are 0 whatever the image.
models::Vae blank_vae() {
  models::VaeWeights weights{.architecture = "blank",
                             .encoder = {.inputs = {{4, 1, 1}}},
                             .decoder = {.inputs = {{2, 1, 1}}},
                             .likelihood = {}};
  weights.encoder.add(networks::Operation::convolution, {.channels = 4});
  weights.decoder.add(networks::Operation::convolution, {.channels = 4});
  return models::Vae(weights, "reference");
}

TEST(DefencePlan, TheAttacksRadiusIsTheReadingsWhereThePlanSaysSo) {
  for (const std::string preset : {"hmc_robust", "map_robust"}) {
    const DefencePlan plan = read("preset = \"" + preset + "\"\nradius = \"attack\"");
    EXPECT_TRUE(plan.knows_radius);
    const std::vector<Key> keys{Key(1)};
    const auto inference =
        make_defence(plan, 0.125)->infer(blank_vae(), Matrix(1, 4, 0.5F), keys, 1, silent_observer());
    EXPECT_EQ(inference.radius, std::vector<double>{0.125}) << preset;
    // Without an attack there is none to know: it is looked for, which takes a pixel law.
    expect_misuse(
        [&] {
          static_cast<void>(
              make_defence(plan, 0.0)->infer(blank_vae(), Matrix(1, 4, 0.5F), keys, 1, silent_observer()));
        },
        {"pixel law"});
  }
  EXPECT_FALSE(read("preset = \"map_robust\"\nradius = 0.1").knows_radius);
}

TEST(DefencePlan, UnknownWordsAndKeysNameTheNearest) {
  refuse("preset = \"hmc_robst\"", {"hmc_robst", "did you mean 'hmc_robust'"});
  refuse("preset = \"repiar\"", {"did you mean 'repair'"});
  refuse("preset = \"hmc\"\nleapfrog_step = 3", {"plan.toml, [[defence]] 1", "'leapfrog_step'", "'leapfrog_steps'"});
  refuse("preset = \"map\"\noptimizer = \"adam\"", {"'optimizer'", "did you mean 'optimiser'"});
  refuse("preset = \"map\"\noptimiser = \"lbfg\"", {"optimiser", "'lbfg'", "did you mean 'lbfgs'"});
  refuse("preset = \"hmc\"\nreading = \"minimun\"", {"reading", "did you mean 'minimum'"});
  refuse("preset = \"hmc\"\nnorm = \"l3\"", {"norm", "'l3'"});
  refuse("preset = \"hmc\"\nmetric = \"encodr\"", {"did you mean 'encoder'"});
  refuse("preset = \"hmc\"\nadaptation = \"publishd\"", {"did you mean 'published'"});
  refuse("preset = \"hmc\"\ntransform = \"medain\"", {"did you mean 'median'"});
  refuse("preset = \"none\"\nradius = 0.1", {"'radius'"});
  refuse("preset = \"repair\"\ngradients = 3", {"'gradients'"});
}

TEST(DefencePlan, BadValuesSayWhatWasExpectedAndFound) {
  refuse("name = \"x\"", {"preset is missing"});
  refuse("preset = \"hmc\"\nname = \"a b\"", {"name must be made of letters, digits and _, got 'a b'"});
  refuse("preset = \"hmc\"\nrestarts = -1", {"restarts must be a whole number of at least 0, got -1"});
  refuse("preset = \"hmc\"\nradius = \"atack\"", {"radius must be a number or 'attack', got 'atack'"});
  refuse("preset = \"hmc\"\nradius = 2.0", {"radius must be in [0, 1]", "got 2"});
  refuse("preset = \"hmc\"\nradius = true", {"radius must be a number, got true"});
  refuse("preset = \"hmc\"\nlargest_radius = 0.0", {"largest_radius must be in (0, 1], got 0"});
  refuse("preset = \"hmc\"\nstart_gradients = 0", {"start_gradients must be a whole number of at least 1, got 0"});
  refuse("preset = \"hmc\"\nthin = 99", {"thin must be at most transitions"});
  refuse("preset = \"hmc_robust\"\nnorm = \"l2\"", {"norm l2 needs the reading minimum and a radius"});
  refuse("preset = \"map\"\ngradients = 0", {"gradients must be a whole number of at least 1, got 0"});
  refuse("preset = \"map\"\nlearning_rate = -0.1", {"learning_rate must be a number above 0, got -0.1"});
  refuse("preset = \"repair\"\npasses = -1", {"passes must be a whole number of at least 0, got -1"});
  refuse("preset = \"median\"\ntransform_parameter = 4", {"median", "4"});
  refuse("preset = \"map\"\nradius = \"attack\"", {"radius = 'attack' needs the reading minimum, channel or directed"});
  refuse("preset = \"median\"\ntransform_parameter = \"attack\"", {"needs the transform snap, got 'median'"});
  refuse("preset = \"snap\"\ntransform_parameter = \"atack\"", {"transform_parameter must be a number or 'attack'"});
}

}  // namespace
}  // namespace vaeguard::plans
