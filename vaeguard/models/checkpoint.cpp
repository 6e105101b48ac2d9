// Layer graphs and classifiers to and from safetensors.
#include "vaeguard/models/checkpoint.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "vaeguard/base/error.h"
#include "vaeguard/base/text.h"

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
constexpr std::string_view kPriorVersion = "2";  // of files with a learned prior
constexpr std::array<std::string_view, 8> kOwnKeys{"format",  "format_version",      "architecture", "likelihood",
                                                   "encoder", "likelihood_variance", "decoder",      "prior"};
constexpr std::string_view kPriorPrefix = "prior.";  // of its networks, in metadata and tensors
// No layer of a sensible network exceeds these; they keep a hostile file from asking for endless work.
constexpr std::int64_t kLargestExtent = 1 << 14;  // rows, columns and what moves over them
constexpr std::int64_t kLargestImage = 1 << 24;   // values, so channels too
constexpr std::int64_t kMostCouplings = 64;       // of a prior

constexpr std::array kOperations{Operation::convolution, Operation::transposed_convolution, Operation::addition,
                                 Operation::upsampling,  Operation::pixel_shuffle,          Operation::reshape};
constexpr std::array kActivations{Activation::none, Activation::relu, Activation::leaky_relu, Activation::elu,
                                  Activation::silu, Activation::tanh, Activation::sigmoid};

// How a layer is described: "operation" and "activation" always; kernel, stride and their like where the operation has
// them; fields of later versions only where they differ from their defaults, so that a simple chain's file stays as it
// was: "groups" 1, "output_padding" 0, "slope" 0, "source" the last boundary.
json layer_text(const Layer& layer, std::size_t index) {
  json text{{"operation", name(layer.operation)}, {"activation", name(layer.activation)}};
  const auto unless = [&text](const char* field, auto value, decltype(value) usual) {
    if (value != usual) {
      text[field] = value;
    }
  };
  if (layer.weighted()) {
    text["channels"] = layer.output.channels;
    text["kernel"] = layer.kernel;
    text["stride"] = layer.stride;
    text["padding"] = layer.padding;
    text["dilation"] = layer.dilation;
    unless("groups", layer.groups, 1);
    unless("output_padding", layer.output_padding, 0);
  } else if (layer.operation == Operation::addition) {
    text["other"] = layer.other;
  } else if (layer.operation == Operation::reshape) {
    text["shape"] = {layer.output.channels, layer.output.height, layer.output.width};
  } else {
    text["stride"] = layer.stride;
  }
  unless("slope", layer.slope, 0.0);
  unless("source", layer.source, static_cast<std::int64_t>(index));
  return text;
}

// The fields that layer_text may give.
std::vector<std::string> fields_of(Operation operation) {
  switch (operation) {
    case Operation::addition:
      return {"operation", "activation", "slope", "source", "other"};
    case Operation::reshape:
      return {"operation", "activation", "slope", "source", "shape"};
    case Operation::upsampling:
    case Operation::pixel_shuffle:
      return {"operation", "activation", "slope", "source", "stride"};
    default:
      return {"operation", "activation", "slope",    "source", "channels",      "kernel",
              "stride",    "padding",    "dilation", "groups", "output_padding"};
  }
}

std::string graph_text(const LayerGraph& graph) {
  json layers = json::array();
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    layers.push_back(layer_text(graph.layers[i], i));
  }
  const ImageShape input = graph.input;
  return json{{"input", {input.channels, input.height, input.width}}, {"layers", layers}}.dump();
}

std::vector<std::int64_t> weight_shape(Operation operation, std::int64_t inputs, const LayerOptions& options) {
  const std::int64_t outputs = options.channels;
  return operation == Operation::convolution
             ? std::vector<std::int64_t>{outputs, inputs / options.groups, options.kernel, options.kernel}
             : std::vector<std::int64_t>{inputs, outputs / options.groups, options.kernel, options.kernel};
}

void store_graph(const LayerGraph& graph, const std::string& prefix, Safetensors& file) {
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    if (layer.weighted()) {
      const LayerOptions options{.channels = layer.output.channels, .kernel = layer.kernel, .groups = layer.groups};
      const std::string name = fmt::format("{}.{}", prefix, i);
      file.tensors[name + ".weight"] =
          Tensor::of(weight_shape(layer.operation, layer.input.channels, options), graph.weight(layer));
      file.tensors[name + ".bias"] = Tensor::of({layer.output.channels}, graph.bias(layer));
    }
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

// One layer's description, or the input's, while it is read: `where` and `place` go into every error.
struct Description {
  const json& fields;
  std::string where;
  std::string_view place;

  [[nodiscard]] std::string found(const char* field) const {
    const auto at = fields.find(field);
    return at == fields.end() ? "nothing" : at->dump(-1, ' ', false, json::error_handler_t::replace);
  }

  [[nodiscard]] std::int64_t integer(const char* field, std::int64_t least, std::int64_t most = kLargestExtent) const {
    const auto at = fields.find(field);
    if (at == fields.end() || !at->is_number_integer() || *at < least || *at > most) {
      misuse(place, "{}: '{}' must be an integer in {} .. {}, found {}", where, field, least, most, found(field));
    }
    return at->get<std::int64_t>();
  }
  [[nodiscard]] std::int64_t integer_or(std::int64_t usual, const char* field, std::int64_t least,
                                        std::int64_t most = kLargestExtent) const {
    return fields.contains(field) ? integer(field, least, most) : usual;
  }
  [[nodiscard]] int small(const char* field, std::int64_t least) const {
    return static_cast<int>(integer(field, least));
  }

  [[nodiscard]] double slope() const {
    const auto at = fields.find("slope");
    if (at == fields.end()) {
      return 0.0;
    }
    const double value = at->is_number() ? at->get<double>() : -1.0;
    if (!std::isfinite(value) || value < 0.0) {
      misuse(place, "{}: 'slope' must be a finite number >= 0, found {}", where, found("slope"));
    }
    return value;
  }

  [[nodiscard]] ImageShape shape(const char* field) const {
    const auto at = fields.find(field);
    if (at == fields.end() || !at->is_array() || at->size() != 3) {
      misuse(place, "{}: '{}' must be three integers, found {}", where, field, found(field));
    }
    const auto extent = [&](std::size_t i, std::int64_t most) {
      const json one = json::object({{field, (*at)[i]}});
      return Description{one, where, place}.integer(field, 1, most);
    };
    const ImageShape result{
        .channels = extent(0, kLargestImage), .height = extent(1, kLargestExtent), .width = extent(2, kLargestExtent)};
    if (result.size() > kLargestImage) {
      misuse(place, "{}: '{}' may have at most {} values, found {}", where, field, kLargestImage, result.size());
    }
    return result;
  }

  // The kind of that name.
  template <typename Kind, std::size_t N>
  [[nodiscard]] Kind choice(const char* field, const std::array<Kind, N>& all) const {
    const auto at = fields.find(field);
    if (at == fields.end() || !at->is_string()) {
      misuse(place, "{}: '{}' must be a string, found {}", where, field, found(field));
    }
    const std::string word = at->get<std::string>();
    const auto match = std::ranges::find_if(all, [&](Kind kind) { return name(kind) == word; });
    if (match == all.end()) {
      std::vector<std::string> known;
      std::ranges::transform(all, std::back_inserter(known), [](Kind kind) { return std::string(name(kind)); });
      unknown_name(place, fmt::format("{} of {}", field, where), word, known);
    }
    return *match;
  }

  // A field that nobody reads would change the network in silence.
  void refuse_others_than(const std::vector<std::string>& known) const {
    for (const auto& [field, value] : fields.items()) {
      if (std::ranges::find(known, field) == known.end()) {
        unknown_name(place, "field of " + where, field, known);
      }
    }
  }
};

json parse_graph_text(const Safetensors& file, const std::string& prefix, std::string_view place) {
  const json description = json::parse(file.text(prefix, place), nullptr, false);
  const bool complete = description.is_object() && description.contains("input") && description.contains("layers") &&
                        description["layers"].is_array() && !description["layers"].empty();
  if (!complete) {
    misuse(place, "the metadata entry '{}' must be a JSON object with 'input' and 'layers'", prefix);
  }
  return description;
}

LayerOptions parse_options(const Description& description, Operation operation, const LayerGraph& graph) {
  const auto last = static_cast<std::int64_t>(graph.layers.size());
  LayerOptions options{.activation = description.choice("activation", kActivations),
                       .slope = description.slope(),
                       .source = description.integer_or(last, "source", 0, last)};
  switch (operation) {
    case Operation::addition:
      options.other = description.integer("other", 0, last);
      break;
    case Operation::reshape:
      options.shape = description.shape("shape");
      break;
    case Operation::upsampling:
    case Operation::pixel_shuffle:
      options.stride = description.small("stride", 1);
      break;
    default:
      options.channels = description.integer("channels", 1, kLargestImage);
      options.kernel = description.small("kernel", 1);
      options.stride = description.small("stride", 1);
      options.padding = description.small("padding", 0);
      options.dilation = description.small("dilation", 1);
      options.groups = static_cast<int>(description.integer_or(1, "groups", 1));
      options.output_padding = static_cast<int>(description.integer_or(0, "output_padding", 0));
  }
  return options;
}

struct LayerTensors {
  std::vector<float> weight;
  std::vector<float> bias;
};

// They are compared with the description before a layer is made, so memory stays in proportion to the file.
LayerTensors load_tensors(const Safetensors& file, const Description& description, Operation operation,
                          const LayerOptions& options, std::int64_t inputs) {
  const auto& [fields, where, place] = description;
  if (inputs % options.groups != 0 || options.channels % options.groups != 0) {
    misuse(place, "{}: 'groups' must divide the channels of input and output, {} and {}, found {}", where, inputs,
           options.channels, options.groups);
  }
  return {.weight = finite_floats(file, where + ".weight", weight_shape(operation, inputs, options), place),
          .bias = finite_floats(file, where + ".bias", std::array{options.channels}, place)};
}

void load_layer(const Safetensors& file, const json& fields, const std::string& where, LayerGraph& graph,
                std::string_view place) {
  if (!fields.is_object()) {
    misuse(place, "{} must be described by a JSON object, found {}", where, fields.type_name());
  }
  const Description description{fields, where, place};
  const Operation operation = description.choice("operation", kOperations);
  description.refuse_others_than(fields_of(operation));
  const LayerOptions options = parse_options(description, operation, graph);
  const bool weighted = operation == Operation::convolution || operation == Operation::transposed_convolution;
  const LayerTensors tensors =
      weighted ? load_tensors(file, description, operation, options, graph.boundary(options.source).channels)
               : LayerTensors{};
  try {
    graph.add(operation, options);
  } catch (const Misuse& error) {
    misuse(place, "{}: {}", where, error.what());
  }
  const Layer layer = graph.layers.back();
  if (layer.output.height > kLargestExtent || layer.output.width > kLargestExtent ||
      layer.output.size() > kLargestImage) {
    misuse(place, "{}: an output may have at most {} values, found {}", where, kLargestImage, describe(layer));
  }
  std::ranges::copy(tensors.weight, graph.weight(layer).begin());
  std::ranges::copy(tensors.bias, graph.bias(layer).begin());
}

LayerGraph load_graph(const Safetensors& file, const std::string& prefix, std::string_view place) {
  const json description = parse_graph_text(file, prefix, place);
  LayerGraph graph;
  graph.input = Description{description, prefix, place}.shape("input");
  for (std::size_t i = 0; i < description["layers"].size(); ++i) {
    load_layer(file, description["layers"][i], fmt::format("{}.{}", prefix, i), graph, place);
  }
  return graph;
}

Likelihood load_likelihood(const Safetensors& file, std::string_view place) {
  const std::string& kind = file.text("likelihood", place);
  constexpr std::array kKinds{LikelihoodKind::bernoulli, LikelihoodKind::gaussian, LikelihoodKind::laplace,
                              LikelihoodKind::clamped_bernoulli};
  if (std::ranges::none_of(kKinds, [&](LikelihoodKind known) { return kind == name(known); })) {
    misuse(place,
           "the metadata entry 'likelihood' must be 'bernoulli', 'gaussian', 'laplace' or 'clamped_bernoulli', found "
           "'{}'",
           kind);
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

PixelLaw load_pixel_law(const Safetensors& file, std::string_view place) {
  const std::vector<std::int64_t>& shape = file.shape("pixel_law.probability", place);
  const std::int64_t nodes = shape.empty() ? 0 : shape.front();
  const std::vector<float> grid = finite_floats(file, "pixel_law.grid", std::array<std::int64_t, 1>{2}, place);
  const std::vector<float> weight = finite_floats(file, "pixel_law.weight", std::array{nodes}, place);
  PixelLaw law{.first = grid[0],
               .spacing = grid[1],
               .probability = Matrix(nodes, PixelLaw::kLevels,
                                     finite_floats(file, "pixel_law.probability",
                                                   std::array<std::int64_t, 2>{nodes, PixelLaw::kLevels}, place)),
               .weight = {weight.begin(), weight.end()}};
  validate(law, place);
  return law;
}

void store_pixel_law(const PixelLaw& law, Safetensors& file) {
  file.tensors["pixel_law.grid"] =
      Tensor::of({2}, std::vector<float>{static_cast<float>(law.first), static_cast<float>(law.spacing)});
  file.tensors["pixel_law.probability"] = Tensor::of({law.nodes(), PixelLaw::kLevels}, law.probability.values());
  file.tensors["pixel_law.weight"] =
      Tensor::of({law.nodes()}, std::vector<float>(law.weight.begin(), law.weight.end()));
}

bool is_own(std::string_view key) {
  return std::ranges::find(kOwnKeys, key) != kOwnKeys.end() || key.starts_with(kPriorPrefix);
}

void store_prior(const PriorWeights& prior, Safetensors& file) {
  for (std::size_t k = 0; k < prior.couplings.size(); ++k) {
    store_graph(prior.couplings[k], fmt::format("{}{}", kPriorPrefix, k), file);
  }
  file.metadata["prior"] =
      json{{"kind", name(prior)}, {"couplings", prior.couplings.size()}, {"bound", prior.bound}}.dump();
  file.metadata["format_version"] = kPriorVersion;
}

// A file without a description has the standard normal; remains of another prior mean that something was lost.
PriorWeights load_prior(const Safetensors& file, std::int64_t latents, std::string_view place) {
  if (!file.metadata.contains("prior")) {
    const auto left = file.tensors.lower_bound(std::string(kPriorPrefix));
    if (left != file.tensors.end() && left->first.starts_with(kPriorPrefix)) {
      misuse(place, "the tensor '{}' needs the metadata entry 'prior', found none", left->first);
    }
    return {};
  }
  const json fields = json::parse(file.text("prior", place), nullptr, false);
  const Description description{fields, "prior", place};
  if (!fields.is_object() || description.found("kind") != "\"realnvp\"") {
    misuse(place, "the metadata entry 'prior' must be a JSON object whose 'kind' is 'realnvp', found '{}'",
           file.text("prior", place));
  }
  description.refuse_others_than({"kind", "couplings", "bound"});
  const auto bound = fields.find("bound");
  if (bound == fields.end() || !bound->is_number()) {
    misuse(place, "prior: 'bound' must be a number, found {}", description.found("bound"));
  }
  PriorWeights prior{.couplings = {}, .bound = bound->get<double>()};
  const std::int64_t couplings = description.integer("couplings", 1, kMostCouplings);
  for (std::int64_t k = 0; k < couplings; ++k) {
    prior.couplings.push_back(load_graph(file, fmt::format("{}{}", kPriorPrefix, k), place));
  }
  validate(prior, latents, place);
  return prior;
}

void check_header(const Safetensors& file, std::string_view place) {
  const auto format = file.metadata.find("format");
  if (format == file.metadata.end() || format->second != kFormat) {
    misuse(place, "expected a checkpoint with the metadata entry format = '{}', found {}", kFormat,
           format == file.metadata.end() ? "none" : fmt::format("'{}'", format->second));
  }
  const std::string& version = file.text("format_version", place);
  if (version != kVersion && version != kPriorVersion) {
    misuse(place, "this program reads checkpoints of format_version {} and {}, found '{}'", kVersion, kPriorVersion,
           version);
  }
}

}  // namespace

Safetensors to_safetensors(const Checkpoint& checkpoint) {
  Safetensors file;
  for (const auto& [key, value] : checkpoint.metadata) {
    if (is_own(key)) {
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
  if (checkpoint.vae.pixel_law != nullptr) {
    store_pixel_law(*checkpoint.vae.pixel_law, file);
  }
  if (!checkpoint.vae.prior.couplings.empty()) {
    store_prior(checkpoint.vae.prior, file);
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
  if (file.tensors.contains("pixel_law.probability")) {
    checkpoint.vae.pixel_law = std::make_shared<const PixelLaw>(load_pixel_law(file, place));
  }
  checkpoint.vae.prior = load_prior(file, vae.latent_size(), place);
  std::erase_if(checkpoint.metadata, [](const auto& entry) { return is_own(entry.first); });
  return checkpoint;
}

Checkpoint load_checkpoint(const std::filesystem::path& file) {
  return from_safetensors(load_safetensors(file), file.string());
}

void save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& file) {
  save_safetensors(to_safetensors(checkpoint), file);
}

}  // namespace vaeguard::models
