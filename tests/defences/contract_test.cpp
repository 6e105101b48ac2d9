// The contract of contract.h for every defence of the registry, and the options that some do not read.
#include "tests/defences/contract.h"

namespace vaeguard::defences {
namespace {

class DefenceContract : public testing::TestWithParam<DefenceEntry> {};

TEST_P(DefenceContract, EachImageHasTheSameResultInAnyBatchOrderAndNumberOfThreads) {
  expect_same_result_in_any_batch(GetParam());
}
TEST_P(DefenceContract, AnImagesKeyIsAllItsChance) { expect_key_is_all_chance(GetParam()); }
TEST_P(DefenceContract, AnInferenceHasOneShape) { expect_one_shape(GetParam()); }
TEST_P(DefenceContract, NoImageCostsMoreThanIsDeclared) { expect_honest_cost(GetParam()); }
TEST_P(DefenceContract, AnInterruptionIsHeard) { expect_interruption_heard(GetParam()); }
TEST_P(DefenceContract, RunsOnTheSmallestVae) { expect_runs_on_smallest_vae(GetParam()); }
TEST_P(DefenceContract, WhatIsListedIsWhatIsReadAndReadsBackAsTheSame) { expect_listed_is_read(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Registry, DefenceContract, testing::ValuesIn(defences().begin(), defences().end()),
                         [](const auto& entry) { return std::string(entry.param.name); });

TEST(DefenceCautions, ExpectHarmOnPhotographsWhereARadiusIsEstimated) {
  for (const DefenceEntry& entry : defences()) {
    // The bound of a search is read only where a radius is searched.
    const bool estimates =
        std::ranges::any_of(entry.options, [](const Option& option) { return option.key == "largest_radius"; });
    EXPECT_EQ(entry.caution.find("photographs") != std::string_view::npos, estimates) << entry.name;
  }
}

TEST(DefenceOptions, ThatAreNotReadAreRefused) {
  for (const DefenceEntry& entry : defences()) {
    expect_misuse([&] { prepared(entry, Value::Table{{"no_such_option", 1}}); }, {"unknown key 'no_such_option'"});
  }
  const auto refuse = [](std::string_view name, const Value& options, const std::vector<std::string>& parts) {
    expect_misuse([&] { prepared(defences().find(name), options); }, parts);
  };
  refuse("mala", Value::Table{{"leapfrog_steps", 99}}, {"leapfrog_steps is not read here", "mala"});
  refuse("mala", Value::Table{{"jitter", 0.5}}, {"jitter is not read here"});
  refuse("hmc", Value::Table{{"persistence", 0.5}}, {"persistence is not read here", "the kernel hmc"});
  refuse("hmc", Value::Table{{"shortest", 0.5}}, {"shortest is not read here", "the kernel hmc"});
  refuse("hmc", Value::Table{{"starts", 4}}, {"starts is not read here"});
  refuse("hmc", Value::Table{{"radius", 0.1}}, {"radius is not read here", "exact"});
  refuse("map", Value::Table{{"start_gradients", 4}}, {"start_gradients is not read here"});
  refuse("map_lbfgs", Value::Table{{"learning_rate", 0.1}}, {"learning_rate is not read here"});
  refuse("map_channel", Value::Table{{"norm", "l2"}}, {"norm is not read here"});
  refuse("map_channel", Value::Table{{"scale", 0.2}}, {"scale is not read here", "channel"});
  refuse("map_gaussian", Value::Table{{"radius", 0.1}}, {"radius is not read here", "gaussian"});
  refuse("none", Value::Table{{"radius", 0.1}}, {"unknown key 'radius'"});
  refuse("none", Value::Table{{"transform_parameter", 0.1}}, {"unknown key 'transform_parameter'"});
}

}  // namespace
}  // namespace vaeguard::defences
