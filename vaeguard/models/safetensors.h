// The safetensors container: named tensors and text metadata, safe to read from untrusted bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vaeguard::models {

/// One tensor as stored in a file: row-major, little-endian.
struct Tensor {
  std::string type;  // "F32", "F64", "I64", ... as the format names them
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;

  static Tensor of(std::vector<std::int64_t> shape, std::span<const float> values);
  static Tensor of(std::vector<std::int64_t> shape, std::span<const double> values);
  friend bool operator==(const Tensor&, const Tensor&) = default;
};

/// A file: u64 length of the header, JSON header {"name": {"dtype", "shape", "data_offsets"}, "__metadata__": {}},
/// data.
struct Safetensors {
  std::map<std::string, std::string> metadata;
  std::map<std::string, Tensor> tensors;

  /// The values of a tensor that must exist with this shape and type F32. Throws Misuse "[place] tensor 'name' ...".
  [[nodiscard]] std::vector<float> floats(std::string_view name, std::span<const std::int64_t> shape,
                                          std::string_view place) const;
  /// The same for type F64.
  [[nodiscard]] std::vector<double> doubles(std::string_view name, std::span<const std::int64_t> shape,
                                            std::string_view place) const;
  /// The shape of a tensor that must exist.
  [[nodiscard]] const std::vector<std::int64_t>& shape(std::string_view name, std::string_view place) const;
  /// A metadata entry that must exist.
  [[nodiscard]] const std::string& text(std::string_view key, std::string_view place) const;

  friend bool operator==(const Safetensors&, const Safetensors&) = default;
};

/// Reads the container. Throws Misuse that names `place`, the tensor, what the format asks for and what was found;
/// no input makes it crash or allocate more than a small multiple of its size.
Safetensors parse_safetensors(std::span<const std::byte> bytes, std::string_view place);
std::vector<std::byte> serialise_safetensors(const Safetensors& contents);

Safetensors load_safetensors(const std::filesystem::path& file);
/// Written atomically (base/file.h): a reader, or a crash at any moment, meets the old file or the whole new one.
void save_safetensors(const Safetensors& contents, const std::filesystem::path& file);

}  // namespace vaeguard::models
