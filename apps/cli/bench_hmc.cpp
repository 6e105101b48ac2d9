// Times the chains of every case, runs the peer, and relates both to each other and to the processor's peak.
#include "apps/cli/bench_hmc.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "apps/cli/bench_chains.h"
#include "apps/cli/fma_peak.h"
#include "apps/cli/machine.h"
#include "apps/cli/peer.h"
#include "vaeguard/base/error.h"
#include "vaeguard/runs/environment.h"

namespace vaeguard::cli {
namespace {

using Json = nlohmann::ordered_json;

// The paper's own batch (restarts of one image) and a large one.
constexpr std::array<std::int64_t, 2> kPeerBatches{10, 500};
constexpr int kRepeats = 5;
constexpr int kLeastRepeats = 3;  // if one transition of a large batch takes longer than a repeat should

// Median and spread of repeats of equal work. Two untimed trials warm up and determine the number of transitions per
// repeat.
Json measure(const BenchChains& chains, int threads, double seconds) {
  const std::int64_t few = std::min<std::int64_t>(chains.batch(), 64);
  static_cast<void>(chains.run(few, 1, threads));
  const double per_second = chains.run(few, 1, threads).gradients_per_second();
  const double each = static_cast<double>(chains.batch()) * chains.gradients_per_transition();
  const int transitions = static_cast<int>(std::clamp(seconds / kRepeats * per_second / each, 1.0, 1e6));
  std::vector<double> speeds;
  double elapsed = 0.0;
  double acceptance = 0.0;
  for (int repeat = 0; repeat < kRepeats && (repeat < kLeastRepeats || elapsed < seconds); ++repeat) {
    const Timed timed = chains.run(chains.batch(), transitions, threads);
    speeds.push_back(timed.gradients_per_second());
    elapsed += timed.seconds;
    acceptance = timed.acceptance;
  }
  std::ranges::sort(speeds);
  const std::size_t middle = speeds.size() / 2;
  const double median = speeds.size() % 2 == 1 ? speeds[middle] : 0.5 * (speeds[middle - 1] + speeds[middle]);
  return {{"median", median},         {"least", speeds.front()},    {"most", speeds.back()},
          {"repeats", speeds.size()}, {"transitions", transitions}, {"acceptance", acceptance}};
}

Json machine() {
  Json result;
  for (const auto& [name, value] : runs::environment()) {
    result[name] = value;
  }
  result["instruction_sets"] = instruction_sets();
  result["load_average"] = fmt::format("{:.2f} before the measurements", load_average());
  return result;
}

// The named backends, or all but the reference that can run the decoder.
std::vector<std::string> chosen_backends(const std::vector<std::string>& named, const networks::LayerGraph& decoder) {
  std::vector<std::string> result;
  for (const std::string& name : named) {
    result.emplace_back(networks::select_backend(name, decoder).name());
  }
  for (const networks::Backend* backend : networks::backends()) {
    if (named.empty() && backend->name() != "reference" && backend->unsupported(decoder).empty()) {
      result.emplace_back(backend->name());
    }
  }
  return result;
}

// The precisions in which this backend can compute the decoder's gradients on this machine.
std::vector<std::pair<std::string, networks::Precision>> precisions_of(const std::string& backend,
                                                                       const networks::LayerGraph& decoder) {
  std::vector<std::pair<std::string, networks::Precision>> result{{"fp32", networks::Precision::float32}};
  constexpr auto kMixed = networks::Precision::bfloat16;
  if (networks::select_backend(backend, decoder).unsupported(decoder, kMixed).empty()) {
    result.emplace_back("mixed", kMixed);
  }
  return result;
}

class HmcBench {
 public:
  HmcBench(const HmcBenchOptions& options, Observer& observer)
      : options_(options),
        observer_(observer),
        model_(bench_model(options.model)),
        backends_(chosen_backends(options.backends, model_.weights.decoder)),
        most_threads_(*std::ranges::max_element(options.threads)) {
    for (const std::int64_t batch : kPeerBatches) {
      if (has_batch(batch)) {
        peer_batches_ += (peer_batches_.empty() ? "" : ",") + std::to_string(batch);
      }
    }
    if (!options.peer.empty() && model_.own) {
      misuse("bench", "a peer formulates the models mnist and colour; without --peer, {} can be measured",
             options.model);
    }
    if (!options.peer.empty() && peer_batches_.empty()) {
      misuse("bench", "a peer is measured at batches 10 and 500; --batch must have one of them");
    }
  }

  Json run() {
    describe_work();
    measure_peak("before");
    for (const std::string& backend : backends_) {
      measure_backend(backend);
    }
    measure_peak("after ours");
    if (!options_.peer.empty()) {
      observer_.message(fmt::format("measuring the peer at batches {}", peer_batches_));
      result_["eager"] = run_peer(options_.peer,
                                  fmt::format("--threads {} --batch {} --channels {} --seconds {}", most_threads_,
                                              peer_batches_, model_.weights.image().channels, options_.seconds),
                                  "grads_per_second");
      measure_peak("after the peer");
    }
    tell_peaks();
    tell_ratios();
    tell_fractions();
    return result_;
  }

 private:
  [[nodiscard]] bool has_batch(std::int64_t batch) const { return std::ranges::count(options_.batches, batch) > 0; }

  void describe_work() {
    result_["machine"] = machine();
    result_["model"] = options_.model;
    result_["leapfrog_steps"] = 20;
    result_["seconds_per_figure"] = options_.seconds;
    result_["multiply_adds"] = {{"nominal", nominal_multiply_adds(model_.weights.decoder)},
                                {"done", networks::multiply_adds(model_.weights.decoder)}};
    for (const char* key : {"grads_per_second", "eager", "ratio_to_eager_batch10", "ratio_to_eager_batch500",
                            "ratio_batch10_to_eager_batch10", "fraction_of_peak_fp32", "fraction_of_peak_mixed",
                            "fma_peak_gflops", "peak_rss_mb"}) {
      result_[key] = Json::object();
    }
  }

  void measure_backend(const std::string& backend) {
    reset_peak_resident();
    for (const auto& [precision, gradients] : precisions_of(backend, model_.weights.decoder)) {
      const models::Vae vae(model_.weights, backend, gradients);
      for (const std::int64_t batch : options_.batches) {
        const BenchChains chains(vae, model_, batch);
        chains.check_against_reference();
        for (const int threads : options_.threads) {
          if (observer_.interrupted()) {
            throw Interrupted{};
          }
          observer_.message(fmt::format("measuring {} {}, {} chains, threads: {}", backend, precision, batch, threads));
          result_["grads_per_second"][backend][precision][std::to_string(threads)][std::to_string(batch)] =
              measure(chains, threads, options_.seconds);
        }
      }
    }
    backend_memory_[backend] = peak_resident_megabytes();
  }

  // Measured before, between and after, so that changes of the clock show.
  void measure_peak(const std::string& when) {
    for (const int threads : std::set<int>{1, options_.all_threads, most_threads_}) {
      const double gflops = fma_peak_gflops(threads);
      peaks_[threads] = std::max(peaks_[threads], gflops);
      peak_samples_.push_back({{"when", when}, {"threads", threads}, {"gflops", gflops}});
    }
  }

  void tell_peaks() {
    result_["fma_peak_gflops"] = {{"one_thread", peaks_.at(1)},
                                  {"all_threads", peaks_.at(options_.all_threads)},
                                  {"threads", options_.all_threads},
                                  {"vectors", fma_vectors()},
                                  {"samples", peak_samples_}};
    result_["peak_rss_mb"] = backend_memory_.at(backends_.front());
    result_["peak_rss_mb_by_backend"] = backend_memory_;
  }

  [[nodiscard]] double speed(const std::string& backend, const std::string& precision, std::int64_t batch) const {
    return result_["grads_per_second"][backend][precision][std::to_string(most_threads_)][std::to_string(batch)]
                  ["median"];
  }

  template <typename Tell>
  void for_each_case(const Tell& tell) {
    for (const std::string& backend : backends_) {
      for (const auto& [precision, speeds] : result_["grads_per_second"][backend].items()) {
        tell(backend, precision);
      }
    }
  }

  void tell_ratio(const char* key, std::int64_t ours, std::int64_t theirs) {
    const auto eager = result_["eager"].value("grads_per_second", Json::object());
    if (!has_batch(ours) || !eager.contains(std::to_string(theirs))) {
      return;
    }
    const double peer = eager[std::to_string(theirs)];
    for_each_case([&](const std::string& backend, const std::string& precision) {
      result_[key][backend][precision] = speed(backend, precision, ours) / peer;
    });
  }

  void tell_ratios() {
    tell_ratio("ratio_to_eager_batch10", 500, 10);
    tell_ratio("ratio_to_eager_batch500", 500, 500);
    tell_ratio("ratio_batch10_to_eager_batch10", 10, 10);
  }

  void tell_fractions() {
    const std::int64_t batch = has_batch(500) ? 500 : *std::ranges::max_element(options_.batches);
    // A gradient is a forward and a backward pass; a multiply-add counts as two operations.
    const auto fraction = [&](double gradients_per_second, const char* which) {
      return gradients_per_second * 4.0 * result_["multiply_adds"][which].get<double>() /
             (peaks_.at(most_threads_) * 1e9);
    };
    for_each_case([&](const std::string& backend, const std::string& precision) {
      const double gradients = speed(backend, precision, batch);
      result_["fraction_of_peak_" + precision][backend] = {{"nominal", fraction(gradients, "nominal")},
                                                           {"done", fraction(gradients, "done")},
                                                           {"threads", most_threads_},
                                                           {"batch", batch}};
    });
  }

  const HmcBenchOptions& options_;
  Observer& observer_;
  BenchModel model_;
  std::vector<std::string> backends_;
  int most_threads_;
  std::string peer_batches_;
  std::map<int, double> peaks_;  // best of all samples, by threads
  Json peak_samples_ = Json::array();
  std::map<std::string, double> backend_memory_;
  Json result_;
};

}  // namespace

Json bench_hmc(const HmcBenchOptions& options, Observer& observer) { return HmcBench(options, observer).run(); }

}  // namespace vaeguard::cli
