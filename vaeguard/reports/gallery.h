// The pictures of a scenario, like the paper's figure 3: references, attacked images, and their reconstructions.
#pragma once

#include <string>
#include <vector>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/base/matrix.h"
#include "vaeguard/reports/run_records.h"
#include "vaeguard/reports/scenario.h"

namespace vaeguard::reports {

struct GalleryRow {
  std::string label = {};
  Matrix images;  // [shown, C*H*W]
};

struct Gallery {
  ImageShape shape;
  std::vector<GalleryRow> rows;  // empty if no arrays were kept
  std::string choice;            // how the images were chosen, one sentence
};

/// Reads the arrays of the scenario's cells and takes at most `most` references: one of each label in turn, evenly over
/// the list of references, each with its first restart. Nothing is selected by its looks.
Gallery gallery(const RunRecords& records, const Scenario& scenario, std::int64_t most);

}  // namespace vaeguard::reports
