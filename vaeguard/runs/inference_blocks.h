// Runs a defence over many images in blocks that are saved as they finish: the unit of work that survives a killed run.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "vaeguard/base/observer.h"
#include "vaeguard/base/random.h"
#include "vaeguard/defences/defence.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::runs {

struct TimedInference {
  defences::Inference inference;
  double seconds = 0.0;  // of all blocks, including those of earlier calls
};

/// What `defence` infers from `images` [B, P], image b with keys[b]. Blocks are saved in `folder`, which the caller
/// removes once the cell is recorded, and always read back from there, so that a resumed run sees the same bits. `cost`
/// is the number of gradients per image, for the size of a block. `task` names the work to the observer.
TimedInference infer_in_blocks(const defences::Defence& defence, double cost, const models::Vae& vae,
                               const Matrix& images, std::span<const Key> keys, const std::filesystem::path& folder,
                               const std::string& task, int threads, Observer& observer);

}  // namespace vaeguard::runs
