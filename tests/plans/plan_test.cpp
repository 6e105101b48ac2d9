// Plans: what is read, and one clear error for each way to get one wrong.
#include "vaeguard/plans/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vaeguard/base/error.h"
#include "vaeguard/models/realnvp.h"
#include "vaeguard/training/registry.h"

namespace vaeguard::plans {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view text) {
  try {
    parse_plan(text, "plan.toml");
  } catch (const Misuse& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Plan, ReadsAttacksDefencesAndOverrides) {
  const Plan plan = parse_plan(R"(
name = "trial"
seed = 7
dataset = "synthetic"
references = 20
[model]
name = "vae"
  [model.training]
  epochs = 3
[[attack]]
goal = "classifier_ce"
radii = [0.1, 0.2]
restarts = 4
[[attack]]
optimiser = "noise"
radii = [0.1]
defences = ["short"]
[[defence]]
preset = "none"
[[defence]]
preset = "hmc"
name = "short"
transitions = 5
start = "mean"
)",
                               "plan.toml");
  EXPECT_EQ(plan.seed, 7U);
  ASSERT_EQ(plan.models.size(), 1U);
  EXPECT_EQ(plan.models[0].training.epochs, 3);
  EXPECT_EQ(plan.models[0].training.seed, 7U);
  ASSERT_EQ(plan.attacks.size(), 2U);
  EXPECT_EQ(plan.attacks[0].name, "classifier_ce");
  EXPECT_THAT(plan.attacks[0].radii, testing::ElementsAre(0.1, 0.2));
  EXPECT_EQ(plan.attacks[1].name, "noise");
  ASSERT_EQ(plan.defences.size(), 2U);
  EXPECT_EQ(plan.defences[1].name, "short");
  EXPECT_EQ(plan.defences[1].options.find("transitions")->number(), 5.0);
  EXPECT_EQ(*plan.defences[1].options.find("start"), Value("mean"));
}

TEST(Plan, HasSeveralModelsWithNamesOfTheirOwn) {
  const Plan plan = parse_plan(R"(
[[model]]
name = "vae"
[[model]]
name = "beta_vae_5"
  [model.training]
  beta = 5
)",
                               "plan.toml");
  ASSERT_EQ(plan.models.size(), 2U);
  EXPECT_EQ(plan.models[0].training.objective.beta, 1.0);
  EXPECT_EQ(plan.models[1].name, "beta_vae_5");
  EXPECT_EQ(plan.models[1].training.objective.beta, 5.0);
  EXPECT_EQ(parse_plan("", "plan.toml").models.size(), 1U);
  EXPECT_THAT(error_of("[[model]]\n[[model]]\n"), HasSubstr("two models are called 'vae'"));
}

TEST(Plan, AttacksSayWhichPixelsMoveAndAreNamedByIt) {
  const Plan plan = parse_plan(R"(
[[attack]]
mask = "unsaturated"
mask_margin = 0.05
pixel_radii = "random"
decoy = "noise"
radii = [0.1]
[[attack]]
name = "spared"
best_of = ["apgd", "adam"]
norm = "l1"
mask = "unsaturated"
radii = [3]
[[attack]]
name = "spared_random_radii"
optimiser = "standard_linf"
pixel_radii = "random"
radii = [0.1]
[[attack]]
radii = [0.1]
mask = "none"
[[smallest]]
largest = 0.3
mask = "unsaturated"
)",
                               "plan.toml");
  const attacks::PixelBudget all{.mask = attacks::Mask::unsaturated,
                                 .mask_margin = 0.05,
                                 .pixel_radii = attacks::PixelRadii::random,
                                 .decoy = attacks::Decoy::noise};
  EXPECT_EQ(plan.attacks[0].pixels, all);
  EXPECT_EQ(plan.attacks[0].threat(0.1).pixels, all);
  EXPECT_EQ(plan.attacks[0].name, "encoder_skl_unsaturated_random_radii_decoy");
  EXPECT_EQ(plan.attacks[1].name, "spared_unsaturated");
  EXPECT_EQ(plan.attacks[2].name, "spared_random_radii") << "not said twice";
  EXPECT_EQ(plan.attacks[3].name, "encoder_skl");
  EXPECT_TRUE(plan.attacks[3].pixels.plain());
  EXPECT_EQ(plan.smallest[0].attack.name, "encoder_skl_unsaturated");
}

TEST(Plan, PixelsThatCannotMoveSoAreNamed) {
  const std::string attack = "[[attack]]\nradii=[0.1]\n";
  EXPECT_THAT(error_of(attack + "mask=\"unsaturatd\"\n"),
              HasSubstr("unknown mask 'unsaturatd', did you mean 'unsaturated'?"));
  EXPECT_THAT(error_of(attack + "decoy=\"noise\"\n"), HasSubstr("[[attack]] 1] decoy = \"noise\" is for pixels"));
  EXPECT_THAT(error_of(attack + "mask_margin=0.1\n"), HasSubstr("line 3] mask_margin is not read here: there is no"));
  EXPECT_THAT(error_of(attack + "mask=\"unsaturated\"\nmask_margin=0.5\n"), HasSubstr("0 to below 0.5, got 0.5"));
  EXPECT_THAT(error_of(attack + "optimiser=\"pgd\"\nnorm=\"l2\"\npixel_radii=\"random\"\n"),
              HasSubstr("exists for linf only, since pixels have no radius of their own in l2"));
  EXPECT_THAT(error_of(attack + "name=\"a_decoy\"\n"), HasSubstr("'a_decoy' ends like that of an attack with other"));
  EXPECT_THAT(error_of("[[distortion]]\ngoal=\"latent_means\"\nmask=\"unsaturated\"\n"),
              HasSubstr("in a distortion curve all pixels move"));
}

TEST(Plan, ReadsNormsOptionsAndSuitesOfAttacks) {
  const Plan plan = parse_plan(R"(
[[attack]]
goal = "maximum_damage"
optimiser = "apgd"
norm = "l2"
radii = [2]
draws = 3
iterations = 40
enough = 5.5
[[attack]]
name = "strongest"
goal = "latent_kl"
best_of = ["apgd", "adam"]
radii = [0.1]
[[attack]]
optimiser = "standard_l1"
radii = [12]
enough = 0
)",
                               "plan.toml");
  EXPECT_EQ(plan.attacks[0].norm, Norm::l2);
  EXPECT_EQ(plan.attacks[0].draws, 3);
  EXPECT_EQ(plan.attacks[0].options.find("iterations")->number(), 40.0);
  EXPECT_EQ(plan.attacks[0].options.find("enough")->number(), 5.5);
  EXPECT_EQ(plan.attacks[0].options.find("rho")->number(), 0.75) << "what is not said is there, too";
  EXPECT_THAT(plan.attacks[1].best_of, testing::ElementsAre("apgd", "adam"));
  EXPECT_EQ(plan.attacks[2].name, "standard_l1");
  EXPECT_EQ(plan.attacks[2].goal, "classifier_margin");
  EXPECT_EQ(plan.attacks[2].norm, Norm::l1);
  EXPECT_EQ(plan.attacks[2].enough, 0.0);
}

TEST(Plan, AnAttackerIsBlindUnlessThePlanNamesAnotherThatIsKnown) {
  EXPECT_EQ(parse_plan("[[attack]]\nradii=[0.1]\n", "plan.toml").attacks[0].attacker, "blind");
  EXPECT_EQ(parse_plan("[[attack]]\nradii=[0.1]\nattacker=\"blind\"\n", "plan.toml").attacks[0].attacker, "blind");
  EXPECT_THAT(error_of("[[attack]]\nradii=[0.1]\nattacker=\"full\"\n"),
              HasSubstr("[[attack]] 1] unknown attacker 'full'. Known: blind"));
}

TEST(Plan, ImpossibleAttacksAreNamed) {
  EXPECT_THAT(error_of("[[attack]]\nradii=[0.1]\nnorm=\"l3\"\n"), HasSubstr("unknown norm 'l3'"));
  EXPECT_THAT(error_of("[[attack]]\nradii=[0.1]\nnorm=\"l2\"\n"), HasSubstr("sign_pgd exists for linf only"));
  EXPECT_THAT(error_of("[[attack]]\noptimiser=\"noise\"\nradii=[0.1]\niterations=3\n"), HasSubstr("'iterations'"));
  EXPECT_THAT(error_of("[[attack]]\nradii=[0.1]\nfirst_step=-1\n"),
              HasSubstr("first_step must be a number above 0, got -1"));
  EXPECT_THAT(error_of("[[attack]]\nradii=[0.1]\nschedule=\"linaer\"\n"), HasSubstr("did you mean 'linear'"));
  EXPECT_THAT(error_of("[[attack]]\nradii=[0.1]\ndraws=2\n"), HasSubstr("draws need a goal that reads the code"));
  EXPECT_THAT(error_of("[[attack]]\nradii=[0.1]\noptimiser=\"standard_l3\"\n"), HasSubstr("did you mean 'standard_l"));
  EXPECT_THAT(error_of("[[attack]]\noptimiser=\"standard_l2\"\nnorm=\"l1\"\nradii=[1]\n"),
              HasSubstr("suite standard_l2 has the goal classifier_margin and the norm l2"));
  EXPECT_THAT(error_of("[[attack]]\noptimiser=\"apgd\"\nbest_of=[\"apgd\"]\nradii=[1]\n"),
              HasSubstr("optimiser and best_of exclude each other"));
  EXPECT_THAT(error_of("[[attack]]\nbest_of=[\"agpd\"]\nradii=[1]\n"), HasSubstr("did you mean 'apgd'"));
}

TEST(Plan, DefencesThatKnowTheRadiusMeetLinfAttacksOnly) {
  const std::string attack = "[[attack]]\noptimiser=\"pgd\"\nnorm=\"l2\"\nradii=[2]\n";
  const std::string defences = "[[defence]]\npreset=\"none\"\n[[defence]]\npreset=\"map_robust\"\nradius=\"attack\"\n";
  EXPECT_THAT(error_of(attack + defences), HasSubstr("knows the radius of linf attacks only"));
  EXPECT_EQ(error_of(attack + "defences=[\"none\"]\n" + defences), "accepted");
}

TEST(Plan, UnknownKeysNameTheLineAndTheNearestKnownKey) {
  EXPECT_THAT(
      error_of("name = \"x\"\nrefrences = 3\n"),
      testing::AllOf(HasSubstr("plan.toml, line 2"), HasSubstr("'refrences'"), HasSubstr("did you mean 'references'")));
  EXPECT_THAT(error_of("[[attack]]\nradii=[0.1]\nradus=1\n"), HasSubstr("[[attack]] 1, line 3"));
  EXPECT_THAT(error_of("[model.training]\nepoch = 1\n"), HasSubstr("did you mean 'epochs'"));
}

TEST(Plan, UnknownNamesNameTheNearestKnownOne) {
  EXPECT_THAT(error_of("dataset = \"mnst\"\n"), HasSubstr("did you mean 'mnist'"));
  EXPECT_THAT(error_of("[[attack]]\ngoal=\"encoder_sk\"\nradii=[0.1]\n"), HasSubstr("did you mean 'encoder_skl'"));
  EXPECT_THAT(error_of("[[defence]]\npreset=\"hcm\"\n"), HasSubstr("did you mean 'hmc'"));
  EXPECT_THAT(error_of("[[defence]]\npreset=\"hmc\"\nstart=\"men\"\n"), HasSubstr("did you mean 'mean'"));
  EXPECT_THAT(error_of("[[attack]]\nradii=[0.1]\ndefences=[\"hmc\"]\n"), HasSubstr("unknown defence 'hmc'"));
}

TEST(Plan, WrongTypesAndValuesSayWhatWasExpectedAndFound) {
  EXPECT_THAT(error_of("references = \"many\"\n"), HasSubstr("references must be a whole number of at least 2, got"));
  EXPECT_THAT(error_of("[[attack]]\nradii = 0.1\n"), HasSubstr("radii must be a list of numbers, got 0.1"));
  EXPECT_THAT(error_of("[[attack]]\nradii = []\n"), HasSubstr("radii must be a list of numbers"));
  EXPECT_THAT(error_of("[[attack]]\ngoal = \"encoder_skl\"\n"), HasSubstr("radii is missing"));
  EXPECT_THAT(error_of("[[attack]]\nradii = [-0.1]\n"), HasSubstr("radius"));
  EXPECT_THAT(error_of("[[defence]]\npreset = \"hmc\"\nstep_size = nan\n"),
              HasSubstr("step_size must be a number above 0, got nan"));
  EXPECT_THAT(error_of("attack = 3\n"), HasSubstr("attack must be tables [[attack]]"));
  EXPECT_THAT(error_of("model = 3\n"), HasSubstr("model must be tables [[model]]"));
  EXPECT_THAT(error_of("name = \"a/b\"\n"), HasSubstr("letters, digits and _"));
}

TEST(Plan, ReadsObjectivesWithTheirOwnOptions) {
  const Plan plan = parse_plan(R"(
[model]
latent = 2
likelihood = "gaussian"
variance = 0.5
[model.training]
objective = "beta_tcvae"
beta = 5
estimator = "mss"
)",
                               "plan.toml");
  EXPECT_EQ(training::describe(plan.models.front().training.objective), "beta_tcvae, beta 5, estimator mss");
  EXPECT_EQ(plan.models.front().latent, 2);
  EXPECT_EQ(plan.models.front().likelihood, models::gaussian(0.5));
  const Plan smooth = parse_plan(
      "[model.training]\nobjective = \"se_avae\"\nradius = 0.2\ninner_steps = 7\ngamma = 2\ncorrelation = 0.8\n",
      "plan.toml");
  EXPECT_EQ(training::describe(smooth.models.front().training.objective),
            "se_avae, beta 1, gamma 2, radius 0.2, inner_steps 7, correlation 0.8");
}

TEST(Plan, ReadsAVarianceThatIsLearned) {
  const Plan plan = parse_plan("[model]\nlikelihood = \"gaussian\"\nvariance = \"learned\"\n", "plan.toml");
  ASSERT_TRUE(plan.models.front().likelihood);
  EXPECT_EQ(models::describe(*plan.models.front().likelihood), "gaussian, variance \"learned\"");
}

TEST(Plan, ReadsThePriorThatIsLearned) {
  EXPECT_EQ(parse_plan("[model.training]\nprior = \"realnvp\"\n", "plan.toml").models.front().prior,
            models::PriorDesign(models::RealNvpOptions{}));
  EXPECT_EQ(parse_plan("[model.training]\nprior = \"realnvp\"\ncouplings = 6\nbound = 1.5\n", "plan.toml")
                .models.front()
                .prior,
            models::PriorDesign(models::RealNvpOptions{.couplings = 6, .bound = 1.5}));
  EXPECT_EQ(parse_plan("[model.training]\nepochs = 3\n", "plan.toml").models.front().prior, std::nullopt);
}

TEST(Plan, ObjectivesRefuseWhatTheyDoNotHave) {
  const std::string training = "[model.training]\n";
  EXPECT_THAT(error_of(training + "objective = \"beta_tcave\"\n"), HasSubstr("did you mean 'beta_tcvae'"));
  EXPECT_THAT(error_of(training + "gamma = 2.0\n"), HasSubstr("objective elbo has no option gamma; it has beta"));
  EXPECT_THAT(error_of(training + "objective = \"avae\"\ncorelation = 0.5\n"), HasSubstr("did you mean 'correlation'"));
  EXPECT_THAT(error_of(training + "objective = \"avae\"\ncorrelation = 1.0\n"), HasSubstr("from 0 to below 1, got 1"));
  EXPECT_THAT(error_of(training + "objective = \"beta_tcvae\"\nestimator = \"mw\"\n"), HasSubstr("did you mean 'mws'"));
  EXPECT_THAT(error_of(training + "objective = \"avae_ss\"\n"), HasSubstr("needs a checkpoint to start from"));
  EXPECT_THAT(error_of(training + "objective = \"avae\"\nprior = \"realnvp\"\n"),
              HasSubstr("objective avae needs the prior standard_normal"));
}

TEST(Plan, ModelsRefuseChoicesThatAreNotTheirs) {
  EXPECT_THAT(error_of("[model]\nlikelihood = \"clamped_bernoulli\"\n"), HasSubstr("only the preset published"));
  EXPECT_THAT(error_of("[model]\nlikelihood = \"bernouli\"\n"), HasSubstr("did you mean 'bernoulli'"));
  EXPECT_THAT(error_of("[model.training]\nprior = \"realnpv\"\n"), HasSubstr("did you mean 'realnvp'"));
  EXPECT_THAT(error_of("[model]\nvariance = 0.5\n"), HasSubstr("likelihood is missing"));
  EXPECT_THAT(error_of("[model]\nlikelihood = \"bernoulli\"\nvariance = 0.5\n"),
              HasSubstr("line 3] variance is not read here: the likelihood bernoulli has no variance"));
  EXPECT_THAT(error_of("[model.training]\nhidden = 64\n"), HasSubstr("prior is missing"));
  EXPECT_THAT(error_of("[model.training]\nprior = \"standard_normal\"\ncouplings = 2\n"),
              HasSubstr("couplings is not read here: the prior standard_normal has no couplings"));
  EXPECT_THAT(error_of("[model.training]\nprior = \"realnvp\"\ncouplings = 65\n"),
              HasSubstr("couplings must be a whole number from 1 to 64, got 65"));
  EXPECT_THAT(error_of("[model]\nlikelihood = \"gaussian\"\nvariance = 0.0\n"),
              HasSubstr("variance must be a number above 0 or \"learned\", got 0"));
  EXPECT_THAT(error_of("[model]\nlikelihood = \"laplace\"\nvariance = \"learned\"\n"),
              HasSubstr("variance must be a number above 0, got \"learned\""));
  EXPECT_THAT(error_of("[model]\nlatent = 2\n[model.training]\nstart = \"vae.safetensors\"\n"),
              HasSubstr("leave them out"));
  EXPECT_THAT(error_of("[model]\ncheckpoint = \"a.safetensors\"\nvae_from = \"b.safetensors\"\n"),
              HasSubstr("leave checkpoint, start, prior, likelihood and latent out"));
  EXPECT_THAT(error_of("[model]\nvae_from = \"b.safetensors\"\n[model.training]\nepochs = 3\n"),
              HasSubstr("leave [model.training] out"));
}

TEST(Plan, NamesMustBeDistinct) {
  EXPECT_THAT(error_of("[[defence]]\npreset=\"hmc\"\n[[defence]]\npreset=\"hmc\"\n"),
              HasSubstr("two defences are called 'hmc'"));
  EXPECT_THAT(error_of("[[attack]]\nradii=[0.1]\n[[attack]]\nradii=[0.2]\n"), HasSubstr("'encoder_skl' is taken"));
  EXPECT_THAT(error_of("[[attack]]\nname=\"clean\"\nradii=[0.1]\n"), HasSubstr("'clean' is taken"));
  const std::string smallest = "[[smallest]]\ngoal = 'classifier_margin'\nlargest = 0.3\n";
  EXPECT_THAT(error_of("dataset = 'synthetic'\n" + smallest + smallest), HasSubstr("are called 'classifier_margin'"));
  const std::string distortion = "[[distortion]]\ngoal = 'latent_kl'\n";
  EXPECT_THAT(error_of(distortion + distortion), HasSubstr("two tables [[distortion]] are called 'latent_kl'"));
  EXPECT_THAT(error_of("[[defence]]\npreset=\"hmc\"\nname=\"model\"\n"), HasSubstr("no defence may be called 'model'"));
}

TEST(Plan, BrokenTomlNamesTheLine) {
  EXPECT_THAT(error_of("name = \"x\"\nseed = = 3\n"), HasSubstr("plan.toml, line 2"));
}

}  // namespace
}  // namespace vaeguard::plans
