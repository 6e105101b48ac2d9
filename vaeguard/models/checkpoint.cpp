// Layer graphs and classifiers to and from safetensors.
#include "vaeguard/models/checkpoint.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "vaeguard/base/error.h"

namespace vaeguard::models {
namespace {

using networks::Activation;
using networks::Layer;
using networks::LayerGraph;
using networks::LayerOptions;
using networks::Operation;
using nlohmann::json;

constexpr std::string_view kFormat = "vaeguard.checkpoint";
constexpr std::string_view kVersion = "1";
constexpr std::array<std::string_view, 7> kOwnKeys{"format",  "format_version",      "architecture", "likelihood",
                                                   "encoder", "likelihood_variance", "decoder"};
// No layer of a sensible network exceeds these; they keep a hostile file from asking for endless work.
constexpr std::int64_t kLargestExtent = 1 << 14;
constexpr std::int64_t kLargestImage = 1 << 24;

std::string_view operation_name(Operation operation) {
  return operation == Operation::convolution ? "convolution" : "transposed_convolution";
}

std::string graph_text(const LayerGraph& graph) {
  json layers = json::array();
  for (const Layer& layer : graph.layers) {
    layers.push_back({{"operation", operation_name(layer.operation)},
                      {"channels", layer.output.channels},
                      {"kernel", layer.kernel},
                      {"stride", layer.stride},
                      {"padding", layer.padding},
                      {"dilation", layer.dilation},
                      {"activation", layer.activation == Activation::relu ? "relu" : "none"}});
  }
  const ImageShape input = graph.input;
  return json{{"input", {input.channels, input.height, input.width}}, {"layers", layers}}.dump();
}

std::vector<std::int64_t> weight_shape(Operation operation, std::int64_t inputs, std::int64_t outputs, int kernel) {
  return operation == Operation::convolution ? std::vector<std::int64_t>{outputs, inputs, kernel, kernel}
                                             : std::vector<std::int64_t>{inputs, outputs, kernel, kernel};
}

void store_graph(const LayerGraph& graph, const std::string& prefix, Safetensors& file) {
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    const std::string name = fmt::format("{}.{}", prefix, i);
    file.tensors[name + ".weight"] = Tensor::of(
        weight_shape(layer.operation, layer.input.channels, layer.output.channels, layer.kernel), graph.weight(layer));
    file.tensors[name + ".bias"] = Tensor::of({layer.output.channels}, graph.bias(layer));
  }
  file.metadata[prefix] = graph_text(graph);
}

std::vector<float> finite_floats(const Safetensors& file, const std::string& name, std::span<const std::int64_t> shape,
                                 std::string_view place) {
  std::vector<float> values = file.floats(name, shape, place);
  const auto bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
  if (bad != values.end()) {
    misuse(place, "tensor '{}' must be finite, found {} at position {}", name, *bad, bad - values.begin());
  }
  return values;
}

std::int64_t bounded(const json& layer, const char* field, std::int64_t least, std::string_view where,
                     std::string_view place) {
  const auto found = layer.find(field);
  if (found == layer.end() || !found->is_number_integer() || *found < least || *found > kLargestExtent) {
    misuse(place, "{}: '{}' must be an integer in {} .. {}, found {}", where, field, least, kLargestExtent,
           found == layer.end() ? "nothing" : found->dump(-1, ' ', false, json::error_handler_t::replace));
  }
  return found->get<std::int64_t>();
}

std::string choice(const json& layer, const char* field, std::string_view first, std::string_view second,
                   std::string_view where, std::string_view place) {
  const auto found = layer.find(field);
  if (found == layer.end() || !found->is_string() || (*found != first && *found != second)) {
    misuse(place, "{}: '{}' must be '{}' or '{}', found {}", where, field, first, second,
           found == layer.end() ? "nothing" : found->dump(-1, ' ', false, json::error_handler_t::replace));
  }
  return found->get<std::string>();
}

json parse_graph_text(const Safetensors& file, const std::string& prefix, std::string_view place) {
  const json description = json::parse(file.text(prefix, place), nullptr, false);
  const bool complete = description.is_object() && description.contains("input") && description.contains("layers") &&
                        description["input"].is_array() && description["input"].size() == 3 &&
                        description["layers"].is_array() && !description["layers"].empty();
  if (!complete) {
    misuse(place, "the metadata entry '{}' must be a JSON object with 'input' of three numbers and 'layers'", prefix);
  }
  return description;
}

ImageShape parse_input(const json& input, std::string_view where, std::string_view place) {
  const auto extent = [&](std::size_t i) { return bounded({{"input", input[i]}}, "input", 1, where, place); };
  const ImageShape shape{.channels = extent(0), .height = extent(1), .width = extent(2)};
  if (shape.size() > kLargestImage) {
    misuse(place, "{}: 'input' may have at most {} values, found {}", where, kLargestImage, shape.size());
  }
  return shape;
}

// The tensors are compared with the description before a layer is made, so memory stays in proportion to the file.
void load_layer(const Safetensors& file, const json& description, const std::string& name, LayerGraph& graph,
                std::string_view place) {
  if (!description.is_object()) {
    misuse(place, "{} must be described by a JSON object, found {}", name, description.type_name());
  }
  const auto integer = [&](const char* field, std::int64_t least) {
    return bounded(description, field, least, name, place);
  };
  const Operation operation =
      choice(description, "operation", "convolution", "transposed_convolution", name, place) == "convolution"
          ? Operation::convolution
          : Operation::transposed_convolution;
  const LayerOptions options{.channels = integer("channels", 1),
                             .kernel = static_cast<int>(integer("kernel", 1)),
                             .stride = static_cast<int>(integer("stride", 1)),
                             .padding = static_cast<int>(integer("padding", 0)),
                             .dilation = static_cast<int>(integer("dilation", 1)),
                             .activation = choice(description, "activation", "none", "relu", name, place) == "relu"
                                               ? Activation::relu
                                               : Activation::none};
  const std::vector<float> weight =
      finite_floats(file, name + ".weight",
                    weight_shape(operation, graph.output().channels, options.channels, options.kernel), place);
  const std::vector<float> bias = finite_floats(file, name + ".bias", std::array{options.channels}, place);
  graph.add(operation, options);
  const Layer layer = graph.layers.back();
  if (layer.output.height > kLargestExtent || layer.output.width > kLargestExtent ||
      layer.output.size() > kLargestImage) {
    misuse(place, "{}: an output may have at most {} values, found {}", name, kLargestImage, describe(layer));
  }
  std::ranges::copy(weight, graph.weight(layer).begin());
  std::ranges::copy(bias, graph.bias(layer).begin());
}

LayerGraph load_graph(const Safetensors& file, const std::string& prefix, std::string_view place) {
  const json description = parse_graph_text(file, prefix, place);
  LayerGraph graph;
  graph.input = parse_input(description["input"], prefix, place);
  for (std::size_t i = 0; i < description["layers"].size(); ++i) {
    load_layer(file, description["layers"][i], fmt::format("{}.{}", prefix, i), graph, place);
  }
  return graph;
}

Likelihood load_likelihood(const Safetensors& file, std::string_view place) {
  const std::string& kind = file.text("likelihood", place);
  if (kind != name(LikelihoodKind::bernoulli) && kind != name(LikelihoodKind::gaussian)) {
    misuse(place, "the metadata entry 'likelihood' must be '{}' or '{}', found '{}'", name(LikelihoodKind::bernoulli),
           name(LikelihoodKind::gaussian), kind);
  }
  const std::string& text = file.text("likelihood_variance", place);
  const json variance = json::parse(text, nullptr, false);
  if (!variance.is_number() || !(variance.get<double>() > 0.0) || !std::isfinite(variance.get<double>())) {
    misuse(place, "the metadata entry 'likelihood_variance' must be finite and > 0, found '{}'", text);
  }
  return {.kind = likelihood_kind(kind), .variance = variance.get<double>()};
}

LinearClassifier load_classifier(const Safetensors& file, std::int64_t latent_size, std::string_view place) {
  const std::vector<std::int64_t>& shape = file.shape("classifier.weight", place);
  const std::int64_t classes = shape.empty() ? 0 : shape.front();
  LinearClassifier classifier;
  classifier.weight =
      Matrix(classes, latent_size, finite_floats(file, "classifier.weight", std::array{classes, latent_size}, place));
  classifier.bias = finite_floats(file, "classifier.bias", std::array{classes}, place);
  if (classes < 1) {
    misuse(place, "tensor 'classifier.weight' must have at least one class, found {}", classes);
  }
  return classifier;
}

void check_header(const Safetensors& file, std::string_view place) {
  const auto format = file.metadata.find("format");
  if (format == file.metadata.end() || format->second != kFormat) {
    misuse(place, "expected a checkpoint with the metadata entry format = '{}', found {}", kFormat,
           format == file.metadata.end() ? "none" : fmt::format("'{}'", format->second));
  }
  const std::string& version = file.text("format_version", place);
  if (version != kVersion) {
    misuse(place, "this program reads checkpoints of format_version {}, found '{}'", kVersion, version);
  }
}

}  // namespace

Safetensors to_safetensors(const Checkpoint& checkpoint) {
  Safetensors file;
  for (const auto& [key, value] : checkpoint.metadata) {
    if (std::ranges::find(kOwnKeys, key) != kOwnKeys.end()) {
      misuse("models.checkpoint", "the metadata key '{}' belongs to the format; choose another", key);
    }
    file.metadata[key] = value;
  }
  file.metadata["format"] = kFormat;
  file.metadata["format_version"] = kVersion;
  file.metadata["architecture"] = checkpoint.vae.architecture;
  file.metadata["likelihood"] = name(checkpoint.vae.likelihood.kind);
  file.metadata["likelihood_variance"] = fmt::format("{}", checkpoint.vae.likelihood.variance);
  store_graph(checkpoint.vae.encoder, "encoder", file);
  store_graph(checkpoint.vae.decoder, "decoder", file);
  if (checkpoint.classifier) {
    const Matrix& weight = checkpoint.classifier->weight;
    file.tensors["classifier.weight"] = Tensor::of({weight.rows(), weight.columns()}, weight.values());
    file.tensors["classifier.bias"] = Tensor::of({weight.rows()}, checkpoint.classifier->bias);
  }
  return file;
}

Checkpoint from_safetensors(const Safetensors& file, std::string_view place) {
  check_header(file, place);
  Checkpoint checkpoint{.vae = {.architecture = file.text("architecture", place),
                                .encoder = load_graph(file, "encoder", place),
                                .decoder = load_graph(file, "decoder", place),
                                .likelihood = load_likelihood(file, place)},
                        .classifier = std::nullopt,
                        .metadata = file.metadata};
  const VaeWeights& vae = checkpoint.vae;
  if (vae.encoder.output().size() != 2 * vae.latent_size() || vae.decoder.output() != vae.image()) {
    misuse(place, "the encoder must give 2 x {} values and the decoder an image of {} values, found {} and {}",
           vae.latent_size(), vae.image().size(), vae.encoder.output().size(), vae.decoder.output().size());
  }
  if (file.tensors.contains("classifier.weight") || file.tensors.contains("classifier.bias")) {
    checkpoint.classifier = load_classifier(file, vae.latent_size(), place);
  }
  for (const std::string_view key : kOwnKeys) {
    checkpoint.metadata.erase(std::string(key));
  }
  return checkpoint;
}

Checkpoint load_checkpoint(const std::filesystem::path& file) {
  return from_safetensors(load_safetensors(file), file.string());
}

void save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& file) {
  save_safetensors(to_safetensors(checkpoint), file);
}

}  // namespace vaeguard::models
