// The native backend: every weighted layer a matrix product over gathered inputs, in kernels made for this processor.
#pragma once

#include <memory>

#include "vaeguard/networks/network.h"

namespace vaeguard::networks {

/// Each output is one sum in an order that its layer alone decides, so a row's result is bit for bit independent of
/// batch, thread and order. Work in the padding and on constant positions is not done at all.
const Backend& native_backend();

}  // namespace vaeguard::networks
