// NumPy's .npz files: named float32 and int64 arrays in one zip archive.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vaeguard {

struct NpzArray {
  std::vector<std::int64_t> shape;
  std::variant<std::vector<float>, std::vector<std::int64_t>> values;  // row-major
  friend bool operator==(const NpzArray&, const NpzArray&) = default;
};

using NpzArrays = std::map<std::string, NpzArray>;

/// Writes a compressed archive atomically; equal arrays give equal bytes.
void write_npz(const std::filesystem::path& file, const NpzArrays& arrays);
/// Reads every array. Throws Misuse, naming file, array, expectation and value, for damaged archives, types other
/// than little-endian float32 and int64, Fortran order, and sizes that do not match.
NpzArrays read_npz(const std::filesystem::path& file);
/// The same from bytes in memory, called `place` in messages.
NpzArrays parse_npz(std::span<const std::byte> bytes, std::string_view place);

/// The values, float or int64, of the array of this name; null if there is none or it has another type.
template <typename Value>
const std::vector<Value>* find_values(const NpzArrays& arrays, const std::string& name) {
  const auto found = arrays.find(name);
  return found == arrays.end() ? nullptr : std::get_if<std::vector<Value>>(&found->second.values);
}

}  // namespace vaeguard
