// Writes what the library only reads: gzip streams and IDX files.
#pragma once

#include <zlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "vaeguard/base/file.h"
#include "vaeguard/data/idx_file.h"

namespace vaeguard::data {

/// A gzip stream with this content.
inline std::string gzip(std::string_view content) {
  constexpr int kGzipWindow = 15 + 16;  // the largest window, with a gzip header
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib cannot start");
  }
  std::string packed(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int state = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (state != Z_STREAM_END) {
    throw std::runtime_error("zlib left the stream unfinished");
  }
  return packed;
}

/// An IDX file, compressed if the name ends in ".gz".
inline void write_idx(const std::filesystem::path& path, const IdxArray& array) {
  const std::string bytes = encode_idx(array);
  write_file_atomically(path, path.extension() == ".gz" ? gzip(bytes) : bytes);
}

}  // namespace vaeguard::data
