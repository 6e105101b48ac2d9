// JPEG in memory. libjpeg leaves an error by longjmp: frames between it and setjmp hold objects without destructors.
#include "vaeguard/defences/jpeg.h"

#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstdio>  // jpeglib.h names FILE without including it
#include <cstring>
#include <vector>

#include <jpeglib.h>

#include "vaeguard/base/error.h"

namespace vaeguard::defences {
namespace {

struct Errors {
  jpeg_error_mgr manager;  // first, so that libjpeg's pointer to it is a pointer to all
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
};

// What libjpeg works on. No member owns memory but libjpeg's two, and they are destroyed by their scope.
struct Codec {
  Errors errors;
  jpeg_compress_struct writer;
  jpeg_decompress_struct reader;
  jpeg_destination_mgr destination;
  int quality;
  ImageShape shape;
  JSAMPLE* samples;  // [H][W][C]
  JOCTET* bytes;
  std::size_t capacity;
  std::size_t used;
};

[[noreturn]] void leave(j_common_ptr object) {
  auto* errors = reinterpret_cast<Errors*>(object->err);
  object->err->format_message(object, errors->message);
  std::longjmp(errors->back, 1);
}

void stay_silent(j_common_ptr /*object*/) {}
void warn_silently(j_common_ptr object, int level) {
  object->err->num_warnings += level < 0 ? 1 : 0;  // negative levels are warnings of damaged data
}

Codec& codec_of(j_compress_ptr writer) { return *static_cast<Codec*>(writer->client_data); }

void begin_output(j_compress_ptr writer) {
  Codec& codec = codec_of(writer);
  codec.destination.next_output_byte = codec.bytes;
  codec.destination.free_in_buffer = codec.capacity;
}
boolean refuse_more_output(j_compress_ptr writer) {
  Errors& errors = codec_of(writer).errors;
  std::strcpy(errors.message, "the compressed image is larger than any should be");
  std::longjmp(errors.back, 1);
}
void end_output(j_compress_ptr writer) {
  Codec& codec = codec_of(writer);
  codec.used = codec.capacity - codec.destination.free_in_buffer;
}

JSAMPROW row(const Codec& codec, JDIMENSION y) {
  return codec.samples + static_cast<std::int64_t>(y) * codec.shape.width * codec.shape.channels;
}

void create(Codec& codec) {
  jpeg_create_compress(&codec.writer);
  jpeg_create_decompress(&codec.reader);
}

void compress(Codec& codec) {
  jpeg_compress_struct& writer = codec.writer;
  writer.client_data = &codec;
  codec.destination = {.next_output_byte = nullptr,
                       .free_in_buffer = 0,
                       .init_destination = begin_output,
                       .empty_output_buffer = refuse_more_output,
                       .term_destination = end_output};
  writer.dest = &codec.destination;
  writer.image_width = static_cast<JDIMENSION>(codec.shape.width);
  writer.image_height = static_cast<JDIMENSION>(codec.shape.height);
  writer.input_components = static_cast<int>(codec.shape.channels);
  writer.in_color_space = codec.shape.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&writer);
  jpeg_set_quality(&writer, codec.quality, TRUE);
  writer.dct_method = JDCT_ISLOW;
  jpeg_start_compress(&writer, TRUE);
  while (writer.next_scanline < writer.image_height) {
    JSAMPROW line = row(codec, writer.next_scanline);
    jpeg_write_scanlines(&writer, &line, 1);
  }
  jpeg_finish_compress(&writer);
}

void decompress(Codec& codec) {
  jpeg_decompress_struct& reader = codec.reader;
  jpeg_mem_src(&reader, codec.bytes, static_cast<unsigned long>(codec.used));
  jpeg_read_header(&reader, TRUE);
  reader.dct_method = JDCT_ISLOW;
  jpeg_start_decompress(&reader);
  while (reader.output_scanline < reader.output_height) {
    JSAMPROW line = row(codec, reader.output_scanline);
    jpeg_read_scanlines(&reader, &line, 1);
  }
  jpeg_finish_decompress(&reader);
}

// False where libjpeg gave up; the reason is then in codec.errors.message.
bool attempt(void (*work)(Codec&), Codec& codec) {
  if (setjmp(codec.errors.back) != 0) {
    return false;
  }
  work(codec);
  return true;
}

// Creates libjpeg's objects and destroys them whatever happens between.
class OpenCodec {
 public:
  explicit OpenCodec(Codec& codec) : codec_(codec) {
    codec_.writer.err = jpeg_std_error(&codec_.errors.manager);
    codec_.reader.err = codec_.writer.err;
    codec_.errors.manager.error_exit = leave;
    codec_.errors.manager.output_message = stay_silent;
    codec_.errors.manager.emit_message = warn_silently;
  }
  // Harmless for objects that were never created: all their bytes are zero.
  ~OpenCodec() {
    jpeg_destroy_compress(&codec_.writer);
    jpeg_destroy_decompress(&codec_.reader);
  }
  OpenCodec(const OpenCodec&) = delete;
  OpenCodec& operator=(const OpenCodec&) = delete;

 private:
  Codec& codec_;
};

// Code and value of a coefficient take at most 16 + 10 bits, so 4 bytes a sample do, in an image rounded up to blocks
// of 16 x 16, behind headers of under 2 KiB.
std::size_t most_bytes(ImageShape shape) {
  const auto padded = [](std::int64_t side) { return static_cast<std::size_t>((side + 15) / 16 * 16); };
  return padded(shape.height) * padded(shape.width) * static_cast<std::size_t>(shape.channels) * 4 + 2048;
}

}  // namespace

void jpeg_round_trip(int quality, ImageShape shape, std::span<const float> image, std::span<float> result) {
  if (quality < 1 || quality > 100) {
    misuse("defences.jpeg", "quality must be from 1 to 100, got {}", quality);
  }
  if (shape.channels != 1 && shape.channels != 3) {
    misuse("defences.jpeg", "images must have 1 or 3 channels, got {}", shape.channels);
  }
  const auto size = static_cast<std::size_t>(shape.size());
  if (image.size() != size || result.size() != size) {
    misuse("defences.jpeg", "image and result must have {} pixels, got {} and {}", size, image.size(), result.size());
  }
  const std::int64_t positions = shape.positions();
  std::vector<JSAMPLE> samples(size);
  std::vector<JOCTET> bytes(most_bytes(shape));
  for (std::size_t i = 0; i < size; ++i) {
    const auto from = static_cast<std::int64_t>(i);
    const double level = 255.0 * std::clamp<double>(image[i], 0.0, 1.0);
    samples[static_cast<std::size_t>(from % positions * shape.channels + from / positions)] =
        static_cast<JSAMPLE>(std::floor(level + 0.5));
  }
  Codec codec{};
  codec.quality = quality;
  codec.shape = shape;
  codec.samples = samples.data();
  codec.bytes = bytes.data();
  codec.capacity = bytes.size();
  const OpenCodec open(codec);
  if (!attempt(create, codec) || !attempt(compress, codec) || !attempt(decompress, codec)) {
    failure("defences.jpeg", "libjpeg refuses an image of {} x {} x {} pixels at quality {}: {}", shape.channels,
            shape.height, shape.width, quality, codec.errors.message);
  }
  for (std::size_t i = 0; i < size; ++i) {
    const auto to = static_cast<std::int64_t>(i);
    result[i] =
        static_cast<float>(samples[static_cast<std::size_t>(to % positions * shape.channels + to / positions)] / 255.0);
  }
}

}  // namespace vaeguard::defences
