// Attack speed: images attacked per second by the published loop, ours and the peer's.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vaeguard::cli {

/// Runs the authors' encoder attack of 50 steps on 50 references with 10 restarts each, in one batch, for at least
/// `seconds`; with a peer script also measures it and reports the ratio.
nlohmann::ordered_json bench_attack(int threads, double seconds, const std::string& peer);

}  // namespace vaeguard::cli
