// A trained model in a file: VAE weights, optionally a classifier, and text about their origin.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "vaeguard/models/classifier.h"
#include "vaeguard/models/safetensors.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::models {

/// Stored as safetensors: encoder.0.weight, encoder.0.bias, ..., decoder.4.bias, classifier.weight, classifier.bias,
/// pixel_law.grid (first node, spacing), pixel_law.probability, pixel_law.weight, prior.0.0.weight, prior.0.0.bias,
/// ..., and in the metadata the architecture with all its layers, the likelihood, the prior where it was learned, and
/// the entries of `metadata`. Files with a learned prior are of format_version 2, those with graphs of several inputs
/// or outputs of 3, which programs that know none refuse.
struct Checkpoint {
  VaeWeights vae;
  std::optional<LinearClassifier> classifier;
  /// Free text by key: training options, digest of the data, metrics. Keys that the format uses are refused.
  std::map<std::string, std::string> metadata;
};

Safetensors to_safetensors(const Checkpoint& checkpoint);
/// Throws Misuse that names `place`, the tensor or entry, what was expected and what was found. Tensors of other names,
/// such as an optimiser's, are ignored.
Checkpoint from_safetensors(const Safetensors& file, std::string_view place);

Checkpoint load_checkpoint(const std::filesystem::path& file);
void save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& file);

}  // namespace vaeguard::models
