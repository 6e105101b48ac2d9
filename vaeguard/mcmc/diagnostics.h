// The quality of draws: convergence, effective sample sizes, standard errors, and warnings in words.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vaeguard/base/matrix.h"

namespace vaeguard::mcmc {

/// Draws of one scalar, [chains][draws], the same number from each chain.
using Chains = std::vector<std::vector<double>>;

/// Vehtari, Gelman, Simpson, Carpenter and Buerkner 2021. Chains are split in halves to reveal drift; draws are
/// replaced by the normal scores of their ranks, so that heavy tails do no harm. NaN where draws are constant or not
/// finite, or there are fewer than kFewestDraws per chain. All throw Misuse for no chains or chains of unequal lengths.
///
/// R-hat, the larger of those of the scores and of |draw - median|: 1 for chains that agree in location and scale.
double rank_rhat(const Chains& chains);
/// Effective sample size of the normal scores: how well the centre of the distribution is known.
double bulk_ess(const Chains& chains);
/// The smaller of the effective sample sizes of the 5 % and 95 % quantiles.
double tail_ess(const Chains& chains);
/// Effective sample size for the mean, from the draws themselves.
double mean_ess(const Chains& chains);
/// Monte Carlo standard error of the mean, standard deviation / sqrt(mean_ess).
double mcse_mean(const Chains& chains);

/// Half chains of fewer than six draws leave no lag to estimate.
inline constexpr std::int64_t kFewestDraws = 12;

/// Energy Bayesian fraction of missing information of one chain, sum (E_t - E_{t-1})^2 / sum (E_t - mean)^2, of the
/// total energies at the transitions' starts (Info::total_energy; Betancourt 2016, "Diagnosing suboptimal cotangent
/// disintegrations", eq. 4). Below kLeastEBfmi, momentum draws change the energy too little to explore its
/// distribution. NaN for fewer than three energies or constant ones.
double e_bfmi(std::span<const double> energies);

/// The diagnostics of one scalar, a row of a table.
struct Summary {
  double mean;
  double deviation;
  double mcse_mean;
  double rhat;
  double bulk_ess;
  double tail_ess;
};
Summary summarise(const Chains& chains);

/// Coordinate d of chains first .. first + chains over `draws`, each an [n, D] matrix of positions.
Chains coordinate(std::span<const Matrix> draws, std::int64_t first, std::int64_t chains, std::int64_t d);

/// Diagnostics of the chains of one image: each for the worst coordinate, NaN where it cannot be computed.
struct Diagnostics {
  std::int64_t chains = 0;
  std::int64_t draws = 0;  // per chain
  double rhat = 0.0;       // largest
  double bulk_ess = 0.0;   // smallest, of all chains together
  double tail_ess = 0.0;
  double relative_mcse = 0.0;    // largest standard error of a mean, in standard deviations of its coordinate
  double e_bfmi = 0.0;           // smallest of the chains
  double acceptance = 0.0;       // mean
  double divergent_share = 0.0;  // of transitions
  bool exact = true;             // K::exact
};

/// Diagnoses chains first .. first + chains of `draws`; `total_energy` [chains][transitions] is Info::total_energy of
/// the same chains, empty if unknown. Leaves what these cannot tell at its default: acceptance, divergent_share, exact.
/// Throws Misuse if there are no draws or the draws lack these chains.
Diagnostics diagnose(std::span<const Matrix> draws, std::int64_t first, std::int64_t chains,
                     std::span<const std::vector<double>> total_energy);

/// Beyond these, warnings() speaks. R-hat, and the effective draws of each chain, as in section 4 of Vehtari et al.: 50
/// per half chain make R-hat and the effective sample sizes reliable.
inline constexpr double kGreatestRhat = 1.01;
inline constexpr std::int64_t kFewestEffectiveDraws = 100;
inline constexpr double kLeastEBfmi = 0.3;
inline constexpr double kLeastAcceptance = 0.3;

/// Sentences that say what is wrong and what to do about it; none if all is well.
std::vector<std::string> warnings(const Diagnostics& diagnostics);

}  // namespace vaeguard::mcmc
