// Speed of whole HMC transitions: every backend, batch and number of threads, beside a peer.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "vaeguard/base/observer.h"

namespace vaeguard::cli {

struct HmcBenchOptions {
  std::string model = "mnist";          // or "colour": three channels; or a checkpoint's file
  std::vector<std::int64_t> batches{};  // chains side by side
  std::vector<int> threads{};
  std::vector<std::string> backends{};  // empty: all that can run the decoder, except the reference
  double seconds = 5.0;                 // for each figure, more if one transition takes longer
  std::string peer{};                   // script, or empty
  int all_threads = 1;                  // number of threads for measuring the machine's peak
};

/// Momentum draw, 20 leapfrog steps, exact accept: the code path of the defences, chunks of chains on threads. Throws
/// Failure before any speed is reported if energies or gradients differ from the double-precision reference, Misuse for
/// an unknown backend. Keys of the object: see benchmarks/README.md.
nlohmann::ordered_json bench_hmc(const HmcBenchOptions& options, Observer& observer);

/// The object as aligned text, with a line that explains each ratio.
std::string hmc_text(const nlohmann::ordered_json& result);

}  // namespace vaeguard::cli
