// Training speed: images per second of the published training, ours and the peer's.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vaeguard::cli {

/// Trains the paper's MNIST model for `seconds`; with a peer script also measures it and reports the ratio.
nlohmann::ordered_json bench_train(int threads, double seconds, const std::string& peer);

}  // namespace vaeguard::cli
