// Evidence lower bound and importance-weighted likelihood over many images.
#include "vaeguard/training/evaluation.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/base/progress.h"
#include "vaeguard/training/elbo.h"

namespace vaeguard::training {
namespace {

constexpr std::int64_t kImagesPerChunk = 32;
constexpr std::int64_t kDrawsPerBlock = 64;

struct MeanAndError {
  double mean = 0.0;
  double standard_error = 0.0;
};

MeanAndError mean_and_error(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  double sum = 0.0;
  for (const double value : values) {
    sum += value;
  }
  const double mean = sum / count;
  double squares = 0.0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  return {.mean = mean, .standard_error = count > 1 ? std::sqrt(squares / (count - 1.0) / count) : 0.0};
}

void check_images(const Matrix& images, const networks::Network& encoder) {
  check_shape("training.evaluation", "images", images, -1, encoder.graph().input_size());
  if (images.empty()) {
    misuse("training.evaluation", "expected at least one image, got none");
  }
}

// log sum_i exp(values_i), safe from overflow.
double log_sum_exp(const std::vector<double>& values) {
  const double largest = *std::ranges::max_element(values);
  if (!std::isfinite(largest)) {
    return largest;
  }
  double sum = 0.0;
  for (const double value : values) {
    sum += std::exp(value - largest);
  }
  return largest + std::log(sum);
}

// Appends log p(x, z_k) - log q(z_k|x) for `count` draws z_k = mean + spread * noise. With u = noise,
// log N(z; 0, I) - log q(z|x) = sum_d (u_d^2 + log variance_d - z_d^2) / 2: the normalising constants cancel.
void append_log_weights(const models::Vae& vae, std::span<const float> image, std::span<const float> mean,
                        std::span<const float> log_variance, std::int64_t count, Key key, networks::Tape& tape,
                        models::PriorTape& prior, std::vector<double>& log_weights) {
  const std::int64_t size = vae.latent_size();
  Matrix noise(count, size);
  fill_normal(key, noise.flat());
  Matrix latents(count, size);
  std::vector<double> log_ratio(static_cast<std::size_t>(count));
  for (std::int64_t k = 0; k < count; ++k) {
    for (std::int64_t d = 0; d < size; ++d) {
      const auto at = static_cast<std::size_t>(d);
      const double u = noise(k, d);
      const double z = mean[at] + std::exp(0.5 * log_variance[at]) * u;
      latents(k, d) = static_cast<float>(z);
      log_ratio[static_cast<std::size_t>(k)] += 0.5 * (u * u + log_variance[at] - z * z);
    }
  }
  Matrix outputs;
  vae.decoder().forward(latents, outputs, tape);
  vae.prior().forward(latents, prior);
  for (std::int64_t k = 0; k < count; ++k) {
    const double learned = models::standard_normal_energy(latents.row(k)) - prior.energy(k);  // log p(z) / N(z; 0, I)
    log_weights.push_back(log_ratio[static_cast<std::size_t>(k)] + learned -
                          vae.likelihood().negative_log(image, outputs.row(k), {}));
  }
}

}  // namespace

ElboEstimate estimate_elbo(const networks::Network& encoder, const networks::Network& decoder,
                           const models::Likelihood& likelihood, const models::Prior& prior, const Matrix& images,
                           Key key, int threads) {
  check_images(images, encoder);
  const std::int64_t size = decoder.graph().input_size();
  std::vector<double> reconstruction(static_cast<std::size_t>(images.rows()));
  std::vector<double> divergence(reconstruction.size());
  parallel_chunks(images.rows(), kImagesPerChunk, threads, [&](std::int64_t first, std::int64_t count) {
    ElboWorkspace workspace(encoder, decoder);
    Matrix noise(count, size);
    for (std::int64_t b = 0; b < count; ++b) {
      fill_normal(key.fold(static_cast<std::uint64_t>(first + b)), noise.row(b));
    }
    encoder.forward(images.slice(first, count), workspace.encoded, *workspace.encoder_tape);
    reparametrise(workspace.encoded, noise, workspace.latents);
    decoder.forward(workspace.latents, workspace.outputs, *workspace.decoder_tape);
    const auto from_prior = divergences(prior, workspace.encoded, workspace.latents, workspace.prior_tape);
    std::ranges::copy(from_prior, divergence.begin() + first);
    for (std::int64_t b = 0; b < count; ++b) {
      const auto at = static_cast<std::size_t>(first + b);
      reconstruction[at] = likelihood.negative_log(images.row(first + b), workspace.outputs.row(b), {});
    }
  });
  std::vector<double> bound(reconstruction.size());
  std::ranges::transform(reconstruction, divergence, bound.begin(), [](double r, double d) { return -(r + d); });
  const auto [mean, error] = mean_and_error(bound);
  return {.elbo = mean,
          .standard_error = error,
          .reconstruction = mean_and_error(reconstruction).mean,
          .divergence = mean_and_error(divergence).mean,
          .images = images.rows()};
}

ElboEstimate estimate_elbo(const models::Vae& vae, const Matrix& images, Key key, int threads) {
  return estimate_elbo(vae.encoder(), vae.decoder(), vae.likelihood(), vae.prior(), images, key, threads);
}

LikelihoodEstimate estimate_likelihood(const models::Vae& vae, const Matrix& images, int draws, Key key, int threads,
                                       Observer& observer) {
  check_images(images, vae.encoder());
  if (draws < 1) {
    misuse("training.evaluation", "draws must be at least 1, got {}", draws);
  }
  const models::Encoding encoding = vae.encode(images, threads);
  std::vector<double> values(static_cast<std::size_t>(images.rows()));
  Progress progress(observer, "likelihood", images.rows());
  parallel_chunks(images.rows(), 1, threads, [&](std::int64_t image, std::int64_t) {
    progress.pause_for_interruption();
    const auto tape = vae.decoder().make_tape();
    models::PriorTape prior;
    const Key image_key = key.fold(static_cast<std::uint64_t>(image));
    std::vector<double> log_weights;
    for (std::int64_t first = 0; first < draws; first += kDrawsPerBlock) {
      append_log_weights(vae, images.row(image), encoding.mean.row(image), encoding.log_variance.row(image),
                         std::min<std::int64_t>(kDrawsPerBlock, draws - first),
                         image_key.fold(static_cast<std::uint64_t>(first)), *tape, prior, log_weights);
    }
    values[static_cast<std::size_t>(image)] = std::log(static_cast<double>(draws)) - log_sum_exp(log_weights);
    progress.advance(1);
  });
  const auto [mean, error] = mean_and_error(values);
  return {.negative_log_likelihood = mean, .standard_error = error, .images = images.rows(), .draws = draws};
}

}  // namespace vaeguard::training
