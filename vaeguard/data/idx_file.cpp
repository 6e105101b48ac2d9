// Reading and writing the IDX container. Layout: 0 0 type rank, one big-endian 32-bit size per dimension, the values.
#include "vaeguard/data/idx_file.h"

#include <algorithm>

#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/data/gzip.h"

namespace vaeguard::data {
namespace {

constexpr std::string_view kPlace = "data.idx_file";
constexpr std::uint32_t kUnsignedBytes = 0x08;
constexpr int kHighestRank = 4;
// No data set comes near it; larger sizes mean a damaged file.
constexpr std::int64_t kMostValues = std::int64_t{1} << 36U;

std::uint32_t big_endian(std::string_view bytes, std::size_t offset) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = (value << 8U) | static_cast<unsigned char>(bytes[offset + i]);
  }
  return value;
}

void append_big_endian(std::string& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xFFU));
  }
}

void check_rank(int rank) {
  if (rank < 1 || rank > kHighestRank) {
    misuse(kPlace, "an IDX array must have 1 to {} dimensions, got {}", kHighestRank, rank);
  }
}

std::vector<std::int64_t> parse_dimensions(std::string_view bytes, std::string_view name, int rank) {
  const std::size_t header = 4 + 4 * static_cast<std::size_t>(rank);
  if (bytes.size() < header) {
    misuse(kPlace, "{} is truncated: its header takes {} bytes, found {}", name, header, bytes.size());
  }
  const std::uint32_t magic = (kUnsignedBytes << 8U) | static_cast<std::uint32_t>(rank);
  if (big_endian(bytes, 0) != magic) {
    misuse(kPlace, "{} must begin with the magic number 0x{:08x} (unsigned bytes, {} dimensions), found 0x{:08x}", name,
           magic, rank, big_endian(bytes, 0));
  }
  std::vector<std::int64_t> dimensions;
  std::int64_t values = 1;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rank); ++i) {
    const std::int64_t size = big_endian(bytes, 4 + 4 * i);
    if (size < 1 || size > kMostValues / values) {
      misuse(kPlace, "{} has an impossible size in dimension {}: expected 1 to {}, found {}", name, i,
             kMostValues / values, size);
    }
    values *= size;
    dimensions.push_back(size);
  }
  return dimensions;
}

std::int64_t value_count(const IdxArray& array) {
  std::int64_t count = 1;
  for (const std::int64_t size : array.dimensions) {
    if (size < 1 || size > UINT32_MAX || size > kMostValues / count) {
      misuse(kPlace, "each dimension of an IDX array must be 1 or more and fit its header, got {}", size);
    }
    count *= size;
  }
  return count;
}

IdxArray parse_plain(std::string_view bytes, std::string_view name, int rank) {
  IdxArray array{parse_dimensions(bytes, name, rank), {}};
  const std::size_t header = 4 + 4 * static_cast<std::size_t>(rank);
  const auto expected = static_cast<std::size_t>(value_count(array));
  const std::size_t found = bytes.size() - header;
  if (found < expected) {
    misuse(kPlace, "{} is truncated: its sizes ask for {} values, found {}", name, expected, found);
  }
  if (found > expected) {
    misuse(kPlace, "{} has trailing bytes: its sizes ask for {} values, found {}", name, expected, found);
  }
  array.values.assign(bytes.begin() + static_cast<std::ptrdiff_t>(header), bytes.end());
  return array;
}

}  // namespace

IdxArray parse_idx(std::string_view bytes, std::string_view name, int rank) {
  check_rank(rank);
  return is_gzip(bytes) ? parse_plain(gunzip(bytes, name), name, rank) : parse_plain(bytes, name, rank);
}

IdxArray read_idx(const std::filesystem::path& path, int rank) {
  return parse_idx(read_file(path), path.string(), rank);
}

std::string encode_idx(const IdxArray& array) {
  check_rank(static_cast<int>(array.dimensions.size()));
  if (value_count(array) != static_cast<std::int64_t>(array.values.size())) {
    misuse(kPlace, "the dimensions ask for {} values, got {}", value_count(array), array.values.size());
  }
  std::string bytes;
  append_big_endian(bytes, (kUnsignedBytes << 8U) | static_cast<std::uint32_t>(array.dimensions.size()));
  for (const std::int64_t size : array.dimensions) {
    append_big_endian(bytes, static_cast<std::uint32_t>(size));
  }
  bytes.append(array.values.begin(), array.values.end());
  return bytes;
}

Images select_images(const IdxArray& images, const IdxArray& labels, std::int64_t classes,
                     std::span<const std::int64_t> indices, std::string_view name) {
  if (images.dimensions.size() != 3 || labels.dimensions.size() != 1) {
    misuse(kPlace, "{} must have images in 3 dimensions and labels in 1, got {} and {}", name, images.dimensions.size(),
           labels.dimensions.size());
  }
  const std::int64_t count = images.dimensions[0];
  if (count != labels.dimensions[0]) {
    misuse(kPlace, "{} must have as many labels as images, got {} images and {} labels", name, count,
           labels.dimensions[0]);
  }
  const auto wrong = std::ranges::find_if(labels.values, [&](std::uint8_t label) { return label >= classes; });
  if (wrong != labels.values.end()) {
    misuse(kPlace, "{} must have labels below {}, found {} at image {}", name, classes, *wrong,
           wrong - labels.values.begin());
  }
  const std::int64_t pixels = images.dimensions[1] * images.dimensions[2];
  Images result{Matrix(static_cast<std::int64_t>(indices.size()), pixels), {}};
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] < 0 || indices[i] >= count) {
      misuse(kPlace, "image {} is outside the {} images of {}", indices[i], count, name);
    }
    const std::uint8_t* source = images.values.data() + indices[i] * pixels;
    std::ranges::transform(std::span(source, static_cast<std::size_t>(pixels)),
                           result.pixels.row(static_cast<std::int64_t>(i)).begin(),
                           [](std::uint8_t value) { return static_cast<float>(value) / 255.0F; });
    result.labels.push_back(labels.values[static_cast<std::size_t>(indices[i])]);
  }
  return result;
}

}  // namespace vaeguard::data
