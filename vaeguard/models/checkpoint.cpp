// Layer graphs and classifiers to and from safetensors.
#include "vaeguard/models/checkpoint.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>

#include "vaeguard/base/error.h"
#include "vaeguard/models/description.h"
#include "vaeguard/models/stored_graph.h"

namespace vaeguard::models {
namespace {

using nlohmann::json;

constexpr std::string_view kFormat = "vaeguard.checkpoint";
constexpr std::string_view kVersion = "1";
constexpr std::string_view kPriorVersion = "2";  // for files with a learned prior
constexpr std::string_view kEndsVersion = "3";   // of files with graphs of several inputs or outputs
constexpr std::array<std::string_view, 7> kOwnKeys{"format",  "format_version", "architecture", "likelihood",
                                                   "encoder", "decoder",        "prior"};
constexpr std::string_view kLikelihoodPrefix = "likelihood_";  // of its options, which are numbers, in metadata
constexpr std::string_view kPriorPrefix = "prior.";            // of its networks, in metadata and tensors

Likelihood load_likelihood(const Safetensors& file, std::string_view place) {
  const std::string& name = file.text("likelihood", place);
  const LikelihoodEntry* entry = likelihoods().lookup(name);
  if (entry == nullptr) {
    misuse(place, "the metadata entry 'likelihood' must be one of {}, found '{}'",
           fmt::join(likelihoods().names(), ", "), name);
  }
  Value options;
  for (const Option& option : entry->usual.options()) {
    const std::string key = std::string(kLikelihoodPrefix) + option.key;
    const std::string& text = file.text(key, place);
    const json number = json::parse(text, nullptr, false);
    if (!number.is_number() || !option.range.contains(number.get<double>())) {
      misuse(place, "the metadata entry '{}' must be {}, found '{}'", key, option.range.describe("a number"), text);
    }
    options.set(option.key, number.get<double>());
  }
  return entry->usual.with(options);
}

// Programs that know a variance of every likelihood want one of each.
void store_likelihood(const Likelihood& likelihood, Safetensors& file) {
  file.metadata["likelihood"] = likelihood.name();
  file.metadata["likelihood_variance"] = "1";
  const Value values = likelihood.values();
  for (const auto& [key, value] : *values.as<Value::Table>()) {
    if (!value.number()) {
      misuse("models.checkpoint", "the {} of the likelihood {} must be a number in a checkpoint, got {}", key,
             likelihood.name(), to_text(value));
    }
    file.metadata[std::string(kLikelihoodPrefix) + key] = fmt::format("{}", value.number().value());
  }
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
  return std::ranges::find(kOwnKeys, key) != kOwnKeys.end() || key.starts_with(kPriorPrefix) ||
         key.starts_with(kLikelihoodPrefix);
}

void store_prior(const PriorWeights& prior, Safetensors& file) {
  for (std::size_t k = 0; k < prior.couplings.size(); ++k) {
    store_graph(prior.couplings[k], fmt::format("{}{}", kPriorPrefix, k), file);
  }
  file.metadata["prior"] =
      json{{"kind", name(prior)}, {"couplings", prior.couplings.size()}, {"bound", prior.bound}}.dump();
  file.metadata["format_version"] = kPriorVersion;
}

// A file without a description has the standard normal prior; leftovers of another prior mean that something was lost.
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
  if (version != kVersion && version != kPriorVersion && version != kEndsVersion) {
    misuse(place, "this program reads checkpoints of format_version {}, {} and {}, found '{}'", kVersion, kPriorVersion,
           kEndsVersion, version);
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
  store_likelihood(checkpoint.vae.likelihood, file);
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
  if (several_ends(checkpoint.vae.encoder) || several_ends(checkpoint.vae.decoder)) {
    file.metadata["format_version"] = kEndsVersion;
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
  if (vae.encoder.output_size() != 2 * vae.latent_size() || vae.decoder.output() != vae.image()) {
    misuse(place, "the encoder must give 2 x {} values and the decoder an image of {} values, found {} and {}",
           vae.latent_size(), vae.image().size(), vae.encoder.output_size(), vae.decoder.output_size());
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
