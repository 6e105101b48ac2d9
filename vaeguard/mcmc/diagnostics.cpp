// Rank-normalised diagnostics from their definitions; sums in double.
#include "vaeguard/mcmc/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "vaeguard/base/distributions.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/quantile.h"

namespace vaeguard::mcmc {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void check(const Chains& chains) {
  if (chains.empty()) {
    misuse("mcmc.diagnostics", "chains must be at least 1, got 0");
  }
  for (const auto& chain : chains) {
    if (chain.size() != chains[0].size()) {
      misuse("mcmc.diagnostics", "chains must have {} draws each, as the first, got {}", chains[0].size(),
             chain.size());
    }
  }
}

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// With n - 1 in the denominator.
double variance_of(std::span<const double> values) {
  const double mean = mean_of(values);
  double sum = 0.0;
  for (const double value : values) {
    sum += (value - mean) * (value - mean);
  }
  return sum / static_cast<double>(values.size() - 1);
}

std::vector<double> pooled(const Chains& chains) {
  std::vector<double> all;
  for (const auto& chain : chains) {
    all.insert(all.end(), chain.begin(), chain.end());
  }
  return all;
}

bool says_nothing(const Chains& chains) {
  const std::vector<double> all = pooled(chains);
  if (!std::ranges::all_of(all, [](double value) { return std::isfinite(value); })) {
    return true;
  }
  const auto [least, largest] = std::ranges::minmax(all);
  return largest - least < std::numeric_limits<double>::epsilon();
}

bool too_short(const Chains& chains) { return static_cast<std::int64_t>(chains[0].size()) < kFewestDraws; }

// First and last halves as chains of their own; the middle one of an odd number of draws is dropped.
Chains halves(const Chains& chains) {
  Chains result;
  for (const auto& chain : chains) {
    const auto half = static_cast<std::ptrdiff_t>(chain.size() / 2);
    result.emplace_back(chain.begin(), chain.begin() + half);
    result.emplace_back(chain.end() - half, chain.end());
  }
  return result;
}

// Draws replaced by the normal quantiles of (rank - 3/8) / (S + 1/4); ties share their mean rank (the paper's eq. 14).
Chains normal_scores(const Chains& chains) {
  const std::vector<double> all = pooled(chains);
  std::vector<std::size_t> order(all.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](std::size_t i) { return all[i]; });
  std::vector<double> scores(all.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && all[order[end]] == all[order[begin]]) {
      ++end;
    }
    const double rank = 0.5 * static_cast<double>(begin + 1 + end);
    const double score = normal_quantile((rank - 0.375) / (static_cast<double>(all.size()) + 0.25));
    for (; begin < end; ++begin) {
      scores[order[begin]] = score;
    }
  }
  Chains result = chains;
  std::size_t i = 0;
  for (auto& chain : result) {
    for (double& value : chain) {
      value = scores[i++];
    }
  }
  return result;
}

double quantile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return sorted_quantile(values, share);
}

Chains mapped(Chains chains, const auto& function) {
  for (auto& chain : chains) {
    std::ranges::transform(chain, chain.begin(), function);
  }
  return chains;
}

// The paper's eqs. 1 to 4, for chains that are already split.
double rhat_of(const Chains& chains) {
  if (says_nothing(chains)) {
    return kNan;
  }
  std::vector<double> means;
  std::vector<double> variances;
  for (const auto& chain : chains) {
    means.push_back(mean_of(chain));
    variances.push_back(variance_of(chain));
  }
  const auto draws = static_cast<double>(chains[0].size());
  return std::sqrt((draws - 1.0) / draws + variance_of(means) / mean_of(variances));
}

// Combined autocorrelations of several chains, computed lag by lag on demand (the paper's eq. 10).
class Autocorrelation {
 public:
  explicit Autocorrelation(const Chains& chains) : chains_(chains) {
    std::vector<double> variances;
    for (const auto& chain : chains) {
      means_.push_back(mean_of(chain));
      variances.push_back(variance_of(chain));
    }
    within_ = mean_of(variances);
    const auto draws = static_cast<double>(chains[0].size());
    total_ = within_ * (draws - 1.0) / draws + (chains.size() > 1 ? variance_of(means_) : 0.0);
  }
  [[nodiscard]] double at(std::size_t lag) const {
    double sum = 0.0;
    for (std::size_t c = 0; c < chains_.size(); ++c) {
      const auto& chain = chains_[c];
      for (std::size_t t = lag; t < chain.size(); ++t) {
        sum += (chain[t] - means_[c]) * (chain[t - lag] - means_[c]);
      }
    }
    return 1.0 - (within_ - sum / static_cast<double>(chains_.size() * chains_[0].size())) / total_;
  }

 private:
  const Chains& chains_;
  std::vector<double> means_;
  double within_ = 0.0;
  double total_ = 0.0;
};

// Geyer's initial monotone sequence (1992): for a reversible chain, sums of neighbouring lags from lag 0 on are
// positive and decreasing, so the sum is truncated at the first that is not positive. Half of the last even lag, where
// positive, is still counted, which helps antithetic chains (the paper's section 3.2).
double autocorrelation_time(const Autocorrelation& correlation, std::size_t draws) {
  std::vector<double> pairs{1.0 + correlation.at(1)};
  std::size_t lag = 0;
  double even = 1.0;
  while (lag + 5 < draws && pairs.back() > 0.0) {
    lag += 2;
    even = correlation.at(lag);
    pairs.push_back(even + correlation.at(lag + 1));
  }
  const bool positive = pairs.back() >= 0.0;
  pairs.pop_back();  // only the even lag of the last pair counts
  for (std::size_t k = 1; k < pairs.size(); ++k) {
    pairs[k] = std::min(pairs[k], pairs[k - 1]);
  }
  return -1.0 + 2.0 * std::accumulate(pairs.begin(), pairs.end(), 0.0) + (even > 0.0 || positive ? even : 0.0);
}

// For chains that are already split. S antithetic draws may be worth more than S independent ones, but no more than
// S log10(S) are claimed.
double ess_of(const Chains& chains) {
  if (says_nothing(chains)) {
    return kNan;
  }
  const auto total = static_cast<double>(chains.size() * chains[0].size());
  const double time = autocorrelation_time(Autocorrelation(chains), chains[0].size());
  return total / std::max(time, 1.0 / std::log10(total));
}

double quantile_ess(const Chains& chains, double p) {
  if (says_nothing(chains)) {
    return kNan;
  }
  const double bound = quantile(pooled(chains), p);
  return ess_of(halves(mapped(chains, [=](double value) { return value <= bound ? 1.0 : 0.0; })));
}

// std::min and std::max lose a NaN on one side.
double worst(double a, double b, bool larger) {
  if (std::isnan(a) || std::isnan(b)) {
    return kNan;
  }
  return larger ? std::max(a, b) : std::min(a, b);
}

}  // namespace

double rank_rhat(const Chains& chains) {
  check(chains);
  if (too_short(chains) || says_nothing(chains)) {
    return kNan;
  }
  const double median = quantile(pooled(chains), 0.5);
  const Chains folded = mapped(chains, [=](double value) { return std::abs(value - median); });
  return worst(rhat_of(normal_scores(halves(chains))), rhat_of(normal_scores(halves(folded))), true);
}

double bulk_ess(const Chains& chains) {
  check(chains);
  return too_short(chains) || says_nothing(chains) ? kNan : ess_of(normal_scores(halves(chains)));
}

double tail_ess(const Chains& chains) {
  check(chains);
  return too_short(chains) ? kNan : worst(quantile_ess(chains, 0.05), quantile_ess(chains, 0.95), false);
}

double mean_ess(const Chains& chains) {
  check(chains);
  return too_short(chains) ? kNan : ess_of(halves(chains));
}

double mcse_mean(const Chains& chains) {
  const double ess = mean_ess(chains);
  return std::isnan(ess) ? kNan : std::sqrt(variance_of(pooled(chains)) / ess);
}

double e_bfmi(std::span<const double> energies) {
  if (energies.size() < 3) {
    return kNan;
  }
  const double mean = mean_of(energies);
  double steps = 0.0;
  double spread = 0.0;
  for (std::size_t t = 0; t < energies.size(); ++t) {
    steps += t > 0 ? (energies[t] - energies[t - 1]) * (energies[t] - energies[t - 1]) : 0.0;
    spread += (energies[t] - mean) * (energies[t] - mean);
  }
  return spread > 0.0 ? steps / spread : kNan;
}

Summary summarise(const Chains& chains) {
  check(chains);
  const std::vector<double> all = pooled(chains);
  const double deviation = all.size() > 1 ? std::sqrt(variance_of(all)) : kNan;
  return {all.empty() ? kNan : mean_of(all),
          deviation,
          mcse_mean(chains),
          rank_rhat(chains),
          bulk_ess(chains),
          tail_ess(chains)};
}

Chains coordinate(std::span<const Matrix> draws, std::int64_t first, std::int64_t chains, std::int64_t d) {
  Chains result(static_cast<std::size_t>(chains));
  for (std::int64_t c = 0; c < chains; ++c) {
    for (const Matrix& draw : draws) {
      result[static_cast<std::size_t>(c)].push_back(draw(first + c, d));
    }
  }
  return result;
}

Diagnostics diagnose(std::span<const Matrix> draws, std::int64_t first, std::int64_t chains,
                     std::span<const std::vector<double>> total_energy) {
  if (draws.empty() || chains < 1 || first < 0 || first + chains > draws[0].rows()) {
    misuse("mcmc.diagnostics", "chains {} .. {} must be among those of at least one draw, got {} draws of {} chains",
           first, first + chains, draws.size(), draws.empty() ? 0 : draws[0].rows());
  }
  Diagnostics result{.chains = chains, .draws = static_cast<std::int64_t>(draws.size())};
  for (std::int64_t d = 0; d < draws[0].columns(); ++d) {
    const Summary one = summarise(coordinate(draws, first, chains, d));
    const double relative = one.mcse_mean / one.deviation;
    result.rhat = d == 0 ? one.rhat : worst(result.rhat, one.rhat, true);
    result.bulk_ess = d == 0 ? one.bulk_ess : worst(result.bulk_ess, one.bulk_ess, false);
    result.tail_ess = d == 0 ? one.tail_ess : worst(result.tail_ess, one.tail_ess, false);
    result.relative_mcse = d == 0 ? relative : worst(result.relative_mcse, relative, true);
  }
  result.e_bfmi = total_energy.empty() ? kNan : std::numeric_limits<double>::infinity();
  for (const auto& energies : total_energy) {
    result.e_bfmi = worst(result.e_bfmi, mcmc::e_bfmi(energies), false);
  }
  return result;
}

std::vector<std::string> warnings(const Diagnostics& diagnostics) {
  std::vector<std::string> result;
  const auto say = [&](bool when, const std::string& sentence) {
    if (when) {
      result.push_back(sentence);
    }
  };
  say(!diagnostics.exact,
      "The kernel has no accept step: its draws are biased however long it runs; use one that has, or show that a "
      "smaller step size changes nothing.");
  say(diagnostics.draws < kFewestDraws,
      fmt::format("{} draws per chain are too few to judge: keep at least {}.", diagnostics.draws, kFewestDraws));
  say(diagnostics.draws >= kFewestDraws && std::isnan(diagnostics.rhat),
      "A coordinate is constant or not finite: its chains never moved; lower the first step size or look at the "
      "energy.");
  say(diagnostics.rhat > kGreatestRhat,
      fmt::format("The chains disagree (largest R-hat {:.3f}, should be below {}): warm up longer, draw more, or take "
                  "the start into account.",
                  diagnostics.rhat, kGreatestRhat));
  const auto enough = static_cast<double>(kFewestEffectiveDraws * diagnostics.chains);
  say(diagnostics.bulk_ess < enough,
      fmt::format("Few effective draws of the middle (smallest bulk ESS {:.0f}, should be {:.0f}): draw more, or use "
                  "longer trajectories.",
                  diagnostics.bulk_ess, enough));
  say(diagnostics.tail_ess < enough,
      fmt::format("Few effective draws of the tails (smallest tail ESS {:.0f}, should be {:.0f}): means may be right, "
                  "intervals are not to be trusted; draw more.",
                  diagnostics.tail_ess, enough));
  say(diagnostics.e_bfmi < kLeastEBfmi,
      fmt::format("Energies are explored slowly (smallest E-BFMI {:.2f}, should be above {}): heavy tails or a bad "
                  "metric; estimate the metric in warm-up.",
                  diagnostics.e_bfmi, kLeastEBfmi));
  say(diagnostics.divergent_share > 0.0,
      fmt::format("{:.2g} % of the transitions diverged: lower the step size, that is, raise the target acceptance.",
                  100.0 * diagnostics.divergent_share));
  say(diagnostics.acceptance < kLeastAcceptance,
      fmt::format("Only {:.0f} % of the proposals were accepted: lower the step size, or warm up longer.",
                  100.0 * diagnostics.acceptance));
  return result;
}

}  // namespace vaeguard::mcmc
