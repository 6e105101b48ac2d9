// Exact posterior draws for any decoder: z0 ~ p(z), x ~ p(x|z0) makes z0 a draw of p(z|x).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/mcmc/replicates.h"
#include "tests/mcmc/statistics.h"
#include "tests/models/likelihood_options.h"
#include "vaeguard/energy/posterior.h"
#include "vaeguard/models/vae.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::mcmc {

/// N pairs of latent code and image.
struct Pairs {
  Matrix latents;
  Matrix images;
};

/// Images are draws, not means: binary for a Bernoulli likelihood, noisy for a Gaussian.
inline Pairs draw_pairs(const models::Vae& vae, std::int64_t count, Key key) {
  Matrix base(count, vae.latent_size());
  for (std::int64_t b = 0; b < count; ++b) {
    fill_normal(key.fold("latent").fold(static_cast<std::uint64_t>(b)), base.row(b));
  }
  Pairs pairs{vae.generative().draw(base, 2), {}};
  pairs.images = models::forward_all(vae.generative(), pairs.latents, 2);
  const bool binary = vae.likelihood().name() == "bernoulli";
  for (std::int64_t b = 0; b < count; ++b) {
    const Key own = key.fold("image").fold(static_cast<std::uint64_t>(b));
    Stream stream(own);
    std::vector<float> noise(static_cast<std::size_t>(pairs.images.columns()));
    fill_normal(own, noise);
    for (std::int64_t i = 0; i < pairs.images.columns(); ++i) {
      float& pixel = pairs.images(b, i);
      pixel = binary ? (stream.uniform() < 1.0 / (1.0 + std::exp(-static_cast<double>(pixel))) ? 1.0F : 0.0F)
                     : pixel + static_cast<float>(std::sqrt(models::variance_of(vae.likelihood()))) *
                                   noise[static_cast<std::size_t>(i)];
    }
  }
  return pairs;
}

/// U(z|x) of each pair.
inline std::vector<double> energies(const ScalarField& field, const Matrix& latents) {
  std::vector<double> result(static_cast<std::size_t>(latents.rows()));
  parallel_chunks(latents.rows(), 64, 2, [&](std::int64_t first, std::int64_t count) {
    field.evaluate(consecutive(first, count), latents.slice(first, count),
                   std::span(result).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
                   nullptr);
  });
  return result;
}

/// U(z|x) of `count` new pairs.
inline std::vector<double> fresh_energies(const models::Vae& vae, std::int64_t count, Key key) {
  const Pairs pairs = draw_pairs(vae, count, key);
  return energies(energy::PosteriorEnergy(vae, pairs.images), pairs.latents);
}

/// How many nats the right image is better explained than a stranger's, on average: 0 where x says nothing of z.
inline double information(const ScalarField& field, const Pairs& pairs) {
  std::vector<std::int64_t> neighbour;
  for (std::int64_t b = 0; b < pairs.latents.rows(); ++b) {
    neighbour.push_back((b + 1) % pairs.latents.rows());
  }
  const auto own = energies(field, pairs.latents);
  const auto other = energies(field, pairs.latents.gather(neighbour));
  double sum = 0.0;
  for (std::size_t b = 0; b < own.size(); ++b) {
    sum += (other[b] - own[b]) / static_cast<double>(own.size());
  }
  return sum;
}

/// After transitions that leave every p(z|x) invariant, (z, x) is again a draw of p(z) p(x|z). So the rows are standard
/// normal: coordinates all together and (where few) each by itself, projections on random directions, squared norms.
/// And because a kernel that ignores x would pass all that, the energies U(z|x) after the transitions are compared with
/// those of fresh pairs.
inline statistics::Judgement judge_pairs(const Outcome& outcome, const std::vector<double>& fresh, Key key) {
  const Matrix& z = outcome.positions;
  statistics::Judgement judgement;
  const auto add_projection = [&](const std::string& name, std::span<const float> direction) {
    double norm = 0.0;
    for (const float value : direction) {
      norm += static_cast<double>(value) * value;
    }
    std::vector<double> uniforms;
    for (std::int64_t b = 0; b < z.rows(); ++b) {
      double sum = 0.0;
      for (std::size_t d = 0; d < direction.size(); ++d) {
        sum += static_cast<double>(direction[d]) * z.row(b)[d];
      }
      uniforms.push_back(statistics::normal_cdf(sum / std::sqrt(norm)));
    }
    judgement.add_uniform(name, std::move(uniforms));
  };
  const auto dimension = static_cast<std::size_t>(z.columns());
  for (std::size_t d = 0; d < dimension && dimension <= 8; ++d) {
    std::vector<float> unit(dimension, 0.0F);
    unit[d] = 1.0F;
    add_projection("coordinate " + std::to_string(d), unit);
  }
  for (std::uint64_t p = 0; p < 4; ++p) {
    std::vector<float> direction(dimension);
    fill_normal(key.fold(p), direction);
    add_projection("projection " + std::to_string(p), direction);
  }
  std::vector<double> all;
  std::vector<double> norms;
  for (std::int64_t b = 0; b < z.rows(); ++b) {
    double norm = 0.0;
    for (const float value : z.row(b)) {
      all.push_back(statistics::normal_cdf(value));
      norm += static_cast<double>(value) * value;
    }
    norms.push_back(statistics::chi_squared_cdf(norm, static_cast<int>(dimension)));
  }
  judgement.add_uniform("all coordinates", std::move(all));
  judgement.add_uniform("squared norm", std::move(norms));
  judgement.add_pair("energy", outcome.energies, fresh);
  return judgement;
}

}  // namespace vaeguard::mcmc
