// A model by the file that names it: a checkpoint, or a TOML file that describes a pair from outside.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "vaeguard/models/checkpoint.h"
#include "vaeguard/plans/pair_plan.h"
#include "vaeguard/plugins/module_pair.h"

namespace vaeguard::runs {

/// A pair of TorchScript modules, which runs as it is: it cannot be trained, stored or exported.
struct Modules {
  plugins::ModulePair pair;
  models::Likelihood likelihood;
};

/// What a model's file says, before anything is compiled.
struct StoredModel {
  StoredModel(models::Checkpoint checkpoint);  // NOLINT(google-explicit-constructor): the usual case
  explicit StoredModel(Modules modules) : halves(std::move(modules)) {}

  /// The layer graphs; null where there are modules.
  [[nodiscard]] const models::VaeWeights* layers() const { return std::get_if<models::VaeWeights>(&halves); }
  [[nodiscard]] const Modules* modules() const { return std::get_if<Modules>(&halves); }
  [[nodiscard]] const models::Likelihood& likelihood() const;
  [[nodiscard]] models::PriorWeights prior() const;
  /// Ready for inference. Throws Misuse if a backend is named for what backends do not run.
  [[nodiscard]] models::Vae compile(std::string_view backend = "auto",
                                    networks::Precision gradients = networks::Precision::float32) const;

  std::variant<models::VaeWeights, Modules> halves;
  std::optional<models::LinearClassifier> classifier{};
  std::map<std::string, std::string> metadata{};
  std::vector<std::pair<std::string, std::string>> summary{};  // what was understood of files from outside
};

/// Reads a checkpoint or a description (.toml, plans/pair_plan.h) with the files that it names. Throws Misuse that
/// names the file.
StoredModel load_model(const std::filesystem::path& file);
StoredModel load_model(const plans::PairPlan& pair);
/// As a checkpoint. Throws Misuse that names `purpose`, "training", if the model is not made of layers.
models::Checkpoint load_layers(const std::filesystem::path& file, std::string_view purpose);

/// "sha256 ...": of the checkpoint, or of a description together with all files that it names.
std::string digest_of_model(const std::filesystem::path& file);

}  // namespace vaeguard::runs
