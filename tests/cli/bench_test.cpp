// What `vaeguard bench hmc` promises to those who read its object, and what it refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"

namespace vaeguard::cli {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

constexpr std::string_view kPeer = R"(
import argparse, json
parser = argparse.ArgumentParser()
for name in ("threads", "batch", "channels", "seconds"):
    parser.add_argument("--" + name, required=True)
options = parser.parse_args()
assert options.batch == "10" and options.threads == "2" and options.channels == "1"
print(json.dumps({"peer": "a constant", "threads": 2, "grads_per_second": {"10": 100.0}}))
)";

Ended bench(const std::vector<std::string>& options) {
  std::vector<std::string> words{"bench", "hmc", "--seconds", "0.05", "--quiet"};
  words.insert(words.end(), options.begin(), options.end());
  return run(fresh_folder(), words);
}

Json measured(const std::vector<std::string>& options) {
  std::vector<std::string> words = options;
  words.emplace_back("--json");
  const Ended ended = bench(words);
  EXPECT_EQ(ended.code, 0) << ended.errors;
  return Json::parse(ended.output);
}

// A script in a folder whose name needs quotes for the shell.
std::string script(std::string_view text) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "the peer's folder";
  create_directories(folder);
  const auto file = folder / (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + ".py");
  std::ofstream(file) << text;
  return file.string();
}

// The value of each (backend, precision) under a key.
std::vector<Json> cases(const Json& by_backend) {
  std::vector<Json> result;
  for (const auto& by_precision : by_backend) {
    result.insert(result.end(), by_precision.begin(), by_precision.end());
  }
  return result;
}

TEST(Bench, SpeedsOfEveryBatchAndNumberOfThreadsArePositive) {
  const Json result = measured({"--backends", "auto", "--batch", "3,1", "--threads-list", "1,2"});
  const auto speeds = cases(result["grads_per_second"]);
  ASSERT_FALSE(speeds.empty());
  for (const Json& by_threads : speeds) {
    for (const char* threads : {"1", "2"}) {
      for (const char* batch : {"1", "3"}) {
        const Json& speed = by_threads.at(threads).at(batch);
        EXPECT_GT(speed["least"].get<double>(), 0.0);
        EXPECT_LE(speed["least"], speed["median"]);
        EXPECT_LE(speed["median"], speed["most"]);
        // A step of 0.05 follows a posterior of unit scale closely; a broken energy or gradient would be rejected.
        EXPECT_GT(speed["acceptance"].get<double>(), 0.5);
      }
    }
  }
}

TEST(Bench, EveryBackendButTheReferenceIsMeasured) {
  const Json result = measured({"--batch", "3", "--threads-list", "1"});
  std::size_t expected = 0;
  for (const auto& [name, value] : result["machine"].items()) {
    expected += name.starts_with("backend ") && name != "backend reference" ? 1 : 0;
  }
  EXPECT_EQ(result["grads_per_second"].size(), expected);
  EXPECT_EQ(result["peak_rss_mb_by_backend"].size(), expected);
  EXPECT_FALSE(result["grads_per_second"].contains("reference"));
}

TEST(Bench, SpeedsStandBesideThePeakTheMemoryAndTheMachine) {
  const Json result = measured({"--backends", "auto", "--batch", "1,3"});
  EXPECT_GT(result["fma_peak_gflops"]["one_thread"].get<double>(), 0.0);
  EXPECT_GT(result["fma_peak_gflops"]["all_threads"].get<double>(), 0.0);
  EXPECT_GT(result["peak_rss_mb"].get<double>(), 0.0);
  for (const char* key : {"processor", "compiler", "vaeguard", "instruction_sets"}) {
    EXPECT_TRUE(result["machine"].contains(key)) << key;
  }
  // The work of the defining loops, padding included, and less without it.
  EXPECT_EQ(result["multiply_adds"]["nominal"], 7'254'016);
  EXPECT_LT(result["multiply_adds"]["done"], result["multiply_adds"]["nominal"]);
  EXPECT_EQ(result["fraction_of_peak_fp32"].size() + result["fraction_of_peak_mixed"].size(),
            cases(result["grads_per_second"]).size());
  for (const Json& fraction : result["fraction_of_peak_fp32"]) {
    EXPECT_EQ(fraction["batch"], 3);
    EXPECT_GT(fraction["done"].get<double>(), 0.0);
    EXPECT_LT(fraction["done"], fraction["nominal"]);
  }
  // Nothing to compare with: ratios are there and empty.
  for (const char* key : {"ratio_to_eager_batch10", "ratio_to_eager_batch500", "ratio_batch10_to_eager_batch10"}) {
    EXPECT_EQ(result.at(key), Json::object()) << key;
  }
}

TEST(Bench, RatiosDivideOurMedianByThePeers) {
  const std::string peer = script(kPeer);
  const Json result = measured({"--backends", "auto", "--batch", "1,10", "--threads-list", "2", "--peer", peer});
  const auto ratios = cases(result["ratio_batch10_to_eager_batch10"]);
  const auto speeds = cases(result["grads_per_second"]);
  ASSERT_EQ(ratios.size(), speeds.size());
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    EXPECT_DOUBLE_EQ(ratios[i].get<double>(), speeds[i]["2"]["10"]["median"].get<double>() / 100.0);
  }
  EXPECT_EQ(result["eager"]["peer"], "a constant");
  EXPECT_EQ(result["ratio_to_eager_batch500"], Json::object()) << "neither side ran 500 chains";
}

TEST(Bench, PeopleGetATableAndProgramsTheSameRunAsAFile) {
  const auto file = fresh_folder().parent_path() / "bench-out.json";
  const Ended ended =
      bench({"--backends", "auto", "--model", "colour", "--batch", "2", "--threads-list", "1", "--out", file.string()});
  ASSERT_EQ(ended.code, 0) << ended.errors;
  const Json result = Json::parse(content(file));
  for (const auto& [backend, speeds] : result["grads_per_second"].items()) {
    EXPECT_THAT(ended.output, HasSubstr("\n" + backend + " "));
  }
  EXPECT_THAT(ended.output, HasSubstr("of the peak in fp32, 2 chains, threads: 1"));
  // Two more channels in the last layer: 32 x 4 x 4 multiply-adds at each of 14 x 14 inputs.
  EXPECT_EQ(result["multiply_adds"]["nominal"], 7'254'016 + 2 * 32 * 16 * 14 * 14);
}

TEST(Bench, ACheckpointIsMeasuredAsItIs) {
  const std::string file = std::string(VAEGUARD_SOURCE_DIR) + "/zoo/mnist_vae_2d.safetensors";
  const Json result = measured({"--model", file, "--batch", "3", "--threads-list", "1", "--backends", "auto"});
  EXPECT_EQ(result["model"], file);
  // 62 latents fewer, each of which 128 x 3 x 3 weights spread.
  EXPECT_EQ(result["multiply_adds"]["nominal"], 7'254'016 - 62 * 128 * 9);
  for (const Json& by_threads : cases(result["grads_per_second"])) {
    EXPECT_GT(by_threads.at("1").at("3")["median"].get<double>(), 0.0);
  }
  // The peers formulate other models.
  const Ended beside = bench({"--model", file, "--batch", "10", "--peer", script(kPeer)});
  EXPECT_EQ(beside.code, 2) << beside.errors;
  EXPECT_THAT(beside.errors, HasSubstr("mnist_vae_2d.safetensors"));
}

TEST(Bench, TrainingTellsPeopleItsImagesASecond) {
  const Ended ended = run(fresh_folder(), {"bench", "train", "--seconds", "0.01"});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_THAT(ended.output, HasSubstr("images_per_second "));
}

TEST(Bench, AttacksTellPeopleTheirImagesASecond) {
  const Ended ended = run(fresh_folder(), {"bench", "attack", "--seconds", "0.01", "--json"});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  const auto result = nlohmann::json::parse(ended.output);
  EXPECT_EQ(result["steps"], 50);
  EXPECT_EQ(result["batch"], 500);
  EXPECT_GT(result["attacked_images_per_second"], 0.0);
}

TEST(Bench, BadListsAndUnknownBackendsAreOneClearError) {
  const std::vector<std::vector<std::string>> wrong{{"--batch", "1,x"},      {"--model", "abacus"},
                                                    {"--threads-list", "0"}, {"--backends", "abacus"},
                                                    {"--peer", "abacus.py"}, {"--batch", "1", "--peer", script(kPeer)}};
  for (const auto& options : wrong) {
    const Ended ended = bench(options);
    EXPECT_EQ(ended.code, 2) << ended.errors;
    EXPECT_EQ(std::ranges::count(ended.errors, '\n'), 1) << ended.errors;
    EXPECT_EQ(ended.output, "");
    EXPECT_THAT(ended.errors, testing::AnyOf(HasSubstr("abacus"), HasSubstr(options.front())));
  }
}

TEST(Bench, APeerThatFailsIsAFailureThatShowsWhatItPrinted) {
  const Ended ended =
      bench({"--backends", "auto", "--batch", "10", "--threads-list", "1", "--peer", script("print('no torch here')")});
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.errors, HasSubstr("no torch here"));
}

}  // namespace
}  // namespace vaeguard::cli
