// A VAE whose encoder and decoder are TorchScript modules, run as they are.
#pragma once

#include "vaeguard/importers/import_options.h"
#include "vaeguard/plugins/module_pair.h"

namespace vaeguard::torchscript {

/// Loads both halves, in evaluation mode, and finds their shapes by running them once on an image of zeros, whose shape
/// `options` must say. Outputs are chosen by the names of a dictionary or a named tuple, or by position, "0", "1".
/// Where a likelihood is on logits and the decoder gives means, logits are found from these. Throws Misuse that names
/// the file, what was expected and what was found.
plugins::ModulePair load_modules(const plugins::ModuleFiles& files, const importers::ImportOptions& options);

}  // namespace vaeguard::torchscript
