// Blocks of images, one file per block.
#include "vaeguard/runs/inference_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "vaeguard/runs/block_observer.h"
#include "vaeguard/runs/inference_file.h"

namespace vaeguard::runs {
namespace {

// Gradients per block of chains: a minute or two of the published chain between saves.
constexpr double kBlockGradients = 600'000.0;
constexpr std::int64_t kBlockRows = 64;  // blocks are multiples of this

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

TimedInference infer_in_blocks(const defences::Defence& defence, double cost, const models::Vae& vae,
                               const Matrix& images, std::span<const Key> keys, const std::filesystem::path& folder,
                               const std::string& task, int threads, Observer& observer) {
  const auto blocks = static_cast<std::int64_t>(kBlockGradients / cost / static_cast<double>(kBlockRows));
  const std::int64_t rows = std::max<std::int64_t>(1, blocks) * kBlockRows;
  create_directories(folder);
  TimedInference whole;
  for (std::int64_t first = 0; first < images.rows(); first += rows) {
    const std::int64_t count = std::min(rows, images.rows() - first);
    const auto file = folder / fmt::format("{}-{}.npz", first, count);
    if (!exists(file)) {
      BlockObserver block(observer, task, first, count, images.rows());
      const double start = now();
      const auto part =
          defence.infer(vae, images.slice(first, count),
                        keys.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)), threads, block);
      save_inference(file, part, now() - start);
    }
    double seconds = 0.0;
    append(whole.inference, load_inference(file, seconds));
    whole.seconds += seconds;
  }
  return whole;
}

}  // namespace vaeguard::runs
