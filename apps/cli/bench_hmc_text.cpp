// The HMC benchmark's object as aligned lines.
#include <fmt/format.h>

#include "apps/cli/bench_hmc.h"

namespace vaeguard::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string speed_line(std::string_view who, std::string_view precision, std::string_view threads,
                       std::string_view chains, const Json& speed) {
  return fmt::format("{:<12} {:<9} {:>7} {:>7} {:>12.1f} {:>12.1f} {:>12.1f}\n", who, precision, threads, chains,
                     speed["median"].get<double>(), speed["least"].get<double>(), speed["most"].get<double>());
}

std::string speed_lines(const Json& result) {
  std::string text = fmt::format("{:<12} {:<9} {:>7} {:>7} {:>12} {:>12} {:>12}\n", "backend", "precision", "threads",
                                 "chains", "median", "least", "most");
  for (const auto& [backend, precisions] : result["grads_per_second"].items()) {
    for (const auto& [precision, by_threads] : precisions.items()) {
      for (const auto& [threads, by_batch] : by_threads.items()) {
        for (const auto& [batch, speed] : by_batch.items()) {
          text += speed_line(backend, precision, threads, batch, speed);
        }
      }
    }
  }
  const Json& eager = result["eager"];
  const Json medians = eager.value("grads_per_second", Json::object());
  for (const auto& [batch, median] : medians.items()) {
    // The faster variant's spread, if the script reports it.
    const std::string variant = eager.value("faster", Json::object()).value(batch, "");
    const Json only{{"median", median}, {"least", median}, {"most", median}};
    text += speed_line("eager", "fp32", std::to_string(eager.value("threads", 0)), batch,
                       variant.empty() ? only : eager["variants"][batch][variant]);
  }
  return text;
}

// One line for each backend and precision under `key`.
std::string ratio_lines(const Json& result, const char* key, std::string_view explanation) {
  std::string text;
  for (const auto& [backend, precisions] : result[key].items()) {
    for (const auto& [precision, ratio] : precisions.items()) {
      text += fmt::format("{:<12} {:<9} {:>8.1f}  {}\n", backend, precision, ratio.get<double>(), explanation);
    }
  }
  return text;
}

std::string fraction_lines(const Json& result) {
  std::string text;
  for (const std::string precision : {"fp32", "mixed"}) {
    for (const auto& [backend, fraction] : result["fraction_of_peak_" + precision].items()) {
      const std::string at = fmt::format("of the peak in fp32, {} chains, threads: {}",
                                         fraction["batch"].get<std::int64_t>(), fraction["threads"].get<int>());
      text += fmt::format("{:<12} {:<9} {:>8.3f}  {}, counting the layers' plain formula\n", backend, precision,
                          fraction["nominal"].get<double>(), at);
      text += fmt::format("{:<12} {:<9} {:>8.3f}  {}, counting no multiply-add that meets padding\n", backend,
                          precision, fraction["done"].get<double>(), at);
    }
  }
  return text;
}

std::string machine_lines(const Json& result) {
  const Json& peak = result["fma_peak_gflops"];
  std::string text = fmt::format("{:<22} {:.1f} GFLOP/s on one thread, {:.1f} on {} ({})\n", "multiply-add peak",
                                 peak["one_thread"].get<double>(), peak["all_threads"].get<double>(),
                                 peak["threads"].get<int>(), peak["vectors"].get<std::string>());
  for (const auto& sample : peak["samples"]) {
    text += fmt::format("{:<22} {:.1f} GFLOP/s, threads: {}\n", "  " + sample["when"].get<std::string>(),
                        sample["gflops"].get<double>(), sample["threads"].get<int>());
  }
  for (const auto& [backend, memory] : result["peak_rss_mb_by_backend"].items()) {
    text += fmt::format("{:<22} {:.0f} MiB resident at most\n", "memory, " + backend, memory.get<double>());
  }
  for (const auto& [name, value] : result["machine"].items()) {
    text += fmt::format("{:<22} {}\n", name, value.get<std::string>());
  }
  return text;
}

}  // namespace

std::string hmc_text(const Json& result) {
  const Json& work = result["multiply_adds"];
  std::string text = fmt::format(
      "Gradients a second of whole HMC transitions of {} leapfrog steps, model {}: {} multiply-adds forward by the "
      "plain "
      "formula, {} without padding.\n\n{}",
      result["leapfrog_steps"].get<int>(), result["model"].get<std::string>(), work["nominal"].get<std::int64_t>(),
      work["done"].get<std::int64_t>(), speed_lines(result));
  const std::string ratios =
      ratio_lines(result, "ratio_to_eager_batch10", "times eager PyTorch's 10 chains, by our 500 on as many threads") +
      ratio_lines(result, "ratio_to_eager_batch500", "times eager PyTorch's 500 chains, by our 500") +
      ratio_lines(result, "ratio_batch10_to_eager_batch10", "times eager PyTorch's 10 chains, by our 10");
  return text + "\n" + ratios + fraction_lines(result) + "\n" + machine_lines(result);
}

}  // namespace vaeguard::cli
