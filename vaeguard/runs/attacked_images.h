// The images that an attack made: computed, encoded and stored once, whatever is measured on them later.
#pragma once

#include <filesystem>
#include <functional>

#include "vaeguard/attacks/attack.h"
#include "vaeguard/measures/measure.h"

namespace vaeguard::runs {

/// Reads the attacked images from `file`; if it does not exist, first writes what `attack` gives: images [N, C, H, W],
/// N = references x restarts, the model's reconstructions, codes and the objective. Always reads them back from the
/// file, so that a resumed run sees the same bits.
measures::Attacked attacked_images(const std::filesystem::path& file, const models::Vae& vae, int threads,
                                   const std::function<attacks::AttackResult()>& attack);

}  // namespace vaeguard::runs
