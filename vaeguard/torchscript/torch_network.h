// The torch backend: layer graphs run by libtorch, transposed convolutions rewritten as plain ones.
#pragma once

#include "vaeguard/networks/network.h"

namespace vaeguard::networks {

/// For comparison and for processors that the native backend does not serve well. libtorch may choose another algorithm
/// for another number of rows, so here a row's result depends on its batch, within rounding. Compiling sets libtorch to
/// one thread, since callers hand chunks of rows to threads themselves.
const Backend& torch_backend();

}  // namespace vaeguard::networks
