// The program from training to report on synthetic data, killed and interrupted on the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "tests/cli/program.h"
#include "tests/tiny_plan.h"
#include "vaeguard/base/file.h"
#include "vaeguard/base/npz.h"

namespace vaeguard::cli {
namespace {

constexpr std::string_view kScenarios = R"(
[[attack]]
goal = "encoder_skl"
radii = [0.1, 0.2]
restarts = 2
[[attack]]
goal = "classifier_ce"
optimiser = "published"
radii = [0.1]
[[defence]]
preset = "none"
[[defence]]
preset = "hmc"
warmup = 5
transitions = 10
leapfrog_steps = 5
)";

class ProgramEndToEnd : public testing::Test {
 protected:
  ProgramEndToEnd() : folder_(fresh_folder()), plan_(folder_ / "tiny.toml") {
    std::ofstream(plan_) << tiny_plan(kScenarios);
  }

  std::vector<std::string> run_words(const std::string& out) const {
    return {"run", plan_.string(), "--out", path(out)};
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::vector<std::string> records(const std::string& out) const { return records_but_seconds(folder_ / out); }

  std::filesystem::path folder_;
  std::filesystem::path plan_;
};

TEST_F(ProgramEndToEnd, RunWritesAReportAndKillingItAnywhereChangesNoRecord) {
  const auto begin = std::chrono::steady_clock::now();
  const Ended whole = run(folder_, run_words("whole"));
  const auto duration = std::chrono::steady_clock::now() - begin;
  ASSERT_EQ(whole.code, 0) << whole.errors;
  EXPECT_THAT(whole.output, testing::HasSubstr("report.html"));
  EXPECT_THAT(whole.errors, testing::Not(testing::HasSubstr("\r"))) << "progress bars belong on terminals only";
  const std::string page = content(folder_ / "whole" / "report.html");
  EXPECT_THAT(page, testing::AllOf(testing::HasSubstr("encoder_skl"), testing::HasSubstr("</html>")));
  EXPECT_THAT(content(folder_ / "whole" / "environment.json"),
              testing::AllOf(testing::HasSubstr("\"backend native\""), testing::Not(testing::HasSubstr("torch"))))
      << "libtorch was not used";

  // Kill at five moments spread over the run, then let it finish.
  for (int i = 1; i <= 5; ++i) {
    const pid_t child = start(folder_, run_words("killed"));
    std::this_thread::sleep_for(duration * i / 8);
    kill(child, SIGKILL);
    wait_for(folder_, child);
  }
  const Ended resumed = run(folder_, run_words("killed"));
  ASSERT_EQ(resumed.code, 0) << resumed.errors;
  EXPECT_EQ(records("killed"), records("whole"));
}

TEST_F(ProgramEndToEnd, TheReportDrawsItsChartsInABrowserWithoutErrors) {
  const char* home = std::getenv("HOME");
  const char* assets = std::getenv("VAEGUARD_ASSETS");
  const auto scripts = assets != nullptr
                           ? std::filesystem::path(assets)
                           : std::filesystem::path(home == nullptr ? "" : home) / ".cache/vaeguard/assets";
  if (!exists(scripts / "vega.min.js") || !std::filesystem::exists("/usr/bin/chromium")) {
    GTEST_SKIP() << "needs Chromium and the charting scripts (tools/get-data)";
  }
  ASSERT_EQ(run(folder_, run_words("page")).code, 0);
  const std::string command =
      "/usr/bin/chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
      "--disable-background-networking --disable-component-update --disable-sync --user-data-dir='" +
      path("profile") + "' --virtual-time-budget=20000 --enable-logging=stderr --dump-dom 'file://" +
      path("page/report.html") + "' > '" + path("dom") + "' 2> '" + path("console") + "'";
  ASSERT_EQ(std::system(command.c_str()), 0) << content(folder_ / "console");
  const std::string dom = content(folder_ / "dom");
  std::size_t charts = 0;
  for (auto at = dom.find("class=\"marks\""); at != std::string::npos; at = dom.find("class=\"marks\"", at + 1)) {
    ++charts;
  }
  // Three scenarios with a histogram of posterior ratios each, and at least one curve.
  EXPECT_GE(charts, 4U);
  EXPECT_THAT(content(folder_ / "console"), testing::Not(testing::HasSubstr("Uncaught")));
}

TEST_F(ProgramEndToEnd, CtrlCStopsCleanlyWith130AndTheSameCommandGoesOn) {
  const pid_t child = start(folder_, run_words("interrupted"));
  while (!exists(folder_ / "interrupted" / "plan.toml")) {  // by then it listens; ctest's time limit bounds the wait
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  kill(child, SIGINT);
  const Ended ended = wait_for(folder_, child);
  EXPECT_EQ(ended.code, 130) << ended.errors;
  EXPECT_THAT(ended.errors, testing::HasSubstr("continues from there"));
  EXPECT_EQ(run(folder_, run_words("interrupted")).code, 0);
}

TEST_F(ProgramEndToEnd, TrainAttackDefendWorkFileByFile) {
  const std::string shapes = path("shapes.toml");
  write_file_atomically(shapes, "[dataset]\nlayout = \"synthetic\"\ntrain = 300\nvalidation = 50\ntest = 100\n");
  const Ended train = run(folder_, {"train", "--dataset", shapes, "--epochs", "1", "--out", path("vae.safetensors")});
  ASSERT_EQ(train.code, 0) << train.errors;
  const Ended attack = run(folder_, {"attack", path("vae.safetensors"), "--dataset", shapes, "--radius", "0.1",
                                     "--references", "10", "--restarts", "2", "--out", path("attacked.npz")});
  ASSERT_EQ(attack.code, 0) << attack.errors;
  const Ended defend = run(folder_, {"defend", path("vae.safetensors"), path("attacked.npz"), "--defence", "hmc",
                                     "--out", path("defended.npz")});
  ASSERT_EQ(defend.code, 0) << defend.errors;
  const auto attacked = read_npz(path("attacked.npz"));
  const auto defended = read_npz(path("defended.npz"));
  EXPECT_EQ(attacked.at("x_adv").shape, (std::vector<std::int64_t>{20, 1, 28, 28}));
  EXPECT_EQ(defended.at("z_defended").shape, (std::vector<std::int64_t>{20, 64}));
  const Ended masked =
      run(folder_, {"attack", path("vae.safetensors"), "--dataset", shapes, "--set", "mask=unsaturated", "--set",
                    "mask_margin=0.1", "--references", "5", "--out", path("masked.npz")});
  ASSERT_EQ(masked.code, 0) << masked.errors;
  EXPECT_THAT(masked.output, testing::HasSubstr("encoder_skl_unsaturated of 5 references"));
  const auto spared = read_npz(path("masked.npz"));
  const std::vector<float> before = *find_values<float>(spared, "x_ref");
  const std::vector<float> after = *find_values<float>(spared, "x_adv");
  EXPECT_NE(before, after);
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE((before[i] > 0.1F && before[i] < 0.9F) || after[i] == before[i]) << "pixel " << i;
  }
  EXPECT_EQ(defended.at("z_variance").shape, (std::vector<std::int64_t>{20, 64}));
  EXPECT_EQ(defended.at("rec_defended").shape, (std::vector<std::int64_t>{20, 1, 28, 28}));
}

TEST_F(ProgramEndToEnd, ResultsDoNotDependOnTheNumberOfThreads) {
  auto one = run_words("one");
  one.insert(one.end(), {"--threads", "1"});
  auto two = run_words("two");
  two.insert(two.end(), {"--threads", "2"});
  ASSERT_EQ(run(folder_, one).code, 0);
  ASSERT_EQ(run(folder_, two).code, 0);
  EXPECT_EQ(records("one"), records("two"));
}

}  // namespace
}  // namespace vaeguard::cli
