// When an attack has succeeded, whatever its goal: the class has changed, or the reconstruction has moved.
#pragma once

#include <memory>

#include "vaeguard/attacks/goal.h"
#include "vaeguard/attacks/registry.h"

namespace vaeguard::attacks {

struct Success {
  enum class Rule {
    other_class,     // than the latent classifier gives the clean mean code
    reconstruction,  // more than `distance` away from that of the clean mean code
  };
  Rule rule = Rule::other_class;
  double distance = 0.0;  // Euclidean, of pixels from 0 to 1
};

/// Throws Misuse if the distance is not finite or below 0.
void validate(const Success& success);

/// An attack has succeeded if the criterion holds for more than this share of codes.
inline constexpr double kMostCodes = 0.5;

/// The share of codes that meet the criterion: 0 or 1 for the mean code alone, or over inputs.draws draws of q(z|x).
/// With draws and `reconstruction`, more than half means that the image is not r-robust there: the probability of a
/// reconstruction within r = distance is below 1/2 (Camuto et al. 2021, arXiv 2007.07365). The draws differ from those
/// that a goal of these inputs sees, so an attack is not judged by the noise that it has fitted. No gradient.
std::unique_ptr<Goal> make_judge(const Success& success, const GoalInputs& inputs);

}  // namespace vaeguard::attacks
