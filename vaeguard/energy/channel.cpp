// Terms of attack channels and their shares by expectation maximisation.
#include "vaeguard/energy/channel.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::energy {
namespace {

constexpr std::int64_t kLevels = models::PixelLaw::kLevels;
constexpr double kTop = static_cast<double>(kLevels - 1);
constexpr double kRounding = 1e-3;  // of a level: float pixels that ought to lie on a bound do
// Prior share of extreme ones among touched pixels, believed as much as the image: attackers use what they have, and
// where the law of true pixels is broad the image tells little about it.
constexpr double kExtreme = 0.9;
constexpr int kFirstIterations = 2;
constexpr std::size_t kFinalists = 8;
constexpr int kIterations = 8;  // of expectation maximisation; the shares settle to a percent

// The true levels that can have become the observed pixel.
struct Window {
  double radius;     // in levels
  std::int64_t low;  // uniform: low .. high
  std::int64_t high;
  std::int64_t nearest;  // untouched
  std::int64_t below;    // extreme: moved up from here, or down from `above`; -1 where there is no such level
  std::int64_t above;
  bool at_bottom;  // clipped
  bool at_top;
};

Window window(double x, double radius) {
  const double level = kTop * std::clamp(x, 0.0, 1.0);  // pixels outside are read as the nearest inside
  const double r = kTop * radius;
  // Casts are much faster than calls of floor; all arguments are above -kLevels.
  const auto floor = [](double v) { return static_cast<std::int64_t>(v + kLevels) - kLevels; };
  const auto nearest = [&](double v) { return floor(v + 0.5); };
  const auto inside = [&](double v) { return v > -0.5 && v < kTop + 0.5 ? nearest(v) : -1; };
  return {r,
          std::max<std::int64_t>(0, floor(level - r - kRounding) + 1),
          std::min<std::int64_t>(kLevels - 1, floor(level + r + kRounding)),
          std::clamp<std::int64_t>(nearest(level), 0, kLevels - 1),
          inside(level - r),
          inside(level + r),
          level <= kRounding,
          level >= kTop - kRounding};
}

double sum(const std::array<double, 3>& values) { return values[0] + values[1] + values[2]; }

}  // namespace

double mixed(const Channel& channel, const std::array<double, 3>& terms) {
  return channel.untouched * terms[0] + channel.uniform * terms[1] + channel.extreme * terms[2];
}

ChannelModel::ChannelModel(const models::PixelLaw& law) : law_(law) {
  models::validate(law, "energy.channel");
  sums_.resize(static_cast<std::size_t>(law.nodes() * (kLevels + 1)));
  for (std::int64_t node = 0; node < law.nodes(); ++node) {
    Sums running;
    for (std::int64_t v = 0; v <= kLevels; ++v) {
      const double p = v < kLevels ? law.probability(node, v) : 0.0;
      const auto level = static_cast<double>(v);
      running.level = p;
      sums_[static_cast<std::size_t>(node * (kLevels + 1) + v)] = running;
      running.mass += p;
      running.first += level * p;
      running.second += level * level * p;
    }
  }
}

// An uniform amount e in -r .. r takes a level v to x with probability 1 / (2 r + 1), and below 0 with probability
// (r - v + 1/2) / (2 r + 1): the sums over v of that are made of the running ones.
ChannelTerms ChannelModel::terms(double x, double radius, std::int64_t node) const {
  const Window w = window(x, radius);
  const Sums* sums = row(node);
  const auto between = [&](double Sums::*what) { return sums[w.high + 1].*what - sums[w.low].*what; };
  const double mass = between(&Sums::mass);
  const double first = between(&Sums::first);
  const double count = 2.0 * w.radius + 1.0;
  ChannelTerms terms;
  terms.mass[0] = sums[w.nearest].level;
  terms.moment[0] = x * terms.mass[0];
  if (w.at_bottom || w.at_top) {
    const double second = between(&Sums::second);
    const double offset = w.at_bottom ? w.radius + 0.5 : w.radius + 0.5 - kTop;
    const double sign = w.at_bottom ? -1.0 : 1.0;
    terms.mass[1] = (offset * mass + sign * first) / count;
    terms.moment[1] = (offset * first + sign * second) / count / kTop;
    terms.mass[2] = 0.5 * mass;
    terms.moment[2] = 0.5 * first / kTop;
    return terms;
  }
  terms.mass[1] = mass / count;
  terms.moment[1] = first / count / kTop;
  for (const std::int64_t v : {w.below, w.above}) {
    if (v >= 0) {
      terms.mass[2] += 0.5 * sums[v].level;
      terms.moment[2] += 0.5 * sums[v].level * static_cast<double>(v) / kTop;
    }
  }
  return terms;
}

ChannelTerms ChannelModel::terms_at(double x, double radius, double parameter) const {
  return terms_between(x, radius, law_.position(parameter));
}

ChannelTerms ChannelModel::terms_between(double x, double radius, double position) const {
  // NaN goes on, into the terms.
  const auto node = position >= 0.0 ? std::min(static_cast<std::int64_t>(position), nodes() - 2) : 0;
  const double share = position - static_cast<double>(node);
  ChannelTerms low = terms(x, radius, node);
  const ChannelTerms high = terms(x, radius, node + 1);
  for (std::size_t c = 0; c < low.mass.size(); ++c) {
    low.mass[c] += share * (high.mass[c] - low.mass[c]);
    low.moment[c] += share * (high.moment[c] - low.moment[c]);
  }
  return low;
}

std::uint64_t ChannelModel::level_key(double x, double radius) const {
  const Window w = window(x, radius);
  std::uint64_t key = (w.at_bottom ? 1U : 0U) + (w.at_top ? 2U : 0U);
  for (const std::int64_t part : {w.low, w.high, w.nearest, w.below + 1, w.above + 1}) {
    key = key * 512 + static_cast<std::uint64_t>(part);
  }
  return key;
}

std::vector<ChannelModel::Group> ChannelModel::groups_of(std::span<const float> image,
                                                         std::span<const float> parameters) const {
  std::vector<Group> groups(image.size());
  for (std::size_t i = 0; i < image.size(); ++i) {
    groups[i] = {image[i], law_.position(parameters[i]), 1.0};
  }
  const auto place = [](const Group& group) { return std::pair(group.x, group.position); };
  std::ranges::sort(groups, {}, place);
  std::size_t last = 0;
  for (std::size_t i = 1; i < groups.size(); ++i) {
    if (place(groups[i]) == place(groups[last])) {
      groups[last].count += 1.0;
    } else {
      groups[++last] = groups[i];
    }
  }
  groups.resize(std::min(groups.size(), last + 1));
  return groups;
}

ChannelModel::Shares ChannelModel::begin_shares(const std::vector<Group>& groups, double radius) const {
  Shares shares;
  shares.channel = {radius, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0};
  for (const Group& group : groups) {
    shares.masses.push_back(terms_between(group.x, radius, group.position).mass);
  }
  return shares;
}

void ChannelModel::improve_shares(const std::vector<Group>& groups, int iterations, Shares& shares) {
  Channel& channel = shares.channel;
  for (int iteration = 0; iteration < iterations; ++iteration) {
    std::array<double, 3> counts{1.0, 1.0, 1.0};
    shares.evidence = 0.0;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      const auto& mass = shares.masses[i];
      const std::array<double, 3> parts{channel.untouched * mass[0], channel.uniform * mass[1],
                                        channel.extreme * mass[2]};
      const double all = sum(parts);
      const double scale = groups[i].count / all;
      for (std::size_t c = 0; c < 3; ++c) {
        counts[c] += scale * parts[c];
      }
      shares.evidence += groups[i].count * std::log(all);
    }
    const double total = sum(counts);
    const double touched = (counts[1] + counts[2]) / total;
    const double extreme = 0.5 * (counts[2] / (counts[1] + counts[2]) + kExtreme);
    channel.untouched = counts[0] / total;
    channel.uniform = touched * (1.0 - extreme);
    channel.extreme = touched * extreme;
  }
}

Channel ChannelModel::fit_shares(std::span<const float> image, std::span<const float> parameters, double radius,
                                 double* log_evidence) const {
  const std::vector<Group> groups = groups_of(image, parameters);
  Shares shares = begin_shares(groups, radius);
  improve_shares(groups, kIterations, shares);
  if (log_evidence != nullptr) {
    *log_evidence = shares.evidence;
  }
  return shares.channel;
}

// All radii get a first look, and the most probable ones a second.
Channel ChannelModel::fit(std::span<const float> image, std::span<const float> parameters, double largest) const {
  if (!std::isfinite(largest) || largest <= 0.0 || largest > 1.0) {
    misuse("energy.channel", "the largest radius must be in (0, 1], got {}", largest);
  }
  const std::vector<Group> groups = groups_of(image, parameters);
  std::vector<Shares> candidates;
  for (int level = 1; level <= std::max(1L, std::lround(kTop * largest)); ++level) {
    candidates.push_back(begin_shares(groups, level / kTop));
    improve_shares(groups, kFirstIterations, candidates.back());
  }
  const auto finalists = std::min(candidates.size(), kFinalists);
  std::ranges::stable_sort(candidates, std::greater<>{}, &Shares::evidence);
  candidates.resize(finalists);
  for (Shares& candidate : candidates) {
    improve_shares(groups, kIterations - kFirstIterations, candidate);
  }
  return std::ranges::max_element(candidates, {}, &Shares::evidence)->channel;
}

void ChannelModel::expected_image(std::span<const float> image, std::span<const float> parameters,
                                  const Channel& channel, std::span<float> expected) const {
  for (std::size_t i = 0; i < image.size(); ++i) {
    const ChannelTerms terms = terms_at(image[i], channel.radius, parameters[i]);
    const double mass = mixed(channel, terms.mass);
    expected[i] = static_cast<float>(std::clamp(mixed(channel, terms.moment) / mass, 0.0, 1.0));
  }
}

}  // namespace vaeguard::energy
