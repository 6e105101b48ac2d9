// Projection onto ball and box: the multiplier in closed form piece by piece, then rounding towards the reference.
#include "vaeguard/attacks/ball.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace vaeguard::attacks {
namespace {

constexpr double kFarthest = 1e6;    // of a change; keeps differences of the sorted numbers below accurate enough
constexpr double kMargin = 0x1p-23;  // of the radius: one rounding of a difference to float, twice over

/// A pixel's unconstrained move and the room that the box leaves, both as lengths.
struct Move {
  double wanted = 0.0;
  double room = 0.0;
};

/// The larger of the differences in float and in double, since callers may measure either.
double measured(float x, float reference) {
  const double in_float = std::abs(x - reference);
  return std::max(in_float, std::abs(static_cast<double>(x) - reference));
}

double measured_l2(std::span<const float> reference, std::span<const float> x) {
  double sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double length = measured(x[i], reference[i]);
    sum += length * length;
  }
  return std::sqrt(sum);
}

double measured_l1(std::span<const float> reference, std::span<const float> x) {
  double sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += measured(x[i], reference[i]);
  }
  return sum;
}

std::vector<Move> moves(const Ball& ball, std::span<const float> x) {
  std::vector<Move> result(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double reference = ball.reference[i];
    const double change = std::isnan(x[i]) ? 0.0 : static_cast<double>(x[i]) - reference;
    result[i].wanted = std::min(std::abs(change), kFarthest);
    result[i].room = std::max(change > 0.0 ? ball.high - reference : reference - ball.low, 0.0);
  }
  return result;
}

/// The largest t for which sum min(t wanted, room)^2 is at most radius^2. Pixels that reach their side of the box for
/// one t do so for every larger one. Each pass solves for t as if no further pixel did, which underestimates t until
/// that is true.
double shrinkage(std::span<const Move> moves, double radius) {
  double t = 0.0;
  for (;;) {
    double fixed = 0.0;
    double free = 0.0;
    for (const Move& move : moves) {
      if (move.wanted * t >= move.room) {
        fixed += move.room * move.room;
      } else {
        free += move.wanted * move.wanted;
      }
    }
    if (free <= 0.0) {
      return t;
    }
    const double next = std::sqrt(std::max(radius * radius - fixed, 0.0) / free);
    if (!(next > t)) {
      return t;
    }
    t = next;
  }
}

/// The t for which sum min(max(wanted - t, 0), room) is `radius`, found from large t downwards: the slope of the sum is
/// the number of moving pixels; each starts at t = wanted and stops at its side of the box, at wanted - room.
double threshold(std::span<const Move> moves, double radius) {
  std::vector<std::pair<double, int>> events;  // (t, change of the number of pixels that move)
  events.reserve(2 * moves.size());
  for (const Move& move : moves) {
    if (move.wanted > 0.0 && move.room > 0.0) {
      events.emplace_back(move.wanted, 1);
      events.emplace_back(move.wanted - move.room, -1);
    }
  }
  std::ranges::sort(events, [](const auto& a, const auto& b) { return a.first > b.first; });
  double sum = 0.0;
  double last = 0.0;
  int moving = 0;
  for (const auto& [t, change] : events) {
    if (moving > 0) {
      const double grown = sum + moving * (last - t);
      if (grown >= radius || t < 0.0) {
        return std::max(last - (radius - sum) / moving, 0.0);
      }
      sum = grown;
    }
    last = t;
    moving += change;
  }
  return 0.0;
}

/// reference +- length as a float, rounded towards the reference.
float moved(float reference, double length, bool up) {
  const double exact = up ? reference + length : reference - length;
  const auto rounded = static_cast<float>(exact);
  if (up ? static_cast<double>(rounded) > exact : static_cast<double>(rounded) < exact) {
    return std::nextafter(rounded, reference);
  }
  return rounded;
}

/// Projects with `solve(radius)` -> the length that each pixel moves; aims slightly inside, and further inside if the
/// rounding of many pixels requires it.
template <typename Measure, typename Solve>
void project(const Ball& ball, std::span<float> x, const Measure& measure, const Solve& solve) {
  const std::vector<float> wanted(x.begin(), x.end());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = std::clamp(std::isnan(x[i]) ? ball.reference[i] : x[i], ball.low, ball.high);
  }
  const std::vector<Move> lengths = moves(ball, wanted);
  for (double margin = kMargin; !(measure(ball.reference, x) <= ball.radius); margin *= 2.0) {
    const auto length = solve(lengths, ball.radius * std::max(1.0 - margin, 0.0));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float reference = ball.reference[i];
      x[i] = margin > 1.0
                 ? reference
                 : std::clamp(moved(reference, length(lengths[i]), wanted[i] > reference), ball.low, ball.high);
    }
  }
}

}  // namespace

void project_to_l2_ball(const Ball& ball, std::span<float> x) {
  project(ball, x, measured_l2, [](std::span<const Move> all, double radius) {
    return [t = shrinkage(all, radius)](const Move& move) { return std::min(t * move.wanted, move.room); };
  });
}

void project_to_l1_ball(const Ball& ball, std::span<float> x) {
  project(ball, x, measured_l1, [](std::span<const Move> all, double radius) {
    return
        [t = threshold(all, radius)](const Move& move) { return std::min(std::max(move.wanted - t, 0.0), move.room); };
  });
}

double l2_size(std::span<const float> reference, std::span<const float> x) {
  double sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double change = static_cast<double>(x[i]) - reference[i];
    sum += change * change;
  }
  return std::sqrt(sum);
}

double l1_size(std::span<const float> reference, std::span<const float> x) {
  double sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += std::abs(static_cast<double>(x[i]) - reference[i]);
  }
  return sum;
}

}  // namespace vaeguard::attacks
