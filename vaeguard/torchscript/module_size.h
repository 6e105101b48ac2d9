// What a method of a module is made of and what one row costs; for the sources of this folder only.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "vaeguard/torchscript/module_method.h"

namespace vaeguard::torchscript {

/// Operations of the method and of all that it calls, by libtorch's names: "conv2d", "relu".
std::map<std::string, std::int64_t> operations_of(const ModuleMethod& method);
std::int64_t parameters_of(const ModuleMethod& method);
/// Multiply-adds of the convolutions, padding included, and products that a call with `input` runs.
std::int64_t multiply_adds_of(const ModuleMethod& method, const torch::Tensor& input);

}  // namespace vaeguard::torchscript
