// The lanes backend: sixteen images side by side in vector registers, every layer one sparse gather.
#pragma once

#include <memory>

#include "vaeguard/networks/network.h"

namespace vaeguard::networks {

/// Each lane's arithmetic is the same whatever the other lanes hold, so a row's result is bit for bit independent of
/// batch, thread and order. Work in the padding and on constant positions is not done at all.
const Backend& lanes_backend();

}  // namespace vaeguard::networks
