// Makes two networks fit each other, the images and the likelihood.
#include "vaeguard/importers/vae_import.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "vaeguard/base/error.h"
#include "vaeguard/importers/onnx_import.h"

namespace vaeguard::importers {
namespace {

using networks::Activation;
using networks::Layer;
using networks::LayerGraph;
using networks::Operation;

constexpr const char* kPlace = "importers.vae_import";

std::vector<std::string> output_names(const OnnxGraph& graph) {
  std::vector<std::string> names;
  std::ranges::transform(graph.outputs, std::back_inserter(names), &OnnxValue::name);
  return names;
}

void reshape_to(LayerGraph& graph, const ImageShape& shape) {
  if (graph.output() != shape) {
    graph.add(Operation::reshape, {.sources = {graph.output_boundaries().front()}, .shape = shape});
    graph.outputs.clear();
  }
}

// ---- the encoder

EncoderLayout chosen_layout(const OnnxGraph& encoder, EncoderLayout layout) {
  const std::size_t outputs = encoder.outputs.size();
  const std::size_t expected = layout == EncoderLayout::automatic  ? std::clamp<std::size_t>(outputs, 1, 2)
                               : layout == EncoderLayout::separate ? 2
                                                                   : 1;
  if (outputs != expected) {
    misuse(encoder.place,
           "the encoder must have {}, it has {} ({}); say which (encoder outputs: the means, then the log-variances)",
           expected == 2 ? "two outputs" : "one output", outputs, fmt::join(output_names(encoder), ", "));
  }
  return layout != EncoderLayout::automatic ? layout : outputs == 2 ? EncoderLayout::separate : EncoderLayout::together;
}

// To one row of D means, then D log-variances.
void lay_out(LayerGraph& graph, EncoderLayout layout, std::int64_t latents, std::string_view place) {
  if (graph.output_size() != 2 * latents) {
    misuse(place, "the encoder must give 2 x {} values for the decoder's {} latents, it gives {}", latents, latents,
           graph.output_size());
  }
  if (layout == EncoderLayout::separate) {
    std::vector<std::int64_t> halves;
    for (const std::int64_t boundary : graph.output_boundaries()) {
      if (graph.boundary(boundary).size() != latents) {
        misuse(place, "means and log-variances must be {} values each, one output has {}", latents,
               graph.boundary(boundary).size());
      }
      halves.push_back(boundary);
      if (graph.boundary(boundary) != ImageShape{latents, 1, 1}) {
        graph.add(Operation::reshape, {.sources = {boundary}, .shape = {latents, 1, 1}});
        halves.back() = graph.last();
      }
    }
    graph.add(Operation::concatenation, {.sources = halves});
    graph.outputs.clear();
    return;
  }
  if (layout == EncoderLayout::interleaved) {
    reshape_to(graph, {latents, 2, 1});
    graph.add(Operation::transposition, {.axes = {1, 0, 2}});
  }
  reshape_to(graph, {2 * latents, 1, 1});
}

// ---- the decoder

// Whether its outputs are some of its inputs, so that a sigmoid may as well come after it.
bool only_moves(const Layer& layer) {
  switch (layer.operation) {
    case Operation::reshape:
    case Operation::transposition:
    case Operation::slice:
    case Operation::upsampling:
    case Operation::pixel_shuffle:
      return true;
    case Operation::padding:
      return std::ranges::max(layer.margins) <= 0;  // a crop
    default:
      return false;
  }
}

// The layer whose sigmoid the outputs have passed, and after which they only moved; null if there is none.
Layer* last_sigmoid(LayerGraph& graph) {
  const auto inputs = static_cast<std::int64_t>(graph.inputs.size());
  std::int64_t boundary = graph.output_boundaries().front();
  std::int64_t readers = 0;  // that are known
  while (boundary >= inputs) {
    const auto reads = [&](const Layer& layer) { return std::ranges::count(layer.sources, boundary); };
    std::int64_t all = 0;
    for (const Layer& layer : graph.layers) {
      all += reads(layer);
    }
    Layer& layer = graph.layers[static_cast<std::size_t>(boundary - inputs)];
    if (all != readers) {
      return nullptr;
    }
    if (layer.activation == Activation::sigmoid) {
      return &layer;
    }
    if (!only_moves(layer) || layer.activation != Activation::none) {
      return nullptr;
    }
    boundary = layer.source();
    readers = 1;
  }
  return nullptr;
}

// Logits or means, as the likelihood has it; what was done about a sigmoid.
std::string fit_likelihood(LayerGraph& graph, const ImportOptions& options, std::string_view place) {
  const bool logits = takes_logits(options.likelihood);
  Layer* sigmoid = last_sigmoid(graph);
  if (logits) {
    if (options.decoder_output == DecoderOutput::logits) {
      return "the decoder gives logits";
    }
    if (sigmoid != nullptr) {
      sigmoid->activation = Activation::none;
      return "the decoder's last sigmoid was taken away: the likelihood is on logits";
    }
    if (options.decoder_output == DecoderOutput::mean) {
      misuse(place, "the likelihood {} is on logits, but the decoder gives means that do not come from a last sigmoid",
             options.likelihood.name());
    }
    return "the decoder has no last sigmoid: its outputs are taken for logits";
  }
  if (options.decoder_output == DecoderOutput::logits) {
    const std::int64_t output = graph.output_boundaries().front();
    graph.add(Operation::reshape,
              {.activation = Activation::sigmoid, .sources = {output}, .shape = graph.boundary(output)});
    graph.outputs.clear();
    return "a sigmoid was added to the decoder: the likelihood is on means";
  }
  return sigmoid != nullptr ? "the decoder's last sigmoid stays: the likelihood is on means"
                            : "the decoder gives means";
}

// (y - darkest) / (brightest - darkest)
void scale_means(LayerGraph& graph, const ImportOptions& options) {
  const auto [darkest, brightest] = options.pixels;
  const double range = brightest - darkest;
  const auto channels = static_cast<std::size_t>(graph.output().channels);
  networks::add_scale_and_shift(graph, std::vector<float>(channels, static_cast<float>(1.0 / range)),
                                std::vector<float>(channels, static_cast<float>(-darkest / range)),
                                {.sources = {graph.output_boundaries().front()}});
  graph.outputs.clear();
}

// ---- both

// What the encoder's file says, or else the options, or else the decoder's output. [N, rows, columns] are grey images.
ImageShape image_of(const OnnxGraph& encoder, const OnnxGraph& decoder, const LayerGraph& decoded,
                    const ImportOptions& options) {
  const Extents shape = encoder.inputs.size() == 1 ? encoder.inputs.front().shape : Extents{};
  if (shape.size() == 4) {
    const ImageShape written{shape[1], shape[2], shape[3]};
    if (options.image && *options.image != written) {
      misuse(encoder.place, "the encoder takes images of {}, asked for are {}", text_of(written),
             text_of(*options.image));
    }
    return written;
  }
  if (options.image) {
    return *options.image;
  }
  if (shape.size() == 3) {
    return {1, shape[1], shape[2]};
  }
  if (decoded.output().positions() == 1) {
    misuse(decoder.place,
           "images are flat, of {} values, in both files; say how many channels, rows and columns they have",
           decoded.output_size());
  }
  return decoded.output();
}

std::string size_of(const ImportedNetwork& network) {
  std::vector<std::string> operations;
  for (const auto& [operation, count] : network.operations) {
    operations.push_back(fmt::format("{} {}", operation, count));
  }
  return fmt::format("{} -> {} layers, {} parameters, {} multiply-adds an image", fmt::join(operations, ", "),
                     network.graph.layers.size(), network.graph.parameters.size(),
                     networks::multiply_adds(network.graph));
}

}  // namespace

ImportedVae import_vae(const OnnxGraph& whole_encoder, const OnnxGraph& whole_decoder, const ImportOptions& options) {
  options.validate(kPlace);
  const OnnxGraph encoder = needed_for(
      whole_encoder, options.encoder_outputs.empty() ? output_names(whole_encoder) : options.encoder_outputs);
  const OnnxGraph decoder = needed_for(
      whole_decoder, options.decoder_name.empty() ? output_names(whole_decoder) : std::vector{options.decoder_name});
  const EncoderLayout layout = chosen_layout(encoder, options.layout);
  if (decoder.outputs.size() != 1) {
    misuse(decoder.place, "the decoder must have one output, it has {} ({}); say which", decoder.outputs.size(),
           fmt::join(output_names(decoder), ", "));
  }
  ImportedNetwork decoded = import_network(decoder);
  const ImageShape image = image_of(encoder, decoder, decoded.graph, options);
  const PixelRange given = options.range_given();
  ImportedNetwork encoded =
      import_network(encoder, {.shape = image, .scale = given.brightest - given.darkest, .shift = given.darkest});
  const std::int64_t latents = decoded.graph.input_size();
  if (decoded.graph.output_size() != image.size()) {
    misuse(decoder.place, "the decoder must give an image of {}, as the encoder takes; it gives {} values",
           text_of(image), decoded.graph.output_size());
  }
  lay_out(encoded.graph, layout, latents, encoder.place);
  const std::string about_output = fit_likelihood(decoded.graph, options, decoder.place);
  reshape_to(decoded.graph, image);
  if (options.pixels != PixelRange{}) {
    scale_means(decoded.graph, options);
  }
  ImportedVae result;
  result.summary = {{"encoder", fmt::format("{} (opset {}): image {} -> mean and log-variance of {} latents, {}",
                                            encoder.place, encoder.opset, text_of(image), latents, words_of(layout))},
                    {"", size_of(encoded)},
                    {"decoder", fmt::format("{} (opset {}): {} latents -> image {}", decoder.place, decoder.opset,
                                            latents, text_of(image))},
                    {"", size_of(decoded)},
                    {"likelihood", fmt::format("{}; {}", models::describe(options.likelihood), about_output)}};
  std::ranges::copy(pixel_lines(options), std::back_inserter(result.summary));
  result.vae = {.architecture = "imported",
                .encoder = std::move(encoded.graph),
                .decoder = std::move(decoded.graph),
                .likelihood = options.likelihood};
  return result;
}

ImportedVae import_vae(const std::filesystem::path& encoder, const std::filesystem::path& decoder,
                       const ImportOptions& options) {
  return import_vae(read_onnx(encoder), read_onnx(decoder), options);
}

}  // namespace vaeguard::importers
