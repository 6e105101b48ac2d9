// A VAE from two ONNX files, its encoder and its decoder.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "vaeguard/importers/import_options.h"
#include "vaeguard/importers/onnx_graph.h"
#include "vaeguard/models/layered_vae.h"

namespace vaeguard::importers {

struct ImportedVae {
  models::VaeWeights vae;
  std::vector<std::pair<std::string, std::string>> summary;  // what was understood: a word, and a line on it
};

/// For a likelihood on logits a last sigmoid of the decoder is taken away. Throws Misuse that names the file, and the
/// node where it is one.
ImportedVae import_vae(const OnnxGraph& encoder, const OnnxGraph& decoder, const ImportOptions& options = {});
ImportedVae import_vae(const std::filesystem::path& encoder, const std::filesystem::path& decoder,
                       const ImportOptions& options = {});

}  // namespace vaeguard::importers
