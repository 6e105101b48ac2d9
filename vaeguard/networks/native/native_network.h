// The native backend: every weighted layer is a matrix product over gathered inputs, by kernels for this processor.
#pragma once

#include <memory>

#include "vaeguard/networks/network.h"

namespace vaeguard::networks {

/// Each output is one sum in an order that depends only on its layer, so a row's result is bit for bit independent of
/// batch, thread and order. Padding and constant positions cost no work.
const Backend& native_backend();

}  // namespace vaeguard::networks
