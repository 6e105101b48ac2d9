// Writes PNG files in memory with libpng.
#include "vaeguard/reports/png_image.h"

#include <png.h>

#include <stdexcept>

#include "vaeguard/base/error.h"

namespace vaeguard::reports {
namespace {

void append_bytes(png_structp png, png_bytep bytes, png_size_t count) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), count);
}

[[noreturn]] void throw_error(png_structp /*png*/, png_const_charp text) {
  failure("reports.png_image", "libpng could not write a picture: {}", text);
}

void ignore_warning(png_structp /*png*/, png_const_charp /*text*/) {}

/// Frees libpng's structures whether or not writing succeeds.
class Writer {
 public:
  Writer() {
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, throw_error, ignore_warning);
    info = png != nullptr ? png_create_info_struct(png) : nullptr;
    if (info == nullptr) {
      png_destroy_write_struct(&png, nullptr);
      failure("reports.png_image", "libpng {} could not start a picture", PNG_LIBPNG_VER_STRING);
    }
  }
  ~Writer() { png_destroy_write_struct(&png, &info); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  png_structp png = nullptr;
  png_infop info = nullptr;
};

}  // namespace

std::string encode_png(const PngImage& image, const std::string& description) {
  std::string bytes;
  Writer writer;
  png_set_write_fn(writer.png, &bytes, append_bytes, nullptr);
  png_set_IHDR(writer.png, writer.info, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height),
               8, PNG_COLOR_TYPE_RGBA, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  std::string key = "Description";
  std::string text = description;
  png_text entry{};
  entry.compression = PNG_ITXT_COMPRESSION_NONE;  // UTF-8
  entry.key = key.data();
  entry.text = text.data();
  entry.itxt_length = text.size();
  if (!description.empty()) {
    png_set_text(writer.png, writer.info, &entry, 1);
  }
  png_write_info(writer.png, writer.info);
  for (std::int64_t y = 0; y < image.height; ++y) {
    png_write_row(writer.png, image.rgba.data() + y * image.width * 4);
  }
  png_write_end(writer.png, writer.info);
  return bytes;
}

}  // namespace vaeguard::reports
