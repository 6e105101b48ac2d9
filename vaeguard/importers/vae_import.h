// A VAE from two ONNX files, its encoder and its decoder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/importers/onnx_graph.h"
#include "vaeguard/models/layered_vae.h"
#include "vaeguard/models/likelihood.h"

namespace vaeguard::importers {

/// How an encoder gives D means and D log-variances.
enum class EncoderLayout {
  automatic,    // separate where there are two outputs, together where there is one
  separate,     // two outputs of D values: means, log-variances
  together,     // one output: all means, then all log-variances
  interleaved,  // one output: the mean of a latent, then its log-variance, then those of the next
};

/// What a decoder gives for each pixel. A likelihood on logits (Bernoulli) is given logits: a last sigmoid goes. One on
/// means (Gaussian, Laplace) is given means: a last sigmoid stays.
enum class DecoderOutput {
  automatic,  // means where its last operation is a sigmoid or the likelihood is on means, else logits
  logits,
  mean,
};

/// What a model calls black and white; pixels here are from 0 to 1.
struct PixelRange {
  double darkest = 0.0;
  double brightest = 1.0;

  bool operator==(const PixelRange&) const = default;
};

struct ImportOptions {
  models::Likelihood likelihood = models::bernoulli();
  EncoderLayout layout = EncoderLayout::automatic;
  DecoderOutput decoder_output = DecoderOutput::automatic;
  std::vector<std::string> encoder_outputs{};  // names, means first; empty: all that the file has
  std::string decoder_name{};                  // of the decoder's output; empty: the only one
  std::optional<ImageShape> image{};           // where both files have flat images
  PixelRange pixels{};                         // of both files
  std::optional<PixelRange> encoder_pixels{};  // of the encoder's, where it was given normalised images
};

/// Words for options, in the order of the enumerators.
std::vector<std::string> layout_names();
std::vector<std::string> decoder_output_names();

struct ImportedVae {
  models::VaeWeights vae;
  std::vector<std::pair<std::string, std::string>> summary;  // what was understood: a word, and a line on it
};

/// Throws Misuse that names the file, and the node where it is one.
ImportedVae import_vae(const OnnxGraph& encoder, const OnnxGraph& decoder, const ImportOptions& options = {});
ImportedVae import_vae(const std::filesystem::path& encoder, const std::filesystem::path& decoder,
                       const ImportOptions& options = {});

}  // namespace vaeguard::importers
