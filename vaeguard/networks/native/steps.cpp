// What steps share.
#include "vaeguard/networks/native/steps.h"

namespace vaeguard::networks::native {

void write_share(const Group& group, const Source& source, const float* share) {
  float* to = group.gradients[source.buffer];
  const float* values = group.values[source.buffer];
  for (std::int64_t i = 0; i < group.rows * source.size; ++i) {
    const float value = source.rectified && !(values[i] > 0.0F) ? 0.0F : share[i];
    to[i] = source.accumulate ? to[i] + value : value;
  }
}

}  // namespace vaeguard::networks::native
