// Nearest points in the intersection of an L2 or L1 ball and the pixel box, inside the ball also in float arithmetic.
#pragma once

#include <span>

namespace vaeguard::attacks {

/// One image's ball around `reference` within low <= x <= high; `reference` lies in the box.
struct Ball {
  std::span<const float> reference;
  double radius = 0.0;
  float low = 0.0F;
  float high = 1.0F;
};

/// Moves `x` to the nearest point in the intersection of ball and box (not to one and then to the other). The norm of x
/// - reference, computed in float or in double and summed in double, is at most `radius`; a point that is already
/// inside stays. NaN pixels become the reference's; changes beyond 1e6 count as 1e6.
///
/// The nearest point moves pixel i by sign(d_i) min(t |d_i|, room_i) for the L2 ball, by sign(d_i) min(max(|d_i| - t,
/// 0), room_i) for the L1 ball, where d = x - reference, room_i is the room that the box leaves on that side, and t is
/// the number for which the norm is `radius` (the conditions of Karush, Kuhn and Tucker).
void project_to_l2_ball(const Ball& ball, std::span<float> x);
void project_to_l1_ball(const Ball& ball, std::span<float> x);

/// The norms of x - reference, summed in double.
double l2_size(std::span<const float> reference, std::span<const float> x);
double l1_size(std::span<const float> reference, std::span<const float> x);

}  // namespace vaeguard::attacks
