// Tensors of ONNX files, wherever the file keeps their values, for the sources of this folder only.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <string_view>

#include "vaeguard/importers/tensor.h"

namespace vaeguard::importers {

/// Where values may lie that are not in the file itself; an empty folder refuses them.
struct TensorSource {
  std::filesystem::path folder;
};

/// Real numbers of 16, 32 and 64 bits become floats, integers and truth values 64 bits; throws Misuse that names
/// `place` for other kinds, for values that are not as many as the shape says, and for values that are not finite.
Tensor tensor_of(const onnx::TensorProto& tensor, std::string_view place, const TensorSource& source);

}  // namespace vaeguard::importers
