// The images that a plan attacks, and the keys of what is drawn for them: the same for every model, attack and radius.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "vaeguard/data/dataset.h"
#include "vaeguard/measures/measure.h"

namespace vaeguard::runs {

/// `number` test images, stratified by class if there are classes, and what is known of them: the same for every plan
/// with this seed and number.
measures::References plan_references(std::uint64_t seed, std::int64_t number, const measures::Subject& subject,
                                     const data::Dataset& dataset, int threads);

/// The keys of a defence for each reference and restart; the same at every radius, so that cells share random numbers.
std::vector<Key> defence_keys(std::uint64_t seed, std::string_view defence, const measures::References& references,
                              std::int64_t restarts);

}  // namespace vaeguard::runs
