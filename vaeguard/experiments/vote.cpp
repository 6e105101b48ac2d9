// Votes and class probabilities of draws.
#include "vaeguard/experiments/vote.h"

#include <algorithm>
#include <cmath>

#include "vaeguard/mcmc/diagnostics.h"

namespace vaeguard::experiments {
namespace {

// The kept draws of one image's chains; all of its chains kept as many.
std::vector<Matrix> draws_of_chains(const defences::Inference& inference, std::int64_t row, std::int64_t dimension) {
  const std::span<const float> all = inference.draws.row(row);
  const std::size_t each = all.size() / static_cast<std::size_t>(inference.chains);
  std::vector<Matrix> result;
  for (std::int64_t chain = 0; chain < inference.chains; ++chain) {
    const auto own = all.subspan(static_cast<std::size_t>(chain) * each, each);
    const auto end = std::ranges::find_if(own, [](float value) { return std::isnan(value); });
    const std::int64_t kept = (end - own.begin()) / dimension;
    result.emplace_back(kept, dimension, std::vector<float>(own.begin(), own.begin() + kept * dimension));
  }
  return result;
}

std::int64_t most(std::span<const float> values) { return std::ranges::max_element(values) - values.begin(); }

}  // namespace

Vote vote(const models::LinearClassifier& classifier, const defences::Inference& inference) {
  const std::int64_t rows = inference.draws.rows();
  Vote result{{}, Matrix(rows, classifier.classes()), {}};
  for (std::int64_t row = 0; row < rows; ++row) {
    std::vector<Matrix> of_chains;
    std::vector<double> sums(static_cast<std::size_t>(classifier.classes()));
    std::vector<float> votes(sums.size());
    double draws = 0.0;
    for (const Matrix& chain : draws_of_chains(inference, row, classifier.latent_size())) {
      of_chains.push_back(classifier.probabilities(chain));
      for (std::int64_t k = 0; k < chain.rows(); ++k) {
        const auto one = of_chains.back().row(k);
        ++votes[static_cast<std::size_t>(most(one))];
        std::ranges::transform(sums, one, sums.begin(), std::plus<>{});
        ++draws;
      }
    }
    std::ranges::transform(sums, result.probabilities.row(row).begin(),
                           [&](double sum) { return static_cast<float>(sum / draws); });
    result.winners.push_back(most(votes));
    const std::int64_t top = most(result.probabilities.row(row));
    mcmc::Chains of_top;
    for (const Matrix& probabilities : of_chains) {
      of_top.emplace_back();
      for (std::int64_t k = 0; k < probabilities.rows(); ++k) {
        of_top.back().push_back(probabilities(k, top));
      }
    }
    result.error.push_back(mcmc::mcse_mean(of_top));
  }
  return result;
}

}  // namespace vaeguard::experiments
