// The decisions of warm-up between transitions.
#include "vaeguard/mcmc/warmup.h"

#include <algorithm>
#include <cmath>

#include "vaeguard/base/error.h"

namespace vaeguard::mcmc {

std::vector<int> lengths(std::span<const std::vector<int>> turns, std::span<const double> step_size,
                         const LengthOptions& options) {
  const auto chains = static_cast<std::int64_t>(step_size.size());
  if (turns.empty() || !(options.fraction > 0.0)) {
    misuse("mcmc.warmup", "lengths need at least 1 transition and a fraction > 0, got {} and {}", turns.size(),
           options.fraction);
  }
  if (options.group < 1 || chains % options.group != 0) {
    misuse("mcmc.warmup", "group must be at least 1 and divide the {} chains, got {}", chains, options.group);
  }
  std::vector<int> result;
  for (std::int64_t b = 0; b < chains; ++b) {
    double time = 0.0;
    for (std::int64_t c = b - b % options.group; c < b - b % options.group + options.group; ++c) {
      for (const auto& turn : turns) {
        time += turn[static_cast<std::size_t>(c)] * step_size[static_cast<std::size_t>(c)];
      }
    }
    const double mean = time / static_cast<double>(options.group * static_cast<std::int64_t>(turns.size()));
    const double steps = std::round(options.fraction * mean / step_size[static_cast<std::size_t>(b)]);
    result.push_back(static_cast<int>(std::clamp(steps, 1.0, static_cast<double>(options.max_steps))));
  }
  return result;
}

namespace internal {

DualAveraging rule(DualAveraging::Options options, double step) {
  options.initial_step_size = step;
  return DualAveraging(options);
}

void change_metric(Metric metric, const DualAveraging::Options& options, std::vector<DualAveraging>& rules,
                   Parameters& parameters, State& state) {
  DualAveraging::Options again = options;
  again.aim = 1.0;  // the first half has tuned this step size: no need to try larger ones
  for (std::int64_t b = 0; b < metric.inverse_mass.rows(); ++b) {
    double log_ratio = 0.0;
    for (std::int64_t d = 0; d < metric.inverse_mass.columns(); ++d) {
      log_ratio += std::log(static_cast<double>(parameters.metric.inverse_mass(b, d)) / metric.inverse_mass(b, d));
    }
    const auto i = static_cast<std::size_t>(b);
    const double scale = std::exp(0.5 * log_ratio / static_cast<double>(metric.inverse_mass.columns()));
    rules[i] = rule(again, rules[i].final() * scale);
    parameters.step_size[i] = rules[i].exploring();
  }
  parameters.metric = std::move(metric);
  state.momentum = Matrix();  // drawn under the old metric
}

void add_gradients(const Info& info, std::vector<std::int64_t>& gradients) {
  for (std::size_t b = 0; b < info.gradients.size(); ++b) {
    gradients[b] += info.gradients[b];
  }
}

}  // namespace internal
}  // namespace vaeguard::mcmc
