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
constexpr double kRounding = 1e-3;  // of a level: float pixels that should lie on a bound do
// Prior share of extreme moves among touched pixels, with as much weight as the image: attackers use the radius they
// have, and the image says little about the share if the distribution of true pixels is broad.
constexpr double kExtreme = 0.9;
constexpr std::size_t kFinalists = 8;
// Rounds of expectation maximisation; for broad pixel laws shares still move by some percent.
constexpr int kImprovements = 8;
constexpr std::size_t kFactors = 4;  // of masses, which are probabilities of float pixels: their product is far from 0

double mix(double low, double high, double share) { return low + share * (high - low); }

std::array<double, 3> mix(const std::array<double, 3>& low, const std::array<double, 3>& high, double share) {
  return {mix(low[0], high[0], share), mix(low[1], high[1], share), mix(low[2], high[2], share)};
}

double sum(const std::array<double, 3>& values) { return values[0] + values[1] + values[2]; }

// Casts are much faster than calls of floor; for arguments above -kLevels.
constexpr std::int64_t fast_floor(double v) { return static_cast<std::int64_t>(v + kLevels) - kLevels; }

}  // namespace

// An observed pixel in levels; clamped to the range.
struct ChannelModel::Observed {
  explicit Observed(double x) : level(kTop * std::clamp(x, 0.0, 1.0)) {}

  [[nodiscard]] std::int64_t nearest() const {
    return std::clamp<std::int64_t>(fast_floor(level + 0.5), 0, kLevels - 1);
  }
  [[nodiscard]] bool at_bottom() const { return level <= kRounding; }
  [[nodiscard]] bool at_top() const { return level >= kTop - kRounding; }

  double level;
};

// Pixels with equal observed and decoded values, mostly background.
struct ChannelModel::Group {
  Observed x;
  Place at;
  double count;
};

// A radius in levels.
struct ChannelModel::Reach {
  explicit Reach(double pixel_radius) : radius(kTop * pixel_radius), each(1.0 / (2.0 * radius + 1.0)) {}

  double radius;
  double each;  // probability of each uniform amount
};

// The true levels that a touched pixel with the observed value can have had.
struct ChannelModel::Window {
  Window(Observed x, Reach within);

  // Clipped, a level v has the probability (offset + sign v) / (2 r + 1) in the uniform sums.
  [[nodiscard]] double offset() const { return reach.radius + 0.5 - (at_bottom ? 0.0 : kTop); }
  [[nodiscard]] double sign() const { return at_bottom ? -1.0 : 1.0; }
  // Share of extreme moves towards the end at which x lies.
  [[nodiscard]] double share_to_end(double up) const { return at_bottom ? 1.0 - up : up; }

  Reach reach;
  std::int64_t low;  // uniform: low .. high
  std::int64_t high;
  std::int64_t below;  // extreme: moved up from here, or down from `above`; -1 if there is no such level
  std::int64_t above;
  bool at_bottom;  // clipped
  bool at_top;
};

ChannelModel::Window::Window(Observed x, Reach within) : reach(within), at_bottom(x.at_bottom()), at_top(x.at_top()) {
  const auto inside = [](double v) { return v > -0.5 && v < kTop + 0.5 ? fast_floor(v + 0.5) : -1; };
  low = std::max<std::int64_t>(0, fast_floor(x.level - reach.radius - kRounding) + 1);
  high = std::min<std::int64_t>(kLevels - 1, fast_floor(x.level + reach.radius + kRounding));
  below = inside(x.level - reach.radius);
  above = inside(x.level + reach.radius);
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

// A uniform amount e in -r .. r takes a level v to x with probability 1 / (2 r + 1), and below 0 with probability (r -
// v + 1/2) / (2 r + 1): sums over v follow from the cumulative ones.
std::array<double, 2> ChannelModel::touched_masses(const Window& w, const Sums* sums, double up) {
  const auto between = [&](double Sums::*what) { return sums[w.high + 1].*what - sums[w.low].*what; };
  const double mass = between(&Sums::mass);
  if (w.at_bottom || w.at_top) {
    const double clipped = w.offset() * mass + w.sign() * between(&Sums::first);
    return {clipped * w.reach.each, w.share_to_end(up) * mass};
  }
  const double below = w.below >= 0 ? sums[w.below].level : 0.0;
  const double above = w.above >= 0 ? sums[w.above].level : 0.0;
  return {mass * w.reach.each, up * below + (1.0 - up) * above};
}

// The same sums with v as a further factor.
std::array<double, 2> ChannelModel::touched_moments(const Window& w, const Sums* sums, double up) {
  const auto between = [&](double Sums::*what) { return sums[w.high + 1].*what - sums[w.low].*what; };
  const double first = between(&Sums::first);
  if (w.at_bottom || w.at_top) {
    const double clipped = w.offset() * first + w.sign() * between(&Sums::second);
    return {clipped * w.reach.each / kTop, w.share_to_end(up) * first / kTop};
  }
  const auto weighted = [&](std::int64_t v) { return v >= 0 ? static_cast<double>(v) * sums[v].level : 0.0; };
  return {first * w.reach.each / kTop, (up * weighted(w.below) + (1.0 - up) * weighted(w.above)) / kTop};
}

// An untouched pixel is x itself, on a level or not.
ChannelTerms ChannelModel::terms_in(double x, const Window& w, const Sums* sums, double up) {
  const double untouched = sums[Observed(x).nearest()].level;
  const auto [uniform, extreme] = touched_masses(w, sums, up);
  const auto [uniform_moment, extreme_moment] = touched_moments(w, sums, up);
  return {{untouched, uniform, extreme}, {std::clamp(x, 0.0, 1.0) * untouched, uniform_moment, extreme_moment}};
}

ChannelTerms ChannelModel::terms(double x, double radius, std::int64_t node, double up) const {
  return terms_in(x, Window(Observed(x), Reach(radius)), row(node), up);
}

ChannelModel::Place ChannelModel::place(double position) const {
  // NaN propagates into the terms.
  const auto node = position >= 0.0 ? std::min(static_cast<std::int64_t>(position), nodes() - 2) : 0;
  return {row(node), row(node + 1), position - static_cast<double>(node)};
}

ChannelTerms ChannelModel::terms_at(double x, double radius, double parameter, double up) const {
  const Place at = place(law_.position(parameter));
  const Window w(Observed{x}, Reach{radius});
  const ChannelTerms low = terms_in(x, w, at.low, up);
  const ChannelTerms high = terms_in(x, w, at.high, up);
  return {mix(low.mass, high.mass, at.share), mix(low.moment, high.moment, at.share)};
}

std::uint64_t ChannelModel::level_key(double x, double radius) const {
  const Observed observed(x);
  const Window w(observed, Reach{radius});
  std::uint64_t key = (w.at_bottom ? 1U : 0U) + (w.at_top ? 2U : 0U);
  for (const std::int64_t part : {w.low, w.high, observed.nearest(), w.below + 1, w.above + 1}) {
    key = key * 512 + static_cast<std::uint64_t>(part);
  }
  return key;
}

std::vector<ChannelModel::Group> ChannelModel::groups_of(std::span<const float> image,
                                                         std::span<const float> parameters) const {
  std::vector<std::pair<float, double>> pixels(image.size());  // and its place among the nodes
  for (std::size_t i = 0; i < image.size(); ++i) {
    pixels[i] = {image[i], law_.position(parameters[i])};
  }
  std::ranges::sort(pixels);
  std::vector<Group> groups;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    if (i > 0 && pixels[i] == pixels[i - 1]) {
      groups.back().count += 1.0;
    } else {
      groups.push_back({Observed(pixels[i].first), place(pixels[i].second), 1.0});
    }
  }
  return groups;
}

ChannelModel::Masses ChannelModel::untouched_masses(const std::vector<Group>& groups) const {
  Masses masses;
  for (auto& of_cause : masses) {
    of_cause.resize(groups.size());
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto& [x, at, count] = groups[i];
    const std::int64_t level = x.nearest();
    masses[0][i] = mix(at.low[level].level, at.high[level].level, at.share);
  }
  return masses;
}

void ChannelModel::touch(const std::vector<Group>& groups, double radius, Masses& masses) const {
  const Reach reach(radius);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto& [x, at, count] = groups[i];
    const Window w(x, reach);
    const auto low = touched_masses(w, at.low, kEitherWay);
    const auto high = touched_masses(w, at.high, kEitherWay);
    masses[1][i] = mix(low[0], high[0], at.share);
    masses[2][i] = mix(low[1], high[1], at.share);
  }
}

void ChannelModel::improve_shares(const std::vector<Group>& groups, const Masses& masses, Channel& channel) {
  std::array<double, 3> counts{1.0, 1.0, 1.0};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const std::array<double, 3> parts{channel.untouched * masses[0][i], channel.uniform * masses[1][i],
                                      channel.extreme * masses[2][i]};
    const double scale = groups[i].count / sum(parts);
    for (std::size_t c = 0; c < 3; ++c) {
      counts[c] += scale * parts[c];
    }
  }
  const double total = sum(counts);
  const double touched = (counts[1] + counts[2]) / total;
  const double extreme = 0.5 * (counts[2] / (counts[1] + counts[2]) + kExtreme);
  channel.untouched = counts[0] / total;
  channel.uniform = touched * (1.0 - extreme);
  channel.extreme = touched * extreme;
}

double ChannelModel::log_evidence(const std::vector<Group>& groups, const Masses& masses, const Channel& channel) {
  double evidence = 0.0;
  double product = 1.0;  // of a few factors, for one logarithm
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const double mass = mixed(channel, {masses[0][i], masses[1][i], masses[2][i]});
    if (groups[i].count > 1.0) {
      evidence += groups[i].count * std::log(mass);
    } else {
      product *= mass;
    }
    if (i % kFactors == 0) {
      evidence += std::log(std::exchange(product, 1.0));
    }
  }
  return evidence + std::log(product);
}

double ChannelModel::look(const std::vector<Group>& groups, double radius, int improvements, Masses& masses,
                          Channel& channel) const {
  touch(groups, radius, masses);
  channel = {radius, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0};
  for (int i = 0; i < improvements; ++i) {
    improve_shares(groups, masses, channel);
  }
  return log_evidence(groups, masses, channel);
}

Channel ChannelModel::fit_shares(std::span<const float> image, std::span<const float> parameters, double radius,
                                 double* evidence) const {
  const std::vector<Group> groups = groups_of(image, parameters);
  Masses masses = untouched_masses(groups);
  Channel channel;
  const double found = look(groups, radius, kImprovements, masses, channel);
  if (evidence != nullptr) {
    *evidence = found;
  }
  return channel;
}

// All radii get a first round, and the most probable ones the rest.
Channel ChannelModel::fit(std::span<const float> image, std::span<const float> parameters, double largest) const {
  if (!std::isfinite(largest) || largest <= 0.0 || largest > 1.0) {
    misuse("energy.channel", "the largest radius must be in (0, 1], got {}", largest);
  }
  struct Candidate {
    Channel channel;
    double evidence = 0.0;
  };
  const std::vector<Group> groups = groups_of(image, parameters);
  Masses masses = untouched_masses(groups);  // for one radius at a time, so that they stay in the first-level cache
  std::vector<Candidate> candidates;
  for (int level = 1; level <= std::max(1L, std::lround(kTop * largest)); ++level) {
    Candidate& candidate = candidates.emplace_back();
    candidate.evidence = look(groups, level / kTop, 1, masses, candidate.channel);
  }
  std::ranges::stable_sort(candidates, std::greater<>{}, &Candidate::evidence);
  candidates.resize(std::min(candidates.size(), kFinalists));
  for (auto& [channel, evidence] : candidates) {
    evidence = look(groups, channel.radius, kImprovements, masses, channel);
  }
  return std::ranges::max_element(candidates, {}, &Candidate::evidence)->channel;
}

std::vector<ExtremeMove> ChannelModel::extreme_moves(std::span<const float> image, std::span<const float> parameters,
                                                     const Channel& channel) const {
  std::vector<ExtremeMove> moves;
  moves.reserve(image.size());
  for (std::size_t i = 0; i < image.size(); ++i) {
    const auto [untouched, uniform, from_below] = terms_at(image[i], channel.radius, parameters[i], 1.0).mass;
    const double from_above = terms_at(image[i], channel.radius, parameters[i], 0.0).mass[2];
    const double up = channel.extreme * kEitherWay * from_below;
    const double down = channel.extreme * (1.0 - kEitherWay) * from_above;
    const double all = channel.untouched * untouched + channel.uniform * uniform + up + down;
    moves.push_back({up / all, down / all});
  }
  return moves;
}

void ChannelModel::expected_image(std::span<const float> image, std::span<const float> parameters,
                                  const Channel& channel, std::span<float> expected) const {
  for (std::size_t i = 0; i < image.size(); ++i) {
    const ChannelTerms terms = terms_at(image[i], channel.radius, parameters[i], channel.up_at(i));
    const double mass = mixed(channel, terms.mass);
    expected[i] = static_cast<float>(std::clamp(mixed(channel, terms.moment) / mass, 0.0, 1.0));
  }
}

}  // namespace vaeguard::energy
