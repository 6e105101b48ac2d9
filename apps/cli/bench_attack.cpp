// Times whole attacks on the paper's encoder with the weights that training starts from.
#include "apps/cli/bench_attack.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "apps/cli/peer.h"
#include "vaeguard/attacks/encoder_goal.h"
#include "vaeguard/attacks/objective.h"
#include "vaeguard/attacks/published.h"
#include "vaeguard/data/synthetic.h"
#include "vaeguard/models/conv_vae.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::cli {
namespace {

constexpr std::int64_t kReferences = 50;
constexpr std::int64_t kRestarts = 10;

double attack_speed(int threads, double seconds) {
  using Clock = std::chrono::steady_clock;
  const models::Vae vae(models::conv_vae({1, 28, 28}, {}, Key(1)));
  const Matrix references = data::synthetic({.train = 1, .validation = 1, .test = kReferences}, Key(3)).test.pixels;
  const attacks::EncoderGoal goal("encoder_skl", attacks::EncodingGap::symmetric_kl, attacks::Direction::away,
                                  vae.encode(references, threads));
  const attacks::UndefendedVictim victim(vae.recognition());
  const attacks::Objective objective(victim, goal, kRestarts);
  std::vector<std::int64_t> index(kReferences);
  std::iota(index.begin(), index.end(), 0);
  const Matrix images = repeat_rows(references, kRestarts);
  const auto keys = attacks::attack_keys(Key(1), "bench", index, kRestarts);
  const auto run = [&](const attacks::PublishedOptions& options) {
    attacks::Published{options}(objective, images, {.radius = 0.1}, keys, {.threads = threads});
  };
  run({.iterations = 2});  // warms up caches and clocks
  const auto start = Clock::now();
  std::int64_t attacked = 0;
  double elapsed = 0.0;
  while (elapsed < seconds) {
    run({});
    attacked += images.rows();
    elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  }
  return static_cast<double>(attacked) / elapsed;
}

}  // namespace

nlohmann::ordered_json bench_attack(int threads, double seconds, const std::string& peer) {
  nlohmann::ordered_json result{{"steps", attacks::PublishedOptions{}.iterations},
                                {"batch", kReferences * kRestarts},
                                {"threads", threads},
                                {"attacked_images_per_second", attack_speed(threads, seconds)}};
  if (!peer.empty()) {
    // One image at a time, threads cost more than they gain, so the peer gets the better of both.
    double theirs = 0.0;
    for (const int count : {1, threads}) {
      const std::string field = "attacked_images_per_second";
      theirs = std::max(theirs, run_peer(peer, fmt::format("--threads {}", count), field)[field].get<double>());
    }
    result["eager_attacked_images_per_second"] = theirs;
    result["ratio_to_eager"] = result["attacked_images_per_second"].get<double>() / theirs;
  }
  return result;
}

}  // namespace vaeguard::cli
