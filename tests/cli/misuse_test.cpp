// What a user meets who mistypes, forgets or brings the wrong file: one clear line and exit code 2.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/cli/program.h"

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

TEST(CommandLine, EveryVerbHasHelpWithAnExample) {
  for (const auto* verb : {"run", "train", "attack", "defend", "report", "export", "list", "doctor", "bench"}) {
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

TEST(CommandLine, DamagedFilesAreOneClearError) {
  const auto folder = fresh_folder();
  const auto file = folder / "broken.safetensors";
  std::ofstream(file) << "not a checkpoint";
  EXPECT_THAT(misuse({"export", file.string()}).errors, HasSubstr("broken.safetensors"));
}

TEST(CommandLine, DoctorAndListSucceedWithoutData) {
  const auto folder = fresh_folder();
  const Ended doctor = run(folder, {"doctor", "--data", (folder / "none").string()});
  EXPECT_EQ(doctor.code, 0);
  EXPECT_THAT(doctor.output, HasSubstr("tools/get-data"));
  EXPECT_THAT(run(folder, {"list"}).output, testing::AllOf(HasSubstr("encoder_skl"), HasSubstr("hmc_published")));
}

TEST(CommandLine, AForcedBackendThatDoesNotExistIsRefused) {
  EXPECT_THAT(misuse({"--backend", "abacus", "bench", "hmc", "--seconds", "0.1"}).errors, HasSubstr("abacus"));
}

}  // namespace
}  // namespace vaeguard::cli
