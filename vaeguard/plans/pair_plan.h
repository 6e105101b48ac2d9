// A model from outside as data: the files of its encoder and its decoder, and what must be said of them.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "vaeguard/importers/import_options.h"

namespace vaeguard::plans {

/// ONNX files if they end in .onnx, else TorchScript modules.
struct PairPlan {
  std::filesystem::path encoder;
  std::filesystem::path decoder;  // where it is the encoder's file, one module with the methods encode and decode
  importers::ImportOptions options;

  [[nodiscard]] bool onnx() const { return encoder.extension() == ".onnx"; }
  /// Those that it names, each once.
  [[nodiscard]] std::vector<std::filesystem::path> files() const;
};

/// Reads TOML with the keys encoder and decoder, or module for both in one; likelihood and its options; layout,
/// encoder_outputs, decoder_output, decoder_gives, image, pixels and encoder_pixels. Relative files are those of
/// `folder`. Throws Misuse that names place, line, key, expectation and value.
PairPlan parse_pair(std::string_view text, std::string_view place, const std::filesystem::path& folder = {});
PairPlan load_pair(const std::filesystem::path& file);

}  // namespace vaeguard::plans
