// Bytes as an ONNX file: what is imported must be a network, and survive being stored and loaded.
#include "fuzz/target.h"
#include "vaeguard/importers/onnx_import.h"
#include "vaeguard/models/stored_graph.h"

using namespace vaeguard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::read_or_refuse([&] {
    const auto graph = importers::import_network(importers::parse_onnx(fuzz::text(data, size), "input")).graph;
    fuzz::demand(networks::defect(graph).empty());
    models::Safetensors file;
    models::store_graph(graph, "network", file);
    fuzz::demand(models::load_graph(file, "network", "input again").parameters == graph.parameters);
  });
}
