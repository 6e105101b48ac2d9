// What needs libtorch, in a library of its own that is loaded when it is first used.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/scalar_field.h"
#include "vaeguard/importers/import_options.h"
#include "vaeguard/metrics/feature_extractor.h"
#include "vaeguard/models/vae.h"
#include "vaeguard/networks/network.h"
#include "vaeguard/plugins/module_pair.h"

namespace vaeguard::plugins {

/// What the library offers (vaeguard/torchscript documents each). libtorch brings some 290 shared libraries along, a
/// third of a second and 130 MB, which no program should pay for that does not use it.
struct TorchPlugin {
  std::string_view version;  // of vaeguard; another one's memory layouts may differ
  /// The backend of this name, "torch" or "torch_cuda".
  const networks::Backend& (*backend)(std::string_view name);
  /// The posterior energy of a VAE on the backend of this name. (torchscript/torch_posterior.h)
  std::unique_ptr<ScalarField> (*posterior)(const models::Vae& vae, const Matrix& images, std::string_view backend);
  /// (torchscript/torchscript.h)
  void (*export_torchscript)(const models::VaeWeights& vae, const std::filesystem::path& folder);
  /// (torchscript/module_pair.h)
  ModulePair (*load_modules)(const ModuleFiles& files, const importers::ImportOptions& options);
  /// (torchscript/inception.h)
  std::unique_ptr<metrics::FeatureExtractor> (*load_inception)(const std::filesystem::path& file);
};

/// The name of the function in the library that returns `const TorchPlugin*`.
inline constexpr const char* kTorchPluginEntry = "vaeguard_torch_plugin";

/// Whether this build has the library.
bool has_torch_plugin();

/// Loads the library at the first call: the file that VAEGUARD_TORCH_PLUGIN names, else libvaeguard_torch.so where the
/// program's run path or the system's linker finds it. Safe to call from several threads. Throws Misuse with the reason
/// where it is missing, cannot be loaded or is of another version.
const TorchPlugin& torch_plugin();

/// Registers the backends torch and torch_cuda with their posterior energies, where this build has them. Loads nothing
/// before a graph is offered to one of them; what cannot be loaded then supports no graph, and says why. Call it once,
/// before threads start.
void register_torch_backends();

}  // namespace vaeguard::plugins
