// Comparison of classes as zeros and ones, ready for estimate_by_reference.
#include "vaeguard/metrics/accuracy.h"

#include "vaeguard/base/error.h"

namespace vaeguard::metrics {

std::vector<double> same_class(std::span<const std::int64_t> predicted, std::span<const std::int64_t> expected) {
  if (predicted.empty() && expected.empty()) {
    return {};
  }
  if (expected.empty() || predicted.empty() || predicted.size() % expected.size() != 0) {
    misuse("metrics.same_class", "predicted classes must number references * restarts, got {} for {} references",
           predicted.size(), expected.size());
  }
  const std::size_t restarts = predicted.size() / expected.size();
  std::vector<double> result;
  result.reserve(predicted.size());
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    result.push_back(predicted[i] == expected[i / restarts] ? 1.0 : 0.0);
  }
  return result;
}

}  // namespace vaeguard::metrics
