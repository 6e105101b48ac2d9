// Times steps of the trainer on synthetic images.
#include "apps/cli/bench_train.h"

#include <fmt/format.h>

#include <chrono>

#include "apps/cli/peer.h"
#include "vaeguard/data/synthetic.h"
#include "vaeguard/models/conv_vae.h"
#include "vaeguard/training/trainer.h"

namespace vaeguard::cli {
namespace {

double training_speed(int threads, double seconds) {
  using Clock = std::chrono::steady_clock;
  training::TrainerOptions options = training::training_preset("published");
  options.threads = threads;
  const data::Dataset dataset = data::synthetic({}, Key(3));
  training::Trainer trainer(models::conv_vae({1, 28, 28}, {}, Key(1)), dataset, options);
  trainer.step();
  const auto start = Clock::now();
  std::int64_t images = 0;
  double elapsed = 0.0;
  while (elapsed < seconds) {
    trainer.step();
    images += options.batch;
    elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  }
  return static_cast<double>(images) / elapsed;
}

}  // namespace

nlohmann::ordered_json bench_train(int threads, double seconds, const std::string& peer) {
  nlohmann::ordered_json result{
      {"batch", 128}, {"threads", threads}, {"images_per_second", training_speed(threads, seconds)}};
  if (!peer.empty()) {
    const double theirs =
        run_peer(peer, fmt::format("--threads {}", threads), "images_per_second")["images_per_second"];
    result["eager_images_per_second"] = theirs;
    result["ratio_to_eager"] = result["images_per_second"].get<double>() / theirs;
  }
  return result;
}

}  // namespace vaeguard::cli
