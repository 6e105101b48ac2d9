// Accuracy of a classifier of latent codes: agreement with the clean prediction, and with the label.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vaeguard::metrics {

/// 1 where the two classes are equal, else 0. With the undefended prediction on the clean image as `expected` this is
/// the metric `agreement`, with the true label `label_accuracy`. `expected` holds one class per reference, `predicted`
/// one per attacked image, with the restarts of one reference in consecutive rows: predicted.size() is a multiple of
/// expected.size().
std::vector<double> same_class(std::span<const std::int64_t> predicted, std::span<const std::int64_t> expected);

}  // namespace vaeguard::metrics
