// Tangents for backends that have no tangent pass: the native backend repeats the forward pass, then runs its own.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include "vaeguard/networks/network.h"

namespace vaeguard::networks {

/// A member of the networks of such backends, which name backend() in tangent_backend().
class TangentFallback {
 public:
  /// What a tape stores for it: the inputs of the last forward pass.
  struct Memory {
    Matrix inputs;
    std::unique_ptr<Tape> tape;
  };

  explicit TangentFallback(const LayerGraph& graph) : graph_(graph) {}
  [[nodiscard]] std::string_view backend() const { return "native"; }
  /// As Network::tangent at `memory.inputs`. The other network is compiled at the first call.
  void tangent(const Matrix& input_tangents, Matrix& output_tangents, Memory& memory) const;

 private:
  const LayerGraph& graph_;
  mutable std::once_flag once_;
  mutable std::shared_ptr<const Network> network_;
};

}  // namespace vaeguard::networks
