// Raw bytes, typed lists or another file: the three places for a tensor's values.
#include "vaeguard/importers/onnx_tensor.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/importers/place.h"

namespace vaeguard::importers {
namespace {

using Kind = onnx::TensorProto;

std::int64_t number(const std::string& text, std::string_view place) {
  std::int64_t result = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (error != std::errc() || end != text.data() + text.size() || result < 0) {
    misuse(place, "offset and length in the other file must be numbers of at least 0, found '{}'", text);
  }
  return result;
}

// Bytes in a file beside the model's. Its name is a plain one: a model does not choose which files are read.
std::string external_bytes(const Kind& tensor, std::string_view place, const TensorSource& source) {
  std::string location;
  std::int64_t offset = 0;
  std::int64_t length = -1;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") {
      location = entry.value();
    } else if (entry.key() == "offset") {
      offset = number(entry.value(), place);
    } else if (entry.key() == "length") {
      length = number(entry.value(), place);
    }
  }
  const std::filesystem::path name(location);
  if (source.folder.empty() || location.empty() || name.filename() != name || location == "." || location == "..") {
    misuse(place, "its values must lie in the file itself or in one beside it, found the location '{}'", location);
  }
  const std::string bytes = read_file(source.folder / name);
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (offset > size || length > size - offset) {
    misuse(place, "the file '{}' must have {} bytes from {} on, it ends after {}", location, length, offset, size);
  }
  return bytes.substr(static_cast<std::size_t>(offset),
                      length < 0 ? std::string::npos : static_cast<std::size_t>(length));
}

void check_count(std::int64_t expected, std::int64_t found, const Extents& shape, std::string_view place) {
  if (expected != found) {
    misuse(place, "expected {} values for the shape {}, found {}", expected, text(shape), found);
  }
}

// IEEE half precision: sign, 5 bits of exponent, 10 of fraction.
float from_half(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const double value = exponent == 0    ? std::ldexp(fraction, -24)
                       : exponent == 31 ? std::numeric_limits<double>::infinity()
                                        : std::ldexp(fraction + 1024, exponent - 25);
  return static_cast<float>((bits & 0x8000) != 0 ? -value : value);
}

// The values as Stored, from bytes (little-endian, as are the machines that this runs on) or from a list.
template <typename Stored, typename List>
std::vector<Stored> stored(const Kind& tensor, const List& list, const Extents& shape, std::string_view place,
                           const TensorSource& source) {
  const std::int64_t expected = count(shape);
  const bool external = tensor.data_location() == Kind::EXTERNAL;
  if (!external && !tensor.has_raw_data()) {
    check_count(expected, list.size(), shape, place);
    std::vector<Stored> result;
    std::ranges::transform(list, std::back_inserter(result), [](auto value) { return static_cast<Stored>(value); });
    return result;
  }
  const std::string bytes = external ? external_bytes(tensor, place, source) : tensor.raw_data();
  if (bytes.size() != static_cast<std::size_t>(expected) * sizeof(Stored)) {
    misuse(place, "expected {} bytes for the shape {}, found {}", expected * static_cast<std::int64_t>(sizeof(Stored)),
           text(shape), bytes.size());
  }
  std::vector<Stored> result(static_cast<std::size_t>(expected));
  if (!bytes.empty()) {
    std::memcpy(result.data(), bytes.data(), bytes.size());
  }
  return result;
}

template <typename Stored>
Tensor real_tensor(Extents shape, const std::vector<Stored>& values, std::string_view place) {
  std::vector<float> result;
  for (const Stored value : values) {
    if constexpr (std::is_same_v<Stored, std::uint16_t>) {
      result.push_back(from_half(value));
    } else {
      result.push_back(static_cast<float>(value));
    }
    if (!std::isfinite(result.back())) {
      misuse(place, "values must be finite, found {}", result.back());
    }
  }
  return Tensor::of(std::move(shape), std::move(result));
}

template <typename Stored>
Tensor whole_tensor(Extents shape, const std::vector<Stored>& values) {
  return Tensor::of(std::move(shape), std::vector<std::int64_t>(values.begin(), values.end()));
}

}  // namespace

Tensor tensor_of(const Kind& tensor, std::string_view place, const TensorSource& source) {
  const Extents shape(tensor.dims().begin(), tensor.dims().end());
  said_of(place, [&] { return count(shape); });
  const auto read = [&]<typename Stored>(Stored, const auto& list) {
    return stored<Stored>(tensor, list, shape, place, source);
  };
  switch (tensor.data_type()) {
    case Kind::FLOAT:
      return real_tensor(shape, read(0.0F, tensor.float_data()), place);
    case Kind::DOUBLE:
      return real_tensor(shape, read(0.0, tensor.double_data()), place);
    case Kind::FLOAT16:
      return real_tensor(shape, read(std::uint16_t{}, tensor.int32_data()), place);
    case Kind::INT64:
      return whole_tensor(shape, read(std::int64_t{}, tensor.int64_data()));
    case Kind::INT32:
      return whole_tensor(shape, read(std::int32_t{}, tensor.int32_data()));
    case Kind::INT16:
      return whole_tensor(shape, read(std::int16_t{}, tensor.int32_data()));
    case Kind::INT8:
      return whole_tensor(shape, read(std::int8_t{}, tensor.int32_data()));
    case Kind::UINT16:
      return whole_tensor(shape, read(std::uint16_t{}, tensor.int32_data()));
    case Kind::UINT8:
    case Kind::BOOL:
      return whole_tensor(shape, read(std::uint8_t{}, tensor.int32_data()));
    default:
      misuse(place, "values must be real numbers of 16, 32 or 64 bits, integers or truth values, found type {}",
             tensor.data_type());
  }
}

}  // namespace vaeguard::importers
