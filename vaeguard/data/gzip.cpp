// Inflating whole gzip files piece by piece.
#include "vaeguard/data/gzip.h"

#include <zlib.h>

#include <limits>
#include <memory>

#include "vaeguard/base/error.h"

namespace vaeguard::data {
namespace {

constexpr std::string_view kPlace = "data.gzip";
constexpr int kGzipWindow = 15 + 16;  // the largest window, with a gzip header
constexpr std::size_t kPiece = std::size_t{1} << 16U;

// zlib takes sizes in 32 bits: larger inputs are handed over in pieces.
void feed(z_stream& stream, std::string_view& rest) {
  if (stream.avail_in == 0) {
    const std::size_t count = std::min<std::size_t>(rest.size(), std::numeric_limits<uInt>::max());
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest.data()));
    stream.avail_in = static_cast<uInt>(count);
    rest.remove_prefix(count);
  }
}

void offer(z_stream& stream, std::string& piece) {
  stream.next_out = reinterpret_cast<Bytef*>(piece.data());
  stream.avail_out = static_cast<uInt>(piece.size());
}

}  // namespace

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

std::string gunzip(std::string_view bytes, std::string_view name) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) {
    failure(kPlace, "zlib cannot start");
  }
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> owner(&stream, &inflateEnd);
  std::string content;
  std::string piece(kPiece, '\0');
  while (true) {
    feed(stream, bytes);
    offer(stream, piece);
    const int state = inflate(&stream, Z_NO_FLUSH);
    content.append(piece, 0, piece.size() - stream.avail_out);
    const bool input_left = stream.avail_in > 0 || !bytes.empty();
    if (state == Z_STREAM_END) {
      if (!input_left) {
        return content;
      }
      inflateReset(&stream);  // a gzip file may be several, one after another
    } else if (state == Z_BUF_ERROR || (state == Z_OK && !input_left && stream.avail_out > 0)) {
      misuse(kPlace, "{} is truncated: its gzip stream has no end", name);
    } else if (state != Z_OK) {
      misuse(kPlace, "{} must be a whole gzip file, found damage: {}", name,
             stream.msg == nullptr ? "bad data" : stream.msg);
    }
  }
}

}  // namespace vaeguard::data
