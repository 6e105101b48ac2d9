// How well a defence tells attacked images from clean ones, by scores that it computes anyway.
#pragma once

#include <string_view>
#include <vector>

#include "vaeguard/measures/record.h"

namespace vaeguard::measures {

/// Metrics per image that are higher for suspicious images: energy_drop (log posterior ratio of the defended code to
/// the initial code of the chain), touched, encoder_shift.
const std::vector<std::string_view>& detection_scores();

/// AUROC and the true positive rate at 1 % false positives for one score, named in the column `score`, over all
/// restarts. `prototype` gives the other columns. Empty if either side lacks the score.
std::vector<Measurement> measure_detection(std::string_view score, const std::vector<Item>& clean,
                                           const std::vector<Item>& attacked, const Measurement& prototype);

}  // namespace vaeguard::measures
