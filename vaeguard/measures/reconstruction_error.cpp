// Decodes the kept draws of an image and computes the standard error of each pixel.
#include "vaeguard/measures/reconstruction_error.h"

#include <cmath>

#include "vaeguard/base/parallel.h"
#include "vaeguard/mcmc/diagnostics.h"
#include "vaeguard/measures/draw_chains.h"

namespace vaeguard::measures {
namespace {

constexpr double kWhite = 255.0;

bool is_constant(const mcmc::Chains& chains) {
  for (const auto& chain : chains) {
    for (const double value : chain) {
      if (value != chains.front().front()) {
        return false;
      }
    }
  }
  return true;
}

double error_of_image(const models::Vae& vae, const std::vector<Matrix>& latents) {
  if (latents.front().rows() < mcmc::kFewestDraws) {
    return std::nan("");
  }
  std::vector<Matrix> images;
  for (const Matrix& chain : latents) {
    images.push_back(vae.decode(chain));
  }
  double sum = 0.0;
  const std::int64_t pixels = vae.image().size();
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
    mcmc::Chains chains;
    for (const Matrix& image : images) {
      chains.emplace_back();
      for (std::int64_t draw = 0; draw < image.rows(); ++draw) {
        chains.back().push_back(image(draw, pixel));
      }
    }
    const double error = is_constant(chains) ? 0.0 : mcmc::mcse_mean(chains);
    sum += error * error;
  }
  return kWhite * std::sqrt(sum / static_cast<double>(pixels));
}

}  // namespace

std::vector<double> reconstruction_error(const models::Vae& vae, const defences::Inference& inference, int threads) {
  std::vector<double> errors(static_cast<std::size_t>(inference.draws.rows()));
  parallel_chunks(std::ssize(errors), 1, threads, [&](std::int64_t row, std::int64_t) {
    errors[static_cast<std::size_t>(row)] = error_of_image(vae, draw_chains(inference, row, vae.latent_size()));
  });
  return errors;
}

}  // namespace vaeguard::measures
