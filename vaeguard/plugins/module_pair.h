// A VAE of TorchScript modules as the library with libtorch loads it: two functions, and what was understood.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::plugins {

/// The encoder's file has the method forward, and so has the decoder's; where both are one file, it has encode and
/// decode.
struct ModuleFiles {
  std::filesystem::path encoder;
  std::filesystem::path decoder;
};

struct ModuleHalf {
  /// Rows to rows, as models/pair.h wants them.
  std::shared_ptr<const networks::DifferentiableFunction> function;
  std::int64_t parameters = 0;                     // of the module
  std::map<std::string, std::int64_t> operations;  // that the method calls, by name
  std::int64_t multiply_adds = 0;                  // of one row; those in the padding count
};

struct ModulePair {
  ModuleHalf encoder;
  ModuleHalf decoder;
  ImageShape image;
  ImageShape latents;                                        // of a code
  std::vector<std::pair<std::string, std::string>> summary;  // what was understood: a word, and a line on it
};

}  // namespace vaeguard::plugins
