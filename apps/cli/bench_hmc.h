// Speed of whole HMC transitions on the paper's decoders: every backend, batch and number of threads, beside a peer.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "vaeguard/base/observer.h"

namespace vaeguard::cli {

struct HmcBenchOptions {
  std::string model = "mnist";          // or "colour": three channels
  std::vector<std::int64_t> batches{};  // chains side by side
  std::vector<int> threads{};
  std::vector<std::string> backends{};  // empty: all that can run the decoder, but for the reference
  double seconds = 5.0;                 // for each figure, more where one transition takes longer
  std::string peer{};                   // script, or empty
  int all_threads = 1;                  // the number of threads that the machine's peak is measured on
};

/// Momentum draw, 20 leapfrog steps, exact accept: the code path of the defences, chunks of chains on threads. Throws
/// Failure before any speed is told where energies or gradients differ from the double-precision reference, Misuse for
/// an unknown backend. Keys of the object: see benchmarks/README.md.
nlohmann::ordered_json bench_hmc(const HmcBenchOptions& options, Observer& observer);

/// The object as aligned text for people, with a line that explains each ratio.
std::string hmc_text(const nlohmann::ordered_json& result);

}  // namespace vaeguard::cli
