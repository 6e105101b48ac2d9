// Votes and class probabilities of draws.
#include "vaeguard/measures/vote.h"

#include <algorithm>
#include <cmath>

#include "vaeguard/mcmc/diagnostics.h"
#include "vaeguard/measures/draw_chains.h"

namespace vaeguard::measures {
namespace {

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
    for (const Matrix& chain : draw_chains(inference, row, classifier.latent_size())) {
      of_chains.push_back(classifier.probabilities(chain));
      for (std::int64_t k = 0; k < chain.rows(); ++k) {
        const auto one = of_chains.back().row(k);
        if (!std::isnan(one.front())) {  // a softmax is NaN everywhere or nowhere
          ++votes[static_cast<std::size_t>(most(one))];
        }
        std::ranges::transform(sums, one, sums.begin(), std::plus<>{});
        ++draws;
      }
    }
    std::ranges::transform(sums, result.probabilities.row(row).begin(),
                           [&](double sum) { return static_cast<float>(sum / draws); });
    const std::int64_t winner = most(votes);
    result.winners.push_back(votes[static_cast<std::size_t>(winner)] > 0.0F ? winner : models::kNoClass);
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

}  // namespace vaeguard::measures
