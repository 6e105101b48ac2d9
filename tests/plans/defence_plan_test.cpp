// Defences from plans: each entry makes a defence, each key is read, and what is wrong is named.
#include "vaeguard/plans/defence_plan.h"

#include <gtest/gtest.h>

#include "tests/expect_misuse.h"
#include "vaeguard/defences/map.h"
#include "vaeguard/defences/posterior_sampling.h"
#include "vaeguard/defences/registry.h"
#include "vaeguard/defences/repair.h"
#include "vaeguard/models/pixel_law.h"
#include "vaeguard/plans/toml.h"

namespace vaeguard::plans {
namespace {

DefencePlan read(const std::string& text) {
  const Value table = parse_toml(text, "plan.toml");
  return read_defence(OptionReader(table, "plan.toml, [[defence]] 1"));
}

/// The options that a plan ends with, without its transform.
template <typename Options>
Options options_of(const DefencePlan& plan, const OptionSchema<Options>& schema) {
  OptionReader reader(plan.options, "test");
  Options options;
  schema.read(reader, options);
  return options;
}

defences::PosteriorSamplingOptions sampling(const std::string& text) {
  return options_of(read(text), defences::posterior_sampling_schema());
}
defences::MapOptions map(const std::string& text) { return options_of(read(text), defences::map_schema()); }
std::string transform(const std::string& text) { return *read(text).options.find("transform")->as<std::string>(); }

void refuse(const std::string& text, const std::vector<std::string>& parts) {
  expect_misuse([&] { read(text); }, parts);
}

TEST(DefencePlan, EveryEntryMakesADefenceOfItsNameAtAnyRadiusOfTheAttack) {
  for (const std::string& name : defences::defences().names()) {
    const DefencePlan preset = defence_preset(name);
    EXPECT_EQ(preset.name, name);
    EXPECT_GT(expected_cost(preset), 0.0);
    for (const double radius : {0.0, 0.1}) {
      EXPECT_EQ(make_defence(preset, radius)->name(), name);
    }
    // A plan that only names it gets it.
    const DefencePlan named = read("preset = \"" + name + "\"");
    EXPECT_EQ(named.options, preset.options);
    EXPECT_EQ(make_defence(named)->name(), name);
  }
}

TEST(DefencePlan, AnotherNameIsTheOneInRecords) {
  for (const std::string& preset : defences::defences().names()) {
    const DefencePlan plan = read("preset = \"" + preset + "\"\nname = \"mine_2\"");
    EXPECT_EQ(plan.name, "mine_2");
    // The encoder alone is "none" wherever it stands.
    EXPECT_EQ(make_defence(plan)->name(), preset == "none" ? "none" : "mine_2");
  }
}

TEST(DefencePlan, EveryKeyOfASamplerIsRead) {
  const std::string text = R"(
preset = "hmc"
restarts = 2
observation = "minimum"
norm = "l2"
radius = 0.25
start = "lowest"
start_gradients = 11
starts = 4
chains = 2
metric = "identity"
first_step_trials = 5
learn_length = true
warmup = 7
transitions = 12
leapfrog_steps = 5
thin = 3
step_size = 0.02
target_acceptance = 0.6
jitter = 0.1
stop_gradients = 1000
stop_milliseconds = 50
stop_error = 0.1
)";
  const DefencePlan plan = read(text);
  EXPECT_EQ(plan.restarts, 2);
  EXPECT_FALSE(plan.knows_radius);
  const auto o = sampling(text);
  EXPECT_EQ(o.observation.name(), "minimum");
  EXPECT_EQ(*o.observation.values().find("norm"), Value("l2"));
  EXPECT_EQ(*o.observation.values().find("radius"), Value(0.25));
  EXPECT_EQ(o.start, defences::Start::lowest);
  EXPECT_EQ(o.start_gradients, 11);
  EXPECT_EQ(o.starts, 4);
  EXPECT_EQ(o.chains, 2);
  EXPECT_EQ(o.metric, defences::MetricChoice::identity);
  EXPECT_EQ(o.first_step_trials, 5);
  EXPECT_TRUE(o.learn_length);
  EXPECT_EQ(o.warmup, 7);
  EXPECT_EQ(o.transitions, 12);
  EXPECT_EQ(o.leapfrog_steps, 5);
  EXPECT_EQ(o.thin, 3);
  EXPECT_EQ(o.step_size, 0.02);
  EXPECT_EQ(o.target_acceptance, 0.6);
  EXPECT_EQ(o.jitter, 0.1);
  EXPECT_EQ(o.stop.gradients, 1000.0);
  EXPECT_EQ(o.stop.milliseconds, 50.0);
  EXPECT_EQ(o.stop.error, 0.1);
  EXPECT_EQ(expected_cost(plan), defences::gradients_per_image(o));
  EXPECT_EQ(sampling("preset = \"hmc\"\nadaptation = \"published\"").adaptation, defences::Adaptation::published);
  EXPECT_EQ(sampling("preset = \"generalised_hmc\"\npersistence = 0.5").persistence, 0.5);
  EXPECT_EQ(sampling("preset = \"dynamic\"\nshortest = 0.5").shortest, 0.5);
  EXPECT_EQ(*sampling("preset = \"hmc_robust\"\nlargest_radius = 0.5").observation.values().find("largest_radius"),
            Value(0.5));
}

TEST(DefencePlan, FewTransitionsAreAllKeptUnlessThinIsSaid) {
  EXPECT_EQ(sampling("preset = \"mala\"\ntransitions = 5").thin, 5);
  refuse("preset = \"hmc\"\nthin = 99", {"thin must be at most transitions"});
}

TEST(DefencePlan, EveryKeyOfMapAndRepairIsRead) {
  const auto lbfgs = map("preset = \"map\"\noptimiser = \"lbfgs\"\ngradients = 33\nobservation = \"channel\"");
  EXPECT_EQ(lbfgs.optimiser, defences::Optimiser::lbfgs);
  EXPECT_EQ(lbfgs.gradients, 33);
  EXPECT_EQ(lbfgs.observation.name(), "channel");
  EXPECT_EQ(map("preset = \"map\"\nlearning_rate = 0.4").learning_rate, 0.4);
  EXPECT_EQ(expected_cost(read("preset = \"map\"\ngradients = 33")), 33.0);
  const std::string several = "preset = \"map\"\ngradients = 33\nstarts = 4\nstart_gradients = 10";
  EXPECT_EQ(map(several).starts, 4);
  EXPECT_EQ(map(several).start_gradients, 10);
  EXPECT_EQ(expected_cost(read(several)), 33.0 + 4.0 * 11.0);
  const auto repair =
      options_of(read("preset = \"repair\"\npasses = 3\nlargest_radius = 0.4"), defences::repair_schema());
  EXPECT_EQ(repair.passes, 3);
  EXPECT_TRUE(options_of(read("preset = \"repair_directed\""), defences::repair_schema()).observation.directed);
  EXPECT_EQ(repair.observation.radius.largest, 0.4);
}

TEST(DefencePlan, AnyDefenceCanBePrecededByATransform) {
  const std::string text = "preset = \"map\"\ntransform = \"median\"\ntransform_parameter = 5";
  EXPECT_EQ(transform(text), "median");
  EXPECT_EQ(read(text).options.find("transform_parameter")->number(), 5.0);
  EXPECT_EQ(read("preset = \"snap\"\ntransform_parameter = 0.15").options.find("transform_parameter")->number(), 0.15);
  EXPECT_EQ(transform("preset = \"snap_map\""), "snap");
  EXPECT_EQ(transform("preset = \"snap_map\"\ntransform = \"none\""), "none");
  EXPECT_EQ(transform("preset = \"hmc\""), "none");
}

TEST(DefencePlan, EntriesObserveImagesAsTheirNamesSay) {
  EXPECT_EQ(sampling("preset = \"hmc\"").observation.name(), "exact");
  EXPECT_EQ(sampling("preset = \"hmc_robust\"").observation.name(), "minimum");
  EXPECT_EQ(sampling("preset = \"hmc_channel\"").observation.name(), "channel");
  EXPECT_EQ(map("preset = \"map_robust\"").observation.name(), "minimum");
  EXPECT_EQ(map("preset = \"map_channel\"").observation.name(), "channel");
  EXPECT_EQ(map("preset = \"map_directed\"").observation.name(), "directed");
  EXPECT_EQ(map("preset = \"map_gaussian\"").observation.name(), "gaussian");
  EXPECT_EQ(sampling("preset = \"hmc_gaussian\"").observation.name(), "gaussian");
  EXPECT_EQ(map("preset = \"map_lbfgs\"").optimiser, defences::Optimiser::lbfgs);
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

TEST(DefencePlan, TheAttacksRadiusIsTheObservationModelsWhereThePlanSaysSo) {
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
  EXPECT_TRUE(read("preset = \"map_gaussian\"\nscale = \"attack\"").knows_radius);
  EXPECT_FALSE(read("preset = \"map_gaussian\"\nscale = 0.2").knows_radius);
  EXPECT_TRUE(read("preset = \"snap_map\"\ntransform_parameter = \"attack\"").knows_radius);
}

TEST(DefencePlan, UnknownWordsAndKeysNameTheNearest) {
  refuse("preset = \"hmc_robst\"", {"hmc_robst", "did you mean 'hmc_robust'"});
  refuse("preset = \"repiar\"", {"did you mean 'repair'"});
  refuse("preset = \"hmc\"\nleapfrog_step = 3",
         {"plan.toml, [[defence]] 1, line 2", "'leapfrog_step'", "'leapfrog_steps'"});
  refuse("preset = \"map\"\noptimizer = \"adam\"", {"'optimizer'", "did you mean 'optimiser'"});
  refuse("preset = \"map\"\noptimiser = \"lbfg\"", {"optimiser", "'lbfg'", "did you mean 'lbfgs'"});
  refuse("preset = \"hmc\"\nobservation = \"minimun\"", {"line 2", "observation", "did you mean 'minimum'"});
  refuse("preset = \"hmc_robust\"\nnorm = \"l3\"", {"norm", "'l3'"});
  refuse("preset = \"hmc\"\nmetric = \"encodr\"", {"did you mean 'encoder'"});
  refuse("preset = \"hmc\"\nadaptation = \"publishd\"", {"did you mean 'published'"});
  refuse("preset = \"hmc\"\ntransform = \"medain\"", {"line 2", "did you mean 'median'"});
  refuse("preset = \"none\"\nradius = 0.1", {"'radius'"});
  refuse("preset = \"repair\"\ngradients = 3", {"'gradients'"});
}

TEST(DefencePlan, BadValuesSayWhatWasExpectedAndFound) {
  refuse("name = \"x\"", {"preset is missing"});
  refuse("preset = \"hmc\"\nname = \"a b\"", {"name must be made of letters, digits and _, got 'a b'"});
  refuse("preset = \"hmc\"\nrestarts = -1", {"restarts must be a whole number of at least 0, got -1"});
  refuse("preset = \"map_robust\"\nradius = \"atack\"",
         {"line 2", "radius must be a number from 0 to 1 or \"attack\", got \"atack\""});
  refuse("preset = \"map_robust\"\nradius = 2.0", {"radius must be a number from 0 to 1", "got 2"});
  refuse("preset = \"map_robust\"\nradius = true", {"radius must be a number", "got true"});
  refuse("preset = \"map_robust\"\nlargest_radius = 0.0", {"largest_radius must be a number above 0 up to 1, got 0"});
  refuse("preset = \"hmc_short\"\nstart_gradients = 0",
         {"start_gradients must be a whole number of at least 1, got 0"});
  refuse("preset = \"hmc_robust\"\nnorm = \"l2\"", {"the norm l2 needs a radius"});
  refuse("preset = \"map\"\ngradients = 0", {"gradients must be a whole number of at least 1, got 0"});
  refuse("preset = \"map\"\nlearning_rate = -0.1", {"learning_rate must be a number above 0, got -0.1"});
  refuse("preset = \"repair\"\npasses = -1", {"passes must be a whole number of at least 0, got -1"});
  refuse("preset = \"median\"\ntransform_parameter = 4", {"median", "4"});
  refuse("preset = \"hmc_robust\"\nnorm = \"l2\"\nradius = \"attack\"", {"the norm l2 needs a radius"});
  refuse("preset = \"median\"\ntransform_parameter = \"attack\"", {"needs the transform snap, got 'median'"});
  refuse("preset = \"snap\"\ntransform_parameter = \"atack\"", {"transform_parameter must be a number or \"attack\""});
}

}  // namespace
}  // namespace vaeguard::plans
