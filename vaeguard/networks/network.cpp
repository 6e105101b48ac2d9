// Choosing a backend, and forward passes over many rows.
#include "vaeguard/networks/network.h"

#include <cstdlib>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/networks/native/native_network.h"
#ifdef VAEGUARD_WITH_ONEDNN
#include "vaeguard/networks/onednn/onednn_network.h"
#endif
#include "vaeguard/networks/reference/reference_network.h"

namespace vaeguard::networks {
namespace {

std::vector<const Backend*>& registry() {
  static std::vector<const Backend*> all{
      &native_backend(),
#ifdef VAEGUARD_WITH_ONEDNN
      &onednn_backend(),
#endif
      &reference_backend(),
  };
  return all;
}

}  // namespace

const std::vector<const Backend*>& backends() { return registry(); }

// The reference stays last: it runs everything, but slowly.
void register_backend(const Backend& backend) { registry().insert(registry().end() - 1, &backend); }

const Backend& select_backend(std::string_view wanted, const LayerGraph& graph) {
  std::string_view name = wanted;
  if (const char* variable = std::getenv("VAEGUARD_BACKEND");
      name == "auto" && variable != nullptr && *variable != '\0') {
    name = variable;
  }
  std::string names;
  std::string reasons;
  for (const Backend* backend : registry()) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", backend->name());
    if (name != "auto" && name != backend->name()) {
      continue;
    }
    const std::string reason = backend->unsupported(graph);
    if (reason.empty()) {
      return *backend;
    }
    if (name != "auto") {
      misuse("networks", "the backend {} cannot run this graph: {}", name, reason);
    }
    reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", backend->name(), reason);
  }
  if (name == "auto") {
    misuse("networks", "no backend can run this graph: {}", reasons);
  }
  misuse("networks", "backend must be auto or one of {}, got '{}'", names, name);
}

std::shared_ptr<const Network> compile(const LayerGraph& graph, std::string_view backend) {
  return select_backend(backend, graph).compile(graph);
}

Matrix forward_all(const DifferentiableFunction& function, const MatrixView& inputs, int threads) {
  Matrix result(inputs.rows(), function.output_size());
  map_rows(inputs, threads, result,
           [&](const Matrix& some, Matrix& outputs) { function.forward(some, outputs, *function.make_tape()); });
  return result;
}

}  // namespace vaeguard::networks
