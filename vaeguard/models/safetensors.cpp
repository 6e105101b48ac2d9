// Parsing, checking and writing safetensors files.
#include "vaeguard/models/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"

namespace vaeguard::models {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kLargestHeader = 100'000'000;  // the format's own limit

// Bytes of one element, 0 for a type that the format does not know.
std::size_t element_size(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, std::size_t>, 15> kSizes{{{"BOOL", 1},
                                                                             {"U8", 1},
                                                                             {"I8", 1},
                                                                             {"F8_E4M3", 1},
                                                                             {"F8_E5M2", 1},
                                                                             {"U16", 2},
                                                                             {"I16", 2},
                                                                             {"F16", 2},
                                                                             {"BF16", 2},
                                                                             {"U32", 4},
                                                                             {"I32", 4},
                                                                             {"F32", 4},
                                                                             {"U64", 8},
                                                                             {"I64", 8},
                                                                             {"F64", 8}}};
  const auto* const found = std::ranges::find(kSizes, type, &std::pair<std::string_view, std::size_t>::first);
  return found == kSizes.end() ? 0 : found->second;
}

std::string format_shape(std::span<const std::int64_t> shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

template <typename Value>
Tensor make_tensor(std::string_view type, std::vector<std::int64_t> shape, std::span<const Value> values) {
  const auto bytes = std::as_bytes(values);
  return {.type = std::string(type), .shape = std::move(shape), .bytes = {bytes.begin(), bytes.end()}};
}

template <typename Value>
std::vector<Value> read_values(const Safetensors& file, std::string_view name, std::span<const std::int64_t> shape,
                               std::string_view type, std::string_view place) {
  const std::vector<std::int64_t>& found_shape = file.shape(name, place);
  const Tensor& tensor = file.tensors.at(std::string(name));
  if (tensor.type != type || !std::ranges::equal(found_shape, shape)) {
    misuse(place, "tensor '{}' must be {} of shape {}, found {} of shape {}", name, type, format_shape(shape),
           tensor.type, format_shape(found_shape));
  }
  std::vector<Value> values(tensor.bytes.size() / sizeof(Value));
  if (!values.empty()) {
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  }
  return values;
}

// The header as JSON. The format allows two levels of objects, so deeper nesting and repeated names are refused.
json parse_header(std::string_view text, std::string_view place) {
  std::set<std::string> names;
  const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > 3) {
      misuse(place, "the header must be an object of objects, found deeper nesting");
    }
    if (depth == 1 && event == json::parse_event_t::key && !names.insert(parsed.get<std::string>()).second) {
      misuse(place, "every tensor must have a name of its own, found '{}' twice", parsed.get<std::string>());
    }
    return true;
  };
  try {
    json header = json::parse(text, check);
    if (!header.is_object()) {
      misuse(place, "the header must be a JSON object, found {}", header.type_name());
    }
    return header;
  } catch (const json::exception& error) {
    misuse(place, "the header must be JSON, found: {}", error.what());
  }
}

std::map<std::string, std::string> parse_metadata(const json& entry, std::string_view place) {
  if (!entry.is_object()) {
    misuse(place, "'__metadata__' must be an object of texts, found {}", entry.type_name());
  }
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : entry.items()) {
    if (!value.is_string()) {
      misuse(place, "'__metadata__' must hold texts only, found {} under '{}'", value.type_name(), key);
    }
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

// Reads an array of non-negative integers.
std::vector<std::int64_t> parse_integers(const json& entry, std::string_view field, std::string_view name,
                                         std::string_view place) {
  const auto valid = [](const json& value) {
    return value.is_number_unsigned() && value.get<std::uint64_t>() <= INT64_MAX;
  };
  const auto found = entry.find(field);
  if (found == entry.end() || !found->is_array() || !std::ranges::all_of(*found, valid)) {
    misuse(place, "tensor '{}': '{}' must be an array of non-negative integers, found {}", name, field,
           found == entry.end() ? "nothing" : found->dump(-1, ' ', false, json::error_handler_t::replace));
  }
  return found->get<std::vector<std::int64_t>>();
}

struct Extent {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::string name;
};

// Checks one header entry against the data section of `data_size` bytes and returns the tensor without its bytes.
Tensor parse_entry(const json& entry, const std::string& name, std::int64_t data_size, Extent& extent,
                   std::string_view place) {
  if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string()) {
    misuse(place, "tensor '{}' must be described by an object with 'dtype', 'shape' and 'data_offsets'", name);
  }
  Tensor tensor{
      .type = entry["dtype"].get<std::string>(), .shape = parse_integers(entry, "shape", name, place), .bytes = {}};
  const auto size = static_cast<std::int64_t>(element_size(tensor.type));
  if (size == 0) {
    misuse(place, "tensor '{}': 'dtype' must be one of the format's types (F32, F64, I64, ...), found '{}'", name,
           tensor.type);
  }
  const std::vector<std::int64_t> offsets = parse_integers(entry, "data_offsets", name, place);
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_size) {
    misuse(place, "tensor '{}': 'data_offsets' must be [begin, end] within {} bytes of data, found {}", name, data_size,
           format_shape(offsets));
  }
  std::int64_t expected = size;
  for (const std::int64_t length : tensor.shape) {
    if (__builtin_mul_overflow(expected, length, &expected)) {
      misuse(place, "tensor '{}': shape {} is too large", name, format_shape(tensor.shape));
    }
  }
  if (expected != offsets[1] - offsets[0]) {
    misuse(place, "tensor '{}': {} of shape {} takes {} bytes, found {}", name, tensor.type, format_shape(tensor.shape),
           expected, offsets[1] - offsets[0]);
  }
  extent = {.begin = offsets[0], .end = offsets[1], .name = name};
  return tensor;
}

// The format asks that tensors cover the data without gaps or overlaps.
void check_cover(std::vector<Extent> extents, std::int64_t data_size, std::string_view place) {
  std::ranges::sort(extents, {}, [](const Extent& e) { return std::pair(e.begin, e.end); });
  std::int64_t covered = 0;
  for (const Extent& extent : extents) {
    if (extent.begin != covered) {
      misuse(place, "tensor '{}' must begin where the one before it ends, at byte {}, found byte {}", extent.name,
             covered, extent.begin);
    }
    covered = extent.end;
  }
  if (covered != data_size) {
    misuse(place, "tensors must cover all {} bytes of data, found {} covered", data_size, covered);
  }
}

}  // namespace

Tensor Tensor::of(std::vector<std::int64_t> shape, std::span<const float> values) {
  return make_tensor("F32", std::move(shape), values);
}

Tensor Tensor::of(std::vector<std::int64_t> shape, std::span<const double> values) {
  return make_tensor("F64", std::move(shape), values);
}

std::vector<float> Safetensors::floats(std::string_view name, std::span<const std::int64_t> shape,
                                       std::string_view place) const {
  return read_values<float>(*this, name, shape, "F32", place);
}

std::vector<double> Safetensors::doubles(std::string_view name, std::span<const std::int64_t> shape,
                                         std::string_view place) const {
  return read_values<double>(*this, name, shape, "F64", place);
}

const std::vector<std::int64_t>& Safetensors::shape(std::string_view name, std::string_view place) const {
  const auto found = tensors.find(std::string(name));
  if (found == tensors.end()) {
    misuse(place, "expected a tensor '{}', found none among {} tensors", name, tensors.size());
  }
  return found->second.shape;
}

const std::string& Safetensors::text(std::string_view key, std::string_view place) const {
  const auto found = metadata.find(std::string(key));
  if (found == metadata.end()) {
    misuse(place, "expected the metadata entry '{}', found none", key);
  }
  return found->second;
}

Safetensors parse_safetensors(std::span<const std::byte> bytes, std::string_view place) {
  std::uint64_t header_length = 0;
  if (bytes.size() < kLengthBytes) {
    misuse(place, "a safetensors file has at least {} bytes, found {}", kLengthBytes, bytes.size());
  }
  std::memcpy(&header_length, bytes.data(), kLengthBytes);
  if (header_length > kLargestHeader || header_length > bytes.size() - kLengthBytes) {
    misuse(place, "the header's length must fit the file of {} bytes, found {} (truncated, or not a safetensors file)",
           bytes.size(), header_length);
  }
  const auto* const text = reinterpret_cast<const char*>(bytes.data()) + kLengthBytes;
  const json header = parse_header({text, header_length}, place);
  const std::span<const std::byte> data = bytes.subspan(kLengthBytes + header_length);

  Safetensors result;
  std::vector<Extent> extents;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      result.metadata = parse_metadata(entry, place);
      continue;
    }
    result.tensors[name] = parse_entry(entry, name, std::ssize(data), extents.emplace_back(), place);
  }
  check_cover(extents, std::ssize(data), place);
  for (const Extent& extent : extents) {
    const auto part =
        data.subspan(static_cast<std::size_t>(extent.begin), static_cast<std::size_t>(extent.end - extent.begin));
    result.tensors[extent.name].bytes.assign(part.begin(), part.end());
  }
  return result;
}

std::vector<std::byte> serialise_safetensors(const Safetensors& contents) {
  json header = json::object();
  if (!contents.metadata.empty()) {
    header["__metadata__"] = contents.metadata;
  }
  std::size_t end = 0;
  for (const auto& [name, tensor] : contents.tensors) {
    header[name] = {
        {"dtype", tensor.type}, {"shape", tensor.shape}, {"data_offsets", {end, end + tensor.bytes.size()}}};
    end += tensor.bytes.size();
  }
  std::string text = header.dump(-1, ' ', false, json::error_handler_t::replace);
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');  // data begins 8-byte aligned
  const std::uint64_t length = text.size();
  std::vector<std::byte> bytes(kLengthBytes + text.size() + end);
  std::memcpy(bytes.data(), &length, kLengthBytes);
  std::memcpy(bytes.data() + kLengthBytes, text.data(), text.size());
  auto place = bytes.begin() + static_cast<std::ptrdiff_t>(kLengthBytes + text.size());
  for (const auto& [name, tensor] : contents.tensors) {
    place = std::ranges::copy(tensor.bytes, place).out;
  }
  return bytes;
}

Safetensors load_safetensors(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  return parse_safetensors(std::as_bytes(std::span(bytes)), file.string());
}

void save_safetensors(const Safetensors& contents, const std::filesystem::path& file) {
  const std::vector<std::byte> bytes = serialise_safetensors(contents);
  write_file_atomically(file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace vaeguard::models
