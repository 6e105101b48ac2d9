// Chunks, their coupling, and their gradients.
#include "vaeguard/training/batch_gradient.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "vaeguard/base/parallel.h"
#include "vaeguard/training/chunk_sum.h"

namespace vaeguard::training {
namespace {

void prepare(const Matrix& images, std::span<const std::int64_t> rows, const BatchKeys& keys, std::int64_t latent_size,
             ObjectiveChunk& chunk) {
  chunk.images = images.gather(rows);
  chunk.noise.resize(std::ssize(rows), latent_size);
  chunk.keys.clear();
  for (std::size_t b = 0; b < rows.size(); ++b) {
    const auto image = static_cast<std::uint64_t>(rows[b]);
    fill_normal(keys.noise.fold(image), chunk.noise.row(static_cast<std::int64_t>(b)));
    chunk.keys.push_back(keys.choices.fold(image));
  }
}

// Adds rows first .. of `more` to `sum`; an empty sum counts as zeros.
void add_rows(const Matrix& more, std::int64_t first, std::int64_t rows, Matrix& sum) {
  Matrix part = more.slice(first, rows);
  if (sum.empty()) {
    sum = std::move(part);
  } else {
    std::ranges::transform(sum.flat(), part.flat(), sum.flat().begin(), std::plus{});
  }
}

}  // namespace

BatchGradient::BatchGradient(const Objective& objective, VaeNetworks networks, int threads)
    : objective_(objective), networks_(networks), threads_(threads) {}

std::span<float> BatchGradient::gradient_of(std::size_t chunk, bool with_gradient) {
  return with_gradient ? std::span<float>(gradients_[chunk]) : std::span<float>();
}

void BatchGradient::run(const Matrix& images, std::span<const std::int64_t> rows, const BatchKeys& keys,
                        bool with_gradient, LossSum& sum) {
  const std::int64_t count = std::ssize(rows);
  const std::int64_t chunks = chunks_of(count);
  while (std::ssize(chunks_) < chunks) {
    chunks_.emplace_back(networks_);
    gradients_.emplace_back(networks_.parameters());
  }
  const bool coupled = objective_.coupled();
  parallel_chunks(count, kChunkRows, threads_, [&](std::int64_t first, std::int64_t size) {
    const auto c = static_cast<std::size_t>(first / kChunkRows);
    prepare(images, rows.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size)), keys,
            networks_.decoder.graph().input_size(), chunks_[c]);
    const std::span<float> gradient = gradient_of(c, with_gradient);
    std::ranges::fill(gradient, 0.0F);
    objective_.forward(networks_, chunks_[c], gradient);
    if (with_gradient && !coupled) {
      objective_.backward(networks_, chunks_[c], gradient);
    }
  });
  if (coupled) {
    sum.penalty += couple(chunks, count, with_gradient);
    parallel_chunks(with_gradient ? chunks : 0, 1, threads_, [&](std::int64_t first, std::int64_t) {
      const auto c = static_cast<std::size_t>(first);
      objective_.backward(networks_, chunks_[c], gradients_[c]);
    });
  }
  for (std::int64_t c = 0; c < chunks; ++c) {
    sum += chunks_[static_cast<std::size_t>(c)].sum;
  }
}

double BatchGradient::couple(std::int64_t chunks, std::int64_t rows, bool with_gradient) {
  const std::int64_t size = networks_.decoder.graph().input_size();
  Matrix encoded(rows, 2 * size);
  Matrix latents(rows, size);
  for (std::int64_t c = 0; c < chunks; ++c) {
    const ElboWorkspace& workspace = chunks_[static_cast<std::size_t>(c)].workspace;
    encoded.assign(c * kChunkRows, workspace.encoded);
    latents.assign(c * kChunkRows, workspace.latents);
  }
  Matrix encoded_gradients;
  Matrix latent_gradients;
  const double value = objective_.couple(encoded, latents, threads_, with_gradient ? &encoded_gradients : nullptr,
                                         with_gradient ? &latent_gradients : nullptr);
  for (std::int64_t c = 0; c < (with_gradient ? chunks : 0); ++c) {
    ElboWorkspace& workspace = chunks_[static_cast<std::size_t>(c)].workspace;
    const std::int64_t here = workspace.encoded.rows();
    add_rows(encoded_gradients, c * kChunkRows, here, workspace.added_encoded_gradients);
    add_rows(latent_gradients, c * kChunkRows, here, workspace.added_latent_gradients);
  }
  return value;
}

void BatchGradient::add_value(const Matrix& images, std::span<const std::int64_t> rows, const BatchKeys& keys,
                              LossSum& sum) {
  run(images, rows, keys, false, sum);
}

std::span<const float> BatchGradient::add_value_and_gradient(const Matrix& images, std::span<const std::int64_t> rows,
                                                             const BatchKeys& keys, LossSum& sum) {
  run(images, rows, keys, true, sum);
  const auto chunks = static_cast<std::size_t>(chunks_of(std::ssize(rows)));
  return sum_chunks(std::span(gradients_).first(chunks), 1.0F / static_cast<float>(rows.size()), threads_);
}

}  // namespace vaeguard::training
