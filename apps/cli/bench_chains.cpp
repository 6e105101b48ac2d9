// Models, the check against the reference, and timed transitions.
#include "apps/cli/bench_chains.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <mutex>
#include <numeric>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/data/synthetic.h"
#include "vaeguard/defences/posterior_sampling.h"
#include "vaeguard/models/checkpoint.h"
#include "vaeguard/models/conv_vae.h"

namespace vaeguard::cli {
namespace {

constexpr std::int64_t kPriorImages = 100;

// Grey images [N, P] in one of seven colours each, [N, 3 P].
Matrix coloured(const Matrix& grey) {
  const std::int64_t pixels = grey.columns();
  Matrix result(grey.rows(), 3 * pixels);
  for (std::int64_t i = 0; i < grey.rows(); ++i) {
    const std::int64_t colour = 1 + i % 7;  // a bit for each channel that is on
    for (std::int64_t j = 0; j < 3 * pixels; ++j) {
      result(i, j) = ((colour >> (j / pixels)) & 1) != 0 ? grey(i, j % pixels) : 0.0F;
    }
  }
  return result;
}

std::vector<Key> chain_keys(std::int64_t batch) {
  std::vector<Key> keys;
  for (std::int64_t b = 0; b < batch; ++b) {
    keys.push_back(Key(2).fold(static_cast<std::uint64_t>(b)));
  }
  return keys;
}

Matrix first_images(const Matrix& images, std::int64_t batch) {
  std::vector<std::int64_t> rows;
  for (std::int64_t b = 0; b < batch; ++b) {
    rows.push_back(b % images.rows());
  }
  return images.gather(rows);
}

struct Errors {
  double energy = 0.0;    // relative
  double gradient = 0.0;  // in the Euclidean norm, relative
};

Errors errors_of_chain(const models::Vae& vae, std::span<const float> image, std::span<const float> latent,
                       double energy, std::span<const float> gradient) {
  std::vector<double> truth;
  const double true_energy = energy::reference_energy(vae.layers()->weights(), image,
                                                      std::vector<double>(latent.begin(), latent.end()), &truth);
  double difference = 0.0;
  double norm = 0.0;
  for (std::size_t d = 0; d < truth.size(); ++d) {
    difference += (gradient[d] - truth[d]) * (gradient[d] - truth[d]);
    norm += truth[d] * truth[d];
  }
  return {std::abs(energy - true_energy) / std::abs(true_energy), std::sqrt(difference / norm)};
}

// What a model decodes draws of the prior to: images that its own posterior can explain.
Matrix prior_images(const models::Vae& vae) {
  return vae.decode(vae.generative().draw(models::keyed_noise(chain_keys(kPriorImages), vae.latent_size())));
}

}  // namespace

BenchModel bench_model(const std::string& name) {
  if (name != "mnist" && name != "colour") {
    models::VaeWeights weights = models::load_checkpoint(name).vae;
    Matrix images = prior_images(models::Vae(weights));
    return {.weights = std::move(weights), .images = std::move(images), .own = true};
  }
  const Matrix grey = data::synthetic({.train = 10, .validation = 10, .test = 500}, Key(3)).test.pixels;
  return name == "colour" ? BenchModel{models::conv_vae({3, 28, 28}, {}, Key(1)), coloured(grey)}
                          : BenchModel{models::conv_vae({1, 28, 28}, {}, Key(1)), grey};
}

std::int64_t nominal_multiply_adds(const networks::LayerGraph& graph) {
  std::int64_t total = 0;
  for (const networks::Layer& layer : graph.layers) {
    // A convolution's loop walks its outputs, a transposed one's its inputs; both use every weight at each position.
    const bool transposed = layer.operation == networks::Operation::transposed_convolution;
    total += layer.weight_count() * (transposed ? layer.input() : layer.output).positions();
  }
  return total;
}

BenchChains::BenchChains(const models::Vae& vae, const BenchModel& model, std::int64_t batch)
    : vae_(vae),
      model_(model),
      energy_(vae, first_images(model.images, batch)),
      keys_(chain_keys(batch)),
      latents_(
          models::draw(vae.encode(first_images(model.images, batch)), models::keyed_noise(keys_, vae.latent_size()))
              .codes) {}

void BenchChains::check_against_reference() const {
  std::vector<std::int64_t> chains{0, batch() / 3, 2 * batch() / 3, batch() - 1};
  chains.erase(std::unique(chains.begin(), chains.end()), chains.end());
  for (const std::int64_t b : chains) {
    const std::int64_t first = b - b % defences::kChainsPerChunk;
    const std::int64_t count = std::min(defences::kChainsPerChunk, batch() - first);
    std::vector<double> energies(static_cast<std::size_t>(count));
    Matrix gradients;
    energy_.evaluate(consecutive(first, count), latents_.slice(first, count), energies, &gradients);
    const Errors errors = errors_of_chain(vae_, model_.images.row(b % model_.images.rows()), latents_.row(b),
                                          energies[static_cast<std::size_t>(b - first)], gradients.row(b - first));
    // Sums of at most 1,152 float products per unit and five layers: 1e-4 is ten times what rounding gives. bfloat16
    // rounds to 2^-8, and ReLUs near 0 then fall to the other side: the tests of mixed precision allow 15 % as well.
    const double allowed = vae_.mixed() ? 0.15 : 1e-4;
    if (!(errors.energy < 1e-4 && errors.gradient < allowed)) {
      failure("bench",
              "backend {}, chain {} of {}: energy and gradient differ from the reference by {:.3g} and {:.3g}; no "
              "speed is told",
              vae_.generative().backend(), b, batch(), errors.energy, errors.gradient);
    }
  }
}

Timed BenchChains::run(std::int64_t chains, int transitions, int threads) const {
  using Clock = std::chrono::steady_clock;
  Timed timed;
  std::mutex mutex;
  const auto start = Clock::now();
  parallel_chunks(chains, row_chunk(chains, defences::kChainsPerChunk, threads), threads,
                  [&](std::int64_t first, std::int64_t count) {
                    const mcmc::Target target{energy_, consecutive(first, count)};
                    const auto keys =
                        std::span(keys_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
                    const mcmc::Parameters parameters{std::vector<double>(keys.size(), 0.05),
                                                      mcmc::identity_metric(count, vae_.latent_size())};
                    mcmc::State state = mcmc::make_state(target, latents_.slice(first, count));
                    double accepted = 0.0;
                    for (int t = 0; t < transitions; ++t) {
                      const auto info =
                          kernel_.step(mcmc::step_keys(keys, static_cast<std::uint64_t>(t)), target, parameters, state);
                      accepted += std::reduce(info.acceptance.begin(), info.acceptance.end());
                    }
                    const std::scoped_lock lock(mutex);
                    timed.acceptance += accepted / (static_cast<double>(chains) * transitions);
                  });
  timed.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  // One more for the state that the chains start from.
  timed.gradients = static_cast<double>(chains) * (1.0 + static_cast<double>(transitions) * gradients_per_transition());
  return timed;
}

}  // namespace vaeguard::cli
