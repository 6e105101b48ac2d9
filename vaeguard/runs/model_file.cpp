// Reads models, whatever they are made of.
#include "vaeguard/runs/model_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "vaeguard/base/error.h"
#include "vaeguard/data/checksum.h"
#include "vaeguard/importers/vae_import.h"
#include "vaeguard/models/pair.h"
#include "vaeguard/plugins/torch_plugin.h"

namespace vaeguard::runs {
namespace {

constexpr std::array<std::string_view, 5> kOutside = {".onnx", ".pt", ".pth", ".ts", ".torchscript"};

bool is_description(const std::filesystem::path& file) { return file.extension() == ".toml"; }

// Such a file says neither what images it takes nor what the likelihood is.
void refuse_half(const std::filesystem::path& file) {
  if (std::ranges::find(kOutside, file.extension().string()) != kOutside.end()) {
    const bool onnx = file.extension() == ".onnx";
    misuse(file.string(),
           "expected a checkpoint, or a TOML file that describes a model; describe this one with {} and likelihood = "
           "\"...\" (docs/guide/bring-your-own-model.md)",
           onnx ? "encoder = \"...\", decoder = \"...\"" : "module = \"...\", image = [channels, rows, columns]");
  }
}

std::map<std::string, std::string> names_of(const plans::PairPlan& pair) {
  return {{"imported_encoder", pair.encoder.filename().string()},
          {"imported_decoder", pair.decoder.filename().string()}};
}

}  // namespace

StoredModel::StoredModel(models::Checkpoint checkpoint)
    : halves(std::move(checkpoint.vae)),
      classifier(std::move(checkpoint.classifier)),
      metadata(std::move(checkpoint.metadata)) {}

const models::Likelihood& StoredModel::likelihood() const {
  return layers() != nullptr ? layers()->likelihood : modules()->likelihood;
}

models::PriorWeights StoredModel::prior() const {
  return layers() != nullptr ? layers()->prior : models::PriorWeights{};
}

models::Vae StoredModel::compile(std::string_view backend, networks::Precision gradients) const {
  if (const models::VaeWeights* weights = layers()) {
    return models::Vae(*weights, backend, gradients);
  }
  const auto& [pair, likelihood] = *modules();
  if (backend != "auto") {
    misuse("runs.model_file", "TorchScript modules run as they are, in libtorch; leave the backend {} out", backend);
  }
  return models::Vae(models::pair_recognition(pair.encoder.function, pair.image, pair.latents),
                     models::pair_generative(pair.decoder.function, std::make_shared<const models::Prior>(), pair.image,
                                             pair.latents, likelihood));
}

StoredModel load_model(const plans::PairPlan& pair) {
  if (pair.onnx()) {
    auto [vae, summary] = importers::import_vae(pair.encoder, pair.decoder, pair.options);
    StoredModel model(models::Checkpoint{std::move(vae), std::nullopt, names_of(pair)});
    model.summary = std::move(summary);
    return model;
  }
  StoredModel model(Modules{plugins::torch_plugin().load_modules({pair.encoder, pair.decoder}, pair.options),
                            pair.options.likelihood});
  model.metadata = names_of(pair);
  model.summary = model.modules()->pair.summary;
  return model;
}

StoredModel load_model(const std::filesystem::path& file) {
  refuse_half(file);
  return is_description(file) ? load_model(plans::load_pair(file)) : StoredModel(models::load_checkpoint(file));
}

models::Checkpoint load_layers(const std::filesystem::path& file, std::string_view purpose) {
  StoredModel model = load_model(file);
  if (model.layers() == nullptr) {
    misuse(file.string(),
           "{} needs a model made of layers; this one is made of TorchScript modules, which run as they are and can "
           "neither be trained nor stored: export it as ONNX for that",
           purpose);
  }
  return {std::get<models::VaeWeights>(std::move(model.halves)), std::move(model.classifier),
          std::move(model.metadata)};
}

std::string digest_of_model(const std::filesystem::path& file) {
  const std::string own = data::sha256_of_file(file);
  if (!is_description(file)) {
    return "sha256 " + own;
  }
  std::string all = own;
  for (const std::filesystem::path& named : plans::load_pair(file).files()) {
    all += '\n';  // not in one expression, of which gcc 12 warns without reason
    all += data::sha256_of_file(named);
  }
  return "sha256 " + data::sha256(all);
}

}  // namespace vaeguard::runs
