// What an image's draws say of its class: probabilities over draws, their vote, and how sure that is.
#pragma once

#include <cstdint>
#include <vector>

#include "vaeguard/defences/defence.h"
#include "vaeguard/models/classifier.h"

namespace vaeguard::measures {

struct Vote {
  std::vector<std::int64_t> winners;  // [B] the class that most kept draws have, the lowest of those that tie; kNoClass
                                      // where no draw has one
  Matrix probabilities;               // [B, classes] mean over the kept draws: the posterior's class probabilities
  std::vector<double> error;          // [B] Monte Carlo standard error of the most probable class's probability; NaN
                                      // where there are too few draws or it never changes
};

/// From inference.draws, which must not be empty.
Vote vote(const models::LinearClassifier& classifier, const defences::Inference& inference);

}  // namespace vaeguard::measures
