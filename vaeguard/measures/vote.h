// The class of an image according to its draws: probabilities, the majority vote, and their Monte Carlo error.
#pragma once

#include <cstdint>
#include <vector>

#include "vaeguard/defences/defence.h"
#include "vaeguard/models/classifier.h"

namespace vaeguard::measures {

struct Vote {
  std::vector<std::int64_t> winners;  // [B] the class of most kept draws, the lowest on a tie; kNoClass if no draw has
                                      // a class
  Matrix probabilities;               // [B, classes] mean over the kept draws: the posterior's class probabilities
  std::vector<double> error;          // [B] Monte Carlo standard error of the most probable class's probability; NaN
                                      // if there are too few draws or it is the same in all of them
};

/// Classifies inference.draws, which must not be empty.
Vote vote(const models::LinearClassifier& classifier, const defences::Inference& inference);

}  // namespace vaeguard::measures
