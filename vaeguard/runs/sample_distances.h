// Distances of samples from test images, whose moments all models of a run share; computed on first use.
#pragma once

#include <cstdint>
#include <optional>

#include "vaeguard/base/observer.h"
#include "vaeguard/data/dataset.h"
#include "vaeguard/measures/sample_distance.h"
#include "vaeguard/runs/run_options.h"

namespace vaeguard::runs {

class SampleDistances {
 public:
  /// Compares with `images` test images; the references must outlive this.
  SampleDistances(const data::Dataset& dataset, std::int64_t images, const RunOptions& options, Observer& observer)
      : dataset_(dataset), images_(images), options_(options), observer_(observer) {}

  /// By the features of a classifier that is trained here; null if `images` is 0 or the data have no classes.
  const measures::SampleDistance* classifier();
  /// By the features of options.inception, which must not be null.
  const measures::SampleDistance& inception();

 private:
  const data::Dataset& dataset_;
  std::int64_t images_;
  const RunOptions& options_;
  Observer& observer_;
  std::optional<measures::SampleDistance> classifier_;
  std::optional<measures::SampleDistance> inception_;
};

}  // namespace vaeguard::runs
