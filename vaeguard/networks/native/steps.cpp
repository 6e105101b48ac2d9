// What steps share.
#include "vaeguard/networks/native/steps.h"

#include <algorithm>

namespace vaeguard::networks::native {

void LinearStep::forward(const Group& group) const {
  push(group, group.values[sources[0].buffer], group.values[target]);
}

void LinearStep::backward(const Group& group) const {
  const Source& source = sources[0];
  if (group.gradients[source.buffer] == nullptr) {
    return;
  }
  float* share = group.scratch->require(group.rows * source.size);
  std::fill_n(share, group.rows * source.size, 0.0F);
  pull(group, group.gradients[target], share);
  write_share(group, source, share);
}

void LinearStep::tangent(const Group& group) const {
  push(group, group.tangents[sources[0].buffer], group.tangents[target]);
}

Function function_of(const LayerOptions& options) {
  return {options.activation, static_cast<float>(options.slope), static_cast<float>(options.low),
          static_cast<float>(options.high)};
}

void write_share(const Group& group, const Source& source, const float* share) {
  float* to = group.gradients[source.buffer];
  const float* values = group.values[source.buffer];
  const float* slopes = group.slopes[source.buffer];
  const std::int64_t count = group.rows * source.size;
  if (slopes != nullptr) {
    for (std::int64_t i = 0; i < count; ++i) {
      to[i] = source.accumulate ? to[i] + slopes[i] * share[i] : slopes[i] * share[i];
    }
  } else if (!source.rectified && source.accumulate) {
    for (std::int64_t i = 0; i < count; ++i) {
      to[i] += share[i];
    }
  } else if (!source.rectified) {
    std::copy_n(share, count, to);
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      const float value = values[i] > 0.0F ? share[i] : 0.0F;
      to[i] = source.accumulate ? to[i] + value : value;
    }
  }
}

}  // namespace vaeguard::networks::native
