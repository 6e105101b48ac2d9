// The .npy format inside a zip archive, through libzip.
#include "vaeguard/base/npz.h"

#include <fmt/format.h>
#include <zip.h>

#include <bit>
#include <cstring>
#include <memory>
#include <type_traits>

#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"

namespace vaeguard {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are written as they lie in memory");

constexpr std::string_view kMagic{"\x93NUMPY\x01\x00", 8};
constexpr std::size_t kPreamble = 10;  // magic, version, and the header's length in two bytes

std::int64_t element_count(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) {
    count *= extent;
  }
  return count;
}

// The bytes of one .npy file (format 1.0): a Python literal padded to 64 bytes, then the values.
std::string to_npy(const std::string& name, const NpzArray& array) {
  std::string shape;
  for (const std::int64_t extent : array.shape) {
    shape += fmt::format("{}, ", extent);
  }
  const bool is_float = std::holds_alternative<std::vector<float>>(array.values);
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", is_float ? "<f4" : "<i8", shape);
  header.append(64 - (kPreamble + header.size() + 1) % 64, ' ');
  header += '\n';
  std::string bytes(kMagic);
  bytes += static_cast<char>(header.size() & 0xFFU);
  bytes += static_cast<char>(header.size() >> 8U);
  bytes += header;
  std::visit(
      [&](const auto& values) {
        if (static_cast<std::int64_t>(values.size()) != element_count(array.shape)) {
          misuse("base.npz", "the array '{}' must have {} values for its shape, got {}", name,
                 element_count(array.shape), values.size());
        }
        bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0]));
      },
      array.values);
  return bytes;
}

// The text after 'key': in a header's literal.
std::string_view literal(std::string_view header, std::string_view key, std::string_view place) {
  const auto at = header.find(fmt::format("'{}':", key));
  if (at == std::string_view::npos) {
    misuse(place, "the header must have the key '{}'; it is {}", key, header);
  }
  std::string_view rest = header.substr(at + key.size() + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

std::vector<std::int64_t> parse_shape(std::string_view text, std::string_view place) {
  if (!text.starts_with('(') || text.find(')') == std::string_view::npos) {
    misuse(place, "the shape must be a tuple, got {}", text.substr(0, 40));
  }
  text = text.substr(1, text.find(')') - 1);
  std::vector<std::int64_t> shape;
  std::int64_t product = 1;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    std::string_view entry = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    entry.remove_prefix(std::min(entry.find_first_not_of(' '), entry.size()));
    if (entry.empty()) {
      continue;
    }
    std::int64_t extent = 0;
    for (const char digit : entry) {
      constexpr std::int64_t kLimit = std::int64_t{1} << 40U;
      if (digit < '0' || digit > '9' || extent > kLimit) {
        misuse(place, "an extent of the shape must be a number up to 2^40, got {}", entry.substr(0, 40));
      }
      extent = 10 * extent + (digit - '0');
    }
    if (__builtin_mul_overflow(product, std::max<std::int64_t>(extent, 1), &product)) {
      misuse(place, "the shape has more elements than fit into memory");
    }
    shape.push_back(extent);
  }
  return shape;
}

template <typename T>
std::vector<T> parse_values(std::string_view bytes, std::int64_t count, std::string_view place) {
  if (bytes.size() % sizeof(T) != 0 || static_cast<std::int64_t>(bytes.size() / sizeof(T)) != count) {
    misuse(place, "{} values of {} bytes must follow the header, got {} bytes", count, sizeof(T), bytes.size());
  }
  std::vector<T> values(static_cast<std::size_t>(count));
  if (count > 0) {
    std::memcpy(values.data(), bytes.data(), bytes.size());
  }
  return values;
}

NpzArray parse_npy(std::string_view bytes, std::string_view place) {
  if (bytes.size() < kPreamble || bytes.substr(0, kMagic.size()) != kMagic) {
    misuse(place, "an array must begin as a .npy file of format 1.0 does; it has {} bytes and begins otherwise",
           bytes.size());
  }
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  const std::size_t length = byte(8) | (byte(9) << 8U);
  if (bytes.size() < kPreamble + length) {
    misuse(place, "the header must have {} bytes, the file ends after {}", length, bytes.size() - kPreamble);
  }
  const std::string_view header = bytes.substr(kPreamble, length);
  if (!literal(header, "fortran_order", place).starts_with("False")) {
    misuse(place, "arrays must be in C order (row-major), this one is in Fortran order");
  }
  NpzArray array;
  array.shape = parse_shape(literal(header, "shape", place), place);
  const std::string_view type = literal(header, "descr", place);
  const std::string_view rest = bytes.substr(kPreamble + length);
  if (type.starts_with("'<f4'")) {
    array.values = parse_values<float>(rest, element_count(array.shape), place);
  } else if (type.starts_with("'<i8'")) {
    array.values = parse_values<std::int64_t>(rest, element_count(array.shape), place);
  } else {
    misuse(place, "the type must be little-endian float32 ('<f4') or int64 ('<i8'), got {}", type.substr(0, 8));
  }
  return array;
}

struct CloseArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseEntry {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

std::string read_entry(zip_t* archive, zip_int64_t index, std::string_view place) {
  zip_stat_t status;
  const std::unique_ptr<zip_file_t, CloseEntry> entry(zip_fopen_index(archive, static_cast<zip_uint64_t>(index), 0));
  if (zip_stat_index(archive, static_cast<zip_uint64_t>(index), 0, &status) != 0 || !entry) {
    misuse(place, "damaged archive: {}", zip_strerror(archive));
  }
  // Read in pieces, since a damaged archive may claim any size.
  std::string bytes;
  std::string piece(std::size_t{1} << 20U, '\0');
  for (zip_int64_t got = 0; (got = zip_fread(entry.get(), piece.data(), piece.size())) != 0;) {
    if (got < 0) {
      misuse(place, "damaged archive: {}", zip_error_strerror(zip_file_get_error(entry.get())));
    }
    bytes.append(piece, 0, static_cast<std::size_t>(got));
  }
  if (bytes.size() != status.size) {
    misuse(place, "the entry must have {} bytes, got {}", status.size, bytes.size());
  }
  return bytes;
}

}  // namespace

void write_npz(const std::filesystem::path& file, const NpzArrays& arrays) {
  if (arrays.empty()) {
    misuse("base.npz", "{} must get at least one array, got none", file.string());
  }
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* buffer = zip_source_buffer_create(nullptr, 0, 0, &error);
  std::unique_ptr<zip_t, CloseArchive> archive(zip_open_from_source(buffer, ZIP_TRUNCATE, &error));
  if (!archive) {
    failure("base.npz", "{}: {}", file.string(), zip_error_strerror(&error));
  }
  zip_source_keep(buffer);  // outlives the archive, whose bytes it receives
  const std::unique_ptr<zip_source_t, decltype(&zip_source_free)> keep(buffer, zip_source_free);
  std::map<std::string, std::string> entries;  // libzip reads them when the archive closes
  for (const auto& [name, array] : arrays) {
    const std::string& bytes = entries[name + ".npy"] = to_npy(name, array);
    zip_source_t* source = zip_source_buffer(archive.get(), bytes.data(), bytes.size(), 0);
    const zip_int64_t index = zip_file_add(archive.get(), (name + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      failure("base.npz", "{}, array '{}': {}", file.string(), name, zip_strerror(archive.get()));
    }
    // The fastest compression: arrays of noise barely shrink, whatever the effort. A fixed local time (1 January 1980,
    // midnight, the earliest of the format) keeps bytes equal, in every time zone.
    zip_set_file_compression(archive.get(), static_cast<zip_uint64_t>(index), ZIP_CM_DEFLATE, 1);
    zip_file_set_dostime(archive.get(), static_cast<zip_uint64_t>(index), 0, (1U << 5U) | 1U, 0);
  }
  if (zip_close(archive.get()) != 0) {
    failure("base.npz", "{}: {}", file.string(), zip_strerror(archive.get()));
  }
  static_cast<void>(archive.release());  // closed
  zip_stat_t status;
  if (zip_source_open(buffer) != 0 || zip_source_stat(buffer, &status) != 0) {
    failure("base.npz", "{}: cannot read the archive back", file.string());
  }
  std::string bytes(status.size, '\0');
  const zip_int64_t got = zip_source_read(buffer, bytes.data(), bytes.size());
  zip_source_close(buffer);
  if (got != static_cast<zip_int64_t>(bytes.size())) {
    failure("base.npz", "{}: cannot read the archive back", file.string());
  }
  write_file_atomically(file, bytes);
}

NpzArrays read_npz(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  return parse_npz(std::as_bytes(std::span(bytes)), file.string());
}

NpzArrays parse_npz(std::span<const std::byte> bytes, std::string_view place) {
  zip_error_t error;
  zip_error_init(&error);
  if (bytes.empty()) {  // libzip treats no bytes at all as an empty archive
    misuse(place, "must be an .npz archive, found an empty file");
  }
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  const std::unique_ptr<zip_t, CloseArchive> archive(zip_open_from_source(source, ZIP_RDONLY, &error));
  if (!archive) {
    zip_source_free(source);
    misuse(place, "must be an .npz archive: {}", zip_error_strerror(&error));
  }
  NpzArrays arrays;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive.get(), 0); ++i) {
    const char* entry = zip_get_name(archive.get(), static_cast<zip_uint64_t>(i), 0);
    std::string name = entry == nullptr ? "" : entry;
    const std::string where = fmt::format("{}, array '{}'", place, name);
    const std::string content = read_entry(archive.get(), i, where);
    if (name.ends_with(".npy")) {
      name.resize(name.size() - 4);
    }
    arrays.emplace(std::move(name), parse_npy(content, where));
  }
  return arrays;
}

}  // namespace vaeguard
