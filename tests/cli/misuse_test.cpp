// What a user meets who mistypes, forgets or brings the wrong file: one clear line and exit code 2.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/cli/program.h"
#include "vaeguard/base/npz.h"

namespace vaeguard::cli {
namespace {

using testing::HasSubstr;

Ended misuse(const std::vector<std::string>& arguments) {
  const Ended ended = run(fresh_folder(), arguments);
  EXPECT_EQ(ended.code, 2) << ended.errors;
  EXPECT_THAT(ended.errors, testing::StartsWith("vaeguard: "));
  EXPECT_EQ(std::ranges::count(ended.errors, '\n'), 1) << ended.errors;
  return ended;
}

/// An environment variable for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, /*overwrite=*/1); }
  ~Variable() { unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

TEST(CommandLine, EveryVerbHasHelpWithAnExample) {
  for (const auto* verb :
       {"run", "train", "attack", "defend", "report", "import", "export", "list", "doctor", "bench"}) {
    const Ended ended = run(fresh_folder(), {verb, "--help"});
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.output, HasSubstr(std::string("Example: vaeguard ") + verb));
  }
}

TEST(CommandLine, MistypedWordsNameTheNearestKnownOne) {
  EXPECT_THAT(misuse({"rnu"}).errors, HasSubstr("did you mean 'run'"));
  EXPECT_THAT(misuse({"run", "--ot", "x", "plan.toml"}).errors, HasSubstr("did you mean '--out'"));
  EXPECT_THAT(misuse({"train", "--dataset", "mnits"}).errors, HasSubstr("did you mean 'mnist'"));
}

TEST(CommandLine, WrongNumbersAreToldWhatTheyShouldBe) {
  EXPECT_THAT(misuse({"doctor", "--seed", "x"}).errors,
              HasSubstr("--seed: must be a whole number of at least 0, got 'x'"));
  // Larger than any seed, and not the largest one instead.
  EXPECT_THAT(misuse({"doctor", "--seed", "99999999999999999999"}).errors, HasSubstr("got '99999999999999999999'"));
  EXPECT_THAT(misuse({"doctor", "--threads", "5000"}).errors, HasSubstr("must be a whole number from 0 to 4096"));
  EXPECT_THAT(misuse({"attack", "model", "--radius", "x"}).errors,
              HasSubstr("--radius: must be a number of at least 0, got 'x'"));
  EXPECT_THAT(misuse({"attack", "model", "--set", "decoy=noise"}).errors,
              HasSubstr("[vaeguard attack] decoy = \"noise\" is for pixels that a mask holds"));
  EXPECT_THAT(misuse({"attack", "model", "--references", "0"}).errors,
              HasSubstr("a whole number of at least 1, got '0'"));
  EXPECT_THAT(misuse({"bench", "hmc", "--seconds", "-1"}).errors, HasSubstr("a number above 0, got '-1'"));
  // Not the preset's number of epochs instead.
  for (const auto* option : {"--epochs", "--batch", "--learning-rate", "--latent"}) {
    EXPECT_THAT(misuse({"train", option, "-1"}).errors, HasSubstr("got '-1'"));
  }
}

TEST(CommandLine, ImagesOfBytesAreRefused) {
  const auto folder = fresh_folder();
  const auto images = (folder / "images.npz").string();
  write_npz(images, {{"x_adv", {{1, 28, 28}, std::vector<float>(784, 255.0F)}}});
  const Ended ended = run(
      folder, {"defend", std::string(VAEGUARD_SOURCE_DIR) + "/zoo/mnist_vae.safetensors", images, "--defence", "hmc"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.errors, HasSubstr("pixels must be from 0 to 1, got 255 in image 0"));
}

TEST(CommandLine, ImagesOfAnotherShapeAreRefusedThoughTheyHaveAsManyPixels) {
  const auto folder = fresh_folder();
  const auto images = (folder / "images.npz").string();
  write_npz(images, {{"x_adv", {{1, 1, 14, 56}, std::vector<float>(784, 0.5F)}}});
  const Ended ended = run(
      folder, {"defend", std::string(VAEGUARD_SOURCE_DIR) + "/zoo/mnist_vae.safetensors", images, "--defence", "hmc"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.errors, HasSubstr("images [any, 1, 28, 28] or flat [any, 784], got [1, 1, 14, 56]"));
}

TEST(CommandLine, MissingThingsAreNamed) {
  EXPECT_THAT(misuse({"run"}).errors, HasSubstr("plan"));
  EXPECT_THAT(misuse({"run", "no-such-plan.toml"}).errors, HasSubstr("no-such-plan.toml"));
  EXPECT_THAT(misuse({"report", "/nonexistent"}).errors, HasSubstr("must be the folder of a run"));
  EXPECT_THAT(misuse({"export", "no-such.safetensors"}).errors, HasSubstr("no-such.safetensors"));
}

TEST(CommandLine, MissingDataNamesTheCommandThatGetsIt) {
  const auto folder = fresh_folder();
  const Ended ended = misuse({"train", "--data", (folder / "none").string()});
  EXPECT_THAT(ended.errors, HasSubstr("tools/get-data"));
}

TEST(CommandLine, TrainingRefusesOptionsOfOtherLikelihoodsAndPriors) {
  EXPECT_THAT(misuse({"train", "--variance", "0.5"}).errors, HasSubstr("--variance requires --likelihood"));
  EXPECT_THAT(
      misuse({"train", "--likelihood", "bernoulli", "--variance", "0.5"}).errors,
      HasSubstr("[vaeguard train, --variance] variance is not read here: the likelihood bernoulli has no variance"));
  EXPECT_THAT(misuse({"train", "--likelihood", "gaussian", "--variance", "0"}).errors,
              HasSubstr("variance must be a number above 0 or \"learned\", got 0"));
  EXPECT_THAT(misuse({"train", "--prior", "realnpv"}).errors, HasSubstr("did you mean 'realnvp'?"));
  EXPECT_THAT(misuse({"train", "--prior", "standard_normal", "--hidden", "4"}).errors,
              HasSubstr("the prior standard_normal has no hidden"));
}

TEST(CommandLine, DamagedFilesAreOneClearError) {
  const auto folder = fresh_folder();
  const auto file = folder / "broken.safetensors";
  std::ofstream(file) << "not a checkpoint";
  EXPECT_THAT(misuse({"export", file.string()}).errors, HasSubstr("broken.safetensors"));
}

TEST(CommandLine, ListShowsOneThingWithItsOptions) {
  const auto folder = fresh_folder();
  EXPECT_THAT(
      run(folder, {"list", "hmc"}).output,
      testing::AllOf(HasSubstr("Samples the posterior"), HasSubstr("Caution: "), HasSubstr("leapfrog_steps = 12\n"),
                     HasSubstr("a whole number of at least 1"), HasSubstr("\"encoder\"")));
  EXPECT_THAT(run(folder, {"list", "apgd"}).output, HasSubstr("rho = 0.75"));
  EXPECT_THAT(run(folder, {"list", "mask"}).output, HasSubstr("unsaturated"));
  EXPECT_THAT(run(folder, {"list", "avae"}).output, HasSubstr("correlation = 0.975"));
  EXPECT_THAT(run(folder, {"list", "median"}).output,
              testing::AllOf(HasSubstr("of defences"), HasSubstr("of transforms"), HasSubstr("window")));
  EXPECT_THAT(run(folder, {"list", "gradients"}).output,
              testing::AllOf(HasSubstr("of columns of measurements.csv"), HasSubstr("its cost on any machine")));
  EXPECT_THAT(run(folder, {"list", "gaussian"}).output,
              testing::AllOf(HasSubstr("of likelihoods"), HasSubstr("variance = 1.0\n"),
                             HasSubstr("of observation models"), HasSubstr("scale = 0.4\n")));
  EXPECT_THAT(run(folder, {"list", "clamped_bernoulli"}).output, HasSubstr("Caution: For published runs alone"));
  EXPECT_THAT(run(folder, {"list", "realnvp"}).output,
              testing::AllOf(HasSubstr("of priors"), HasSubstr("couplings = 4\n"), HasSubstr("bound = 2.0\n")));
  EXPECT_THAT(run(folder, {"list", "channel"}).output,
              testing::AllOf(HasSubstr("of observation models"), HasSubstr("radius = ")));
  EXPECT_THAT(run(folder, {"list", "softmax"}).output, HasSubstr("of network operations"));
  EXPECT_THAT(run(folder, {"list", "l1"}).output, HasSubstr("of norms"));
  EXPECT_THAT(misuse({"list", "hcm"}).errors,
              testing::AllOf(HasSubstr("unknown name 'hcm', did you mean 'hmc'? `vaeguard list` shows all "),
                             testing::Not(HasSubstr("Known:"))));
}

TEST(CommandLine, DoctorAndListSucceedWithoutData) {
  const auto folder = fresh_folder();
  const Ended doctor = run(folder, {"doctor", "--data", (folder / "none").string()});
  EXPECT_EQ(doctor.code, 0);
  EXPECT_THAT(doctor.output, HasSubstr("tools/get-data"));
  EXPECT_THAT(run(folder, {"list"}).output,
              testing::AllOf(HasSubstr("encoder_skl"), HasSubstr("hmc_published"),
                             HasSubstr("with several modes. At most 556 gradients per image.")));
}

#ifndef __SANITIZE_ADDRESS__
// libtorch alone would be 0.3 s and 130 MB.
TEST(CommandLine, WhatNeedsNoLibtorchDoesNotWaitForIt) {
  const auto folder = fresh_folder();
  const Ended listed = run(folder, {"list"});
  EXPECT_LT(listed.processor_seconds, 0.15);
  EXPECT_LT(listed.peak_megabytes, 40.0);
  const auto images = (folder / "images.npz").string();
  write_npz(images, {{"x_adv", {{1, 1, 28, 28}, std::vector<float>(784, 0.25F)}}});
  const Ended defended = run(folder, {"defend", std::string(VAEGUARD_SOURCE_DIR) + "/zoo/mnist_vae.safetensors", images,
                                      "--defence", "repair", "--threads", "1", "--out", (folder / "out.npz").string()});
  EXPECT_EQ(defended.code, 0) << defended.errors;
  EXPECT_LT(defended.processor_seconds, 0.4);
  EXPECT_LT(defended.peak_megabytes, 120.0);
}
#endif

TEST(CommandLine, AForcedBackendThatDoesNotExistIsRefused) {
  EXPECT_THAT(misuse({"--backend", "abacus", "bench", "hmc", "--seconds", "0.1"}).errors, HasSubstr("abacus"));
}

TEST(CommandLine, AnUnknownPrecisionIsRefusedWhereverItComesFrom) {
  EXPECT_THAT(misuse({"--precision", "half", "doctor"}).errors, HasSubstr("half"));
  const Variable variable("VAEGUARD_PRECISION", "quarter");
  EXPECT_THAT(misuse({"doctor"}).errors, HasSubstr("quarter"));
}

TEST(CommandLine, DoctorTellsWhichPrecisionRunsAndWhy) {
  const auto folder = fresh_folder();
  const auto doctor = [&](const std::vector<std::string>& options) {
    std::vector<std::string> arguments{"doctor", "--data", (folder / "none").string()};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return run(folder, arguments).output;
  };
  {
    const Variable emulated("VAEGUARD_BF16", "emulated");
    EXPECT_THAT(doctor({}), HasSubstr("fp32; mixed is possible: --precision mixed"));
    EXPECT_THAT(doctor({"--precision", "mixed"}), HasSubstr("mixed: leapfrog gradients in bfloat16"));
    const Variable asked("VAEGUARD_PRECISION", "mixed");
    EXPECT_THAT(doctor({}), HasSubstr("mixed: leapfrog gradients in bfloat16"));
  }
  const Variable plain("VAEGUARD_ISA", "generic");
  EXPECT_THAT(doctor({}), HasSubstr("fp32; mixed is not possible: "));
  EXPECT_THAT(doctor({"--precision", "mixed"}), HasSubstr("fp32; mixed is not possible, though asked for: "));
}

TEST(CommandLine, MixedPrecisionThatIsNotPossibleIsOneWarningAndRunsInFloat) {
  const auto folder = fresh_folder();
  const auto images = (folder / "images.npz").string();
  write_npz(images, {{"x_adv", {{1, 784}, std::vector<float>(784, 0.25F)}}});
  const auto model = std::string(VAEGUARD_SOURCE_DIR) + "/zoo/mnist_vae.safetensors";
  const auto codes = [&](const std::vector<std::string>& options, std::string& errors) {
    const auto out = (folder / "out.npz").string();
    std::vector<std::string> arguments{"defend", model, images, "--defence", "hmc", "--out", out};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Ended ended = run(folder, arguments);
    EXPECT_EQ(ended.code, 0) << ended.errors;
    errors = ended.errors;
    return std::get<std::vector<float>>(read_npz(out).at("z_defended").values);
  };
  const Variable set("VAEGUARD_ISA", "generic");
  std::string errors;
  const auto plain = codes({}, errors);
  EXPECT_THAT(errors, testing::Not(HasSubstr("precision")));
  EXPECT_EQ(codes({"--precision", "mixed"}, errors), plain);
  EXPECT_THAT(errors, HasSubstr("warning: precision mixed is not possible, fp32 runs: "));
  const Variable emulated("VAEGUARD_BF16", "emulated");
  EXPECT_NE(codes({"--precision", "mixed"}, errors), plain);
  EXPECT_THAT(errors, testing::Not(HasSubstr("precision")));
}

}  // namespace
}  // namespace vaeguard::cli
