// Features are trained or loaded once per run.
#include "vaeguard/runs/sample_distances.h"

namespace vaeguard::runs {

const measures::SampleDistance* SampleDistances::classifier() {
  if (images_ < 1 || dataset_.classes < 2) {
    return nullptr;
  }
  if (!classifier_) {
    observer_.message("learning features for the Frechet distance");
    classifier_.emplace(measures::learn_features(dataset_, options_.threads, observer_), dataset_, images_,
                        options_.threads, observer_);
  }
  return &*classifier_;
}

const measures::SampleDistance& SampleDistances::inception() {
  if (!inception_) {
    inception_.emplace(options_.inception, dataset_, images_, options_.threads, observer_);
  }
  return *inception_;
}

}  // namespace vaeguard::runs
