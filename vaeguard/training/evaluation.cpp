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

void check_images(const Matrix& images, ImageShape image) {
  check_shape("training.evaluation", "images", images, -1, image.size());
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

// Row `row` of an encoding, `count` times.
models::Encoding repeated_row(const models::Encoding& encoding, std::int64_t row, std::int64_t count) {
  return {repeat_rows(encoding.mean.slice(row, 1), count), repeat_rows(encoding.log_variance.slice(row, 1), count)};
}

// Appends log p(x, z_k) - log q(z_k|x) for one draw z_k of q(z|x) for each of `images`, whose encoding is given.
void append_log_weights(const models::Vae& vae, const Matrix& images, const models::Encoding& encoding, Key key,
                        networks::Tape& tape, std::vector<double>& log_weights) {
  Matrix noise(images.rows(), vae.latent_size());
  fill_normal(key, noise.flat());
  const models::Draws draws = vae.recognition().draw(images, encoding, noise);
  std::vector<double> prior_energies(draws.log_density.size());
  Matrix parameters;
  vae.generative().forward(draws.codes, parameters, prior_energies, tape);
  for (std::int64_t k = 0; k < images.rows(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    log_weights.push_back(-vae.likelihood().negative_log(images.row(k), parameters.row(k), {}) - prior_energies[at] -
                          draws.log_density[at]);
  }
}

// Reconstruction and divergence of each image, -log p(x|z) and log q(z|x) - log p(z) at one draw of z.
struct ElboTerms {
  std::vector<double> reconstruction;
  std::vector<double> divergence;

  explicit ElboTerms(std::int64_t images)
      : reconstruction(static_cast<std::size_t>(images)), divergence(static_cast<std::size_t>(images)) {}
  [[nodiscard]] ElboEstimate estimate() const {
    std::vector<double> bound(reconstruction.size());
    std::ranges::transform(reconstruction, divergence, bound.begin(), [](double r, double d) { return -(r + d); });
    const auto [mean, error] = mean_and_error(bound);
    return {.elbo = mean,
            .standard_error = error,
            .reconstruction = mean_and_error(reconstruction).mean,
            .divergence = mean_and_error(divergence).mean,
            .images = std::ssize(bound)};
  }
};

// Keys of rows first .. first + count.
std::vector<Key> row_keys(Key key, std::int64_t first, std::int64_t count) {
  std::vector<Key> keys;
  for (std::int64_t b = first; b < first + count; ++b) {
    keys.push_back(key.fold(static_cast<std::uint64_t>(b)));
  }
  return keys;
}

// Of any model, whose divergence has no closed form.
ElboEstimate estimate_elbo_by_draws(const models::Vae& vae, const Matrix& images, Key key, int threads) {
  ElboTerms terms(images.rows());
  parallel_chunks(images.rows(), kImagesPerChunk, threads, [&](std::int64_t first, std::int64_t count) {
    const Matrix some = images.slice(first, count);
    const models::Draws draws = vae.recognition().draw(
        some, vae.encode(some), models::keyed_noise(row_keys(key, first, count), vae.latent_size()));
    std::vector<double> prior_energies(draws.log_density.size());
    Matrix parameters;
    vae.generative().forward(draws.codes, parameters, prior_energies, *vae.generative().make_tape());
    for (std::int64_t b = 0; b < count; ++b) {
      const auto from = static_cast<std::size_t>(b);
      const auto to = static_cast<std::size_t>(first + b);
      terms.reconstruction[to] = vae.likelihood().negative_log(some.row(b), parameters.row(b), {});
      terms.divergence[to] = draws.log_density[from] + prior_energies[from];
    }
  });
  return terms.estimate();
}

}  // namespace

ElboEstimate estimate_elbo(const networks::Network& encoder, const networks::Network& decoder,
                           const models::Likelihood& likelihood, const models::Prior& prior, const Matrix& images,
                           Key key, int threads) {
  check_images(images, encoder.graph().input());
  const std::int64_t size = decoder.graph().input_size();
  ElboTerms terms(images.rows());
  parallel_chunks(images.rows(), kImagesPerChunk, threads, [&](std::int64_t first, std::int64_t count) {
    ElboWorkspace workspace(encoder, decoder);
    const Matrix noise = models::keyed_noise(row_keys(key, first, count), size);
    encoder.forward(images.slice(first, count), workspace.encoded, *workspace.encoder_tape);
    reparametrise(workspace.encoded, noise, workspace.latents);
    decoder.forward(workspace.latents, workspace.outputs, *workspace.decoder_tape);
    const auto from_prior = divergences(prior, workspace.encoded, workspace.latents, workspace.prior_tape);
    std::ranges::copy(from_prior, terms.divergence.begin() + first);
    for (std::int64_t b = 0; b < count; ++b) {
      const auto at = static_cast<std::size_t>(first + b);
      terms.reconstruction[at] = likelihood.negative_log(images.row(first + b), workspace.outputs.row(b), {});
    }
  });
  return terms.estimate();
}

ElboEstimate estimate_elbo(const models::Vae& vae, const Matrix& images, Key key, int threads) {
  check_images(images, vae.image());
  const models::LayeredVae* layers = vae.layers();
  return layers == nullptr ? estimate_elbo_by_draws(vae, images, key, threads)
                           : estimate_elbo(layers->encoder(), layers->decoder(), vae.likelihood(), layers->prior(),
                                           images, key, threads);
}

LikelihoodEstimate estimate_likelihood(const models::Vae& vae, const Matrix& images, int draws, Key key, int threads,
                                       Observer& observer) {
  check_images(images, vae.image());
  if (draws < 1) {
    misuse("training.evaluation", "draws must be at least 1, got {}", draws);
  }
  const models::Encoding encoding = vae.encode(images, threads);
  std::vector<double> values(static_cast<std::size_t>(images.rows()));
  Progress progress(observer, "likelihood", images.rows());
  parallel_chunks(images.rows(), 1, threads, [&](std::int64_t image, std::int64_t) {
    progress.pause_for_interruption();
    const auto tape = vae.generative().make_tape();
    const Key image_key = key.fold(static_cast<std::uint64_t>(image));
    std::vector<double> log_weights;
    for (std::int64_t first = 0; first < draws; first += kDrawsPerBlock) {
      const std::int64_t count = std::min<std::int64_t>(kDrawsPerBlock, draws - first);
      append_log_weights(vae, repeat_rows(images.slice(image, 1), count), repeated_row(encoding, image, count),
                         image_key.fold(static_cast<std::uint64_t>(first)), *tape, log_weights);
    }
    values[static_cast<std::size_t>(image)] = std::log(static_cast<double>(draws)) - log_sum_exp(log_weights);
    progress.advance(1);
  });
  const auto [mean, error] = mean_and_error(values);
  return {.negative_log_likelihood = mean, .standard_error = error, .images = images.rows(), .draws = draws};
}

}  // namespace vaeguard::training
