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
constexpr int kIterations = 8;  // of expectation maximisation; where the law is broad shares still move by some percent

std::array<double, 3> mix(const std::array<double, 3>& low, const std::array<double, 3>& high, double share) {
  return {low[0] + share * (high[0] - low[0]), low[1] + share * (high[1] - low[1]),
          low[2] + share * (high[2] - low[2])};
}

double sum(const std::array<double, 3>& values) { return values[0] + values[1] + values[2]; }

}  // namespace

// The true levels that can have become the observed pixel.
struct ChannelModel::Window {
  Window(double x, double pixel_radius);

  // Clipped, a level v has the probability (offset + sign v) / (2 r + 1) in the uniform sums.
  [[nodiscard]] double offset() const { return at_bottom ? radius + 0.5 : radius + 0.5 - kTop; }
  [[nodiscard]] double sign() const { return at_bottom ? -1.0 : 1.0; }

  double radius;     // in levels
  std::int64_t low;  // uniform: low .. high
  std::int64_t high;
  std::int64_t nearest;  // untouched
  std::int64_t below;    // extreme: moved up from here, or down from `above`; -1 where there is no such level
  std::int64_t above;
  bool at_bottom;  // clipped
  bool at_top;
};

ChannelModel::Window::Window(double x, double pixel_radius) : radius(kTop * pixel_radius) {
  const double level = kTop * std::clamp(x, 0.0, 1.0);  // pixels outside are read as the nearest inside
  // Casts are much faster than calls of floor; all arguments are above -kLevels.
  const auto floor = [](double v) { return static_cast<std::int64_t>(v + kLevels) - kLevels; };
  const auto inside = [&](double v) { return v > -0.5 && v < kTop + 0.5 ? floor(v + 0.5) : -1; };
  low = std::max<std::int64_t>(0, floor(level - radius - kRounding) + 1);
  high = std::min<std::int64_t>(kLevels - 1, floor(level + radius + kRounding));
  nearest = std::clamp<std::int64_t>(floor(level + 0.5), 0, kLevels - 1);
  below = inside(level - radius);
  above = inside(level + radius);
  at_bottom = level <= kRounding;
  at_top = level >= kTop - kRounding;
}

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

// A uniform amount e in -r .. r takes a level v to x with probability 1 / (2 r + 1), and below 0 with probability
// (r - v + 1/2) / (2 r + 1): the sums over v of that are made of the running ones.
std::array<double, 3> ChannelModel::masses(const Window& w, const Sums* sums) {
  const auto between = [&](double Sums::*what) { return sums[w.high + 1].*what - sums[w.low].*what; };
  const double mass = between(&Sums::mass);
  const double each = 1.0 / (2.0 * w.radius + 1.0);
  if (w.at_bottom || w.at_top) {
    const double clipped = w.offset() * mass + w.sign() * between(&Sums::first);
    return {sums[w.nearest].level, clipped * each, 0.5 * mass};
  }
  const double below = w.below >= 0 ? sums[w.below].level : 0.0;
  const double above = w.above >= 0 ? sums[w.above].level : 0.0;
  return {sums[w.nearest].level, mass * each, 0.5 * (below + above)};
}

// The same sums with v as a further factor; an untouched pixel is x itself, on a level or not.
std::array<double, 3> ChannelModel::moments(const Window& w, const Sums* sums, double x) {
  const auto between = [&](double Sums::*what) { return sums[w.high + 1].*what - sums[w.low].*what; };
  const double first = between(&Sums::first);
  const double each = 1.0 / (2.0 * w.radius + 1.0);
  if (w.at_bottom || w.at_top) {
    const double clipped = w.offset() * first + w.sign() * between(&Sums::second);
    return {x * sums[w.nearest].level, clipped * each / kTop, 0.5 * first / kTop};
  }
  const auto weighted = [&](std::int64_t v) { return v >= 0 ? static_cast<double>(v) * sums[v].level : 0.0; };
  return {x * sums[w.nearest].level, first * each / kTop, 0.5 * (weighted(w.below) + weighted(w.above)) / kTop};
}

ChannelTerms ChannelModel::terms(double x, double radius, std::int64_t node) const {
  const Window w(x, radius);
  return {masses(w, row(node)), moments(w, row(node), x)};
}

ChannelModel::Place ChannelModel::place(double position) const {
  // NaN goes on, into the terms.
  const auto node = position >= 0.0 ? std::min(static_cast<std::int64_t>(position), nodes() - 2) : 0;
  return {row(node), row(node + 1), position - static_cast<double>(node)};
}

ChannelTerms ChannelModel::terms_at(double x, double radius, double parameter) const {
  const Place at = place(law_.position(parameter));
  const Window w(x, radius);
  return {mix(masses(w, at.low), masses(w, at.high), at.share),
          mix(moments(w, at.low, x), moments(w, at.high, x), at.share)};
}

std::uint64_t ChannelModel::level_key(double x, double radius) const {
  const Window w(x, radius);
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
  shares.masses.reserve(groups.size());
  for (const Group& group : groups) {
    const Window w(group.x, radius);
    const Place at = place(group.position);
    shares.masses.push_back(mix(masses(w, at.low), masses(w, at.high), at.share));
  }
  return shares;
}

void ChannelModel::improve_shares(const std::vector<Group>& groups, int iterations, Shares& shares) {
  Channel& channel = shares.channel;
  for (int iteration = 0; iteration < iterations; ++iteration) {
    std::array<double, 3> counts{1.0, 1.0, 1.0};
    shares.evidence = 0.0;
    const bool last = iteration + 1 == iterations;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      const auto& mass = shares.masses[i];
      const std::array<double, 3> parts{channel.untouched * mass[0], channel.uniform * mass[1],
                                        channel.extreme * mass[2]};
      const double all = sum(parts);
      const double scale = groups[i].count / all;
      for (std::size_t c = 0; c < 3; ++c) {
        counts[c] += scale * parts[c];
      }
      if (last) {
        shares.evidence += groups[i].count * std::log(all);
      }
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
