// The onednn backend: layers as convolution primitives of the oneDNN library, made once for a fixed number of rows.
#pragma once

#include "vaeguard/networks/network.h"

namespace vaeguard::networks {

/// Rows are processed in chunks of one size, the last one padded with zeros, and the form of a layer depends only on
/// its shape, so a row's result is bit for bit independent of batch, thread, process and order.
const Backend& onednn_backend();

}  // namespace vaeguard::networks
