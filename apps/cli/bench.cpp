// vaeguard bench: speed of whole HMC transitions, checked against the reference before it is told, training, attacks.
#include <fmt/format.h>

#include <algorithm>

#include "apps/cli/bench_attack.h"
#include "apps/cli/bench_cell.h"
#include "apps/cli/bench_hmc.h"
#include "apps/cli/bench_train.h"
#include "apps/cli/numbers.h"
#include "apps/cli/verbs.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"

namespace vaeguard::cli {
namespace {

using Json = nlohmann::ordered_json;

struct BenchOptions {
  std::string what;
  bool json = false;
  std::string out;
  HmcBenchOptions hmc{.batches = {1, 10, 64, 500, 5000}};
};

template <typename Number>
void sort_unique(std::vector<Number>& values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

Json measure_hmc(const Common& common, HmcBenchOptions options) {
  options.all_threads = common.thread_count();
  if (options.threads.empty()) {
    options.threads = {1, options.all_threads};
  }
  if (options.backends.empty() && common.backend != "auto") {
    options.backends = {common.backend};
  }
  sort_unique(options.threads);
  sort_unique(options.batches);
  return bench_hmc(options, *common.observer);
}

// The few figures of the others, one per line.
std::string flat_text(const Json& result) {
  std::string text;
  for (const auto& [key, value] : result.items()) {
    text += fmt::format("{:<40} {}\n", key, value.dump());
  }
  return text;
}

void bench(const Common& common, const BenchOptions& options) {
  const bool hmc = options.what == "hmc";
  const auto measure = options.what == "train" ? bench_train : options.what == "cell" ? bench_cell : bench_attack;
  const Json result =
      hmc ? measure_hmc(common, options.hmc) : measure(common.thread_count(), options.hmc.seconds, options.hmc.peer);
  if (!options.out.empty()) {
    write_file_atomically(options.out, result.dump(2) + "\n");
  }
  fmt::print("{}", options.json ? result.dump(2) + "\n" : hmc ? hmc_text(result) : flat_text(result));
}

}  // namespace

void add_bench(CLI::App& program, Common& common) {
  auto* app = program.add_subcommand(
      "bench",
      "Measure speed: hmc (whole transitions), train or attack (images per second), cell (one inverted residual)");
  auto options = std::make_shared<BenchOptions>();
  HmcBenchOptions& hmc = options->hmc;
  app->add_option("what", options->what, "hmc, train, attack or cell")
      ->required()
      ->check(CLI::IsMember({"hmc", "train", "attack", "cell"}));
  app->add_flag("--json", options->json, "Print one JSON object");
  app->add_option("--out", options->out, "File that takes the JSON object besides what is printed");
  app->add_option("--seconds", hmc.seconds, "How long to measure each figure")
      ->capture_default_str()
      ->check(positive_number());
  app->add_option("--peer", hmc.peer, "Python script to measure beside, see benchmarks/README.md")
      ->check(CLI::ExistingFile);
  app->add_option("--model", hmc.model, "hmc: mnist, colour with three channels, or a checkpoint (safetensors)")
      ->capture_default_str()
      ->check(CLI::IsMember({"mnist", "colour"}) | CLI::ExistingFile);
  app->add_option("--batch", hmc.batches, "hmc: chains side by side, e.g. 1,10,500")
      ->capture_default_str()
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(whole_number(1, 1'000'000));
  app->add_option("--threads-list", hmc.threads, "hmc: numbers of threads, e.g. 1,2 (default: 1 and all)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(whole_number(1, 4096));
  app->add_option("--backends", hmc.backends, "hmc: network backends (default: --backend, else all but the reference)")
      ->delimiter(',')
      ->allow_extra_args(false);
  app->footer("Example: vaeguard bench hmc --peer benchmarks/peers/hmc_eager.py");
  app->callback([options, &common] { bench(common, *options); });
}

}  // namespace vaeguard::cli
