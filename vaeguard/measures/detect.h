// How well a defence tells attacked images from clean ones, from the scores that it leaves anyway.
#pragma once

#include <string_view>
#include <vector>

#include "vaeguard/measures/record.h"

namespace vaeguard::measures {

/// Metrics per image that are higher for suspicious ones: energy_drop (log posterior ratio of the defended code to the
/// one the chain began with), touched, encoder_shift.
const std::vector<std::string_view>& detection_scores();

/// AUROC and the true positive rate at 1 % false positives of one score, over all restarts; the column `score` names
/// it. `prototype` gives the other columns. Empty where either side has no such score.
std::vector<Measurement> measure_detection(std::string_view score, const std::vector<Item>& clean,
                                           const std::vector<Item>& attacked, const Measurement& prototype);

}  // namespace vaeguard::measures
