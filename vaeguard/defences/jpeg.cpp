// JPEG in memory through TurboJPEG, one pair of codecs per thread.
#include "vaeguard/defences/jpeg.h"

#include <turbojpeg.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard::defences {
namespace {

struct Close {
  void operator()(void* codec) const { tjDestroy(codec); }
};
using Codec = std::unique_ptr<void, Close>;

// Compresses samples [H][W][C] and decompresses them in place, by the accurate integer transform both ways.
class JpegCodec {
 public:
  void round_trip(int quality, ImageShape shape, std::vector<unsigned char>& samples) {
    const auto width = static_cast<int>(shape.width);
    const auto height = static_cast<int>(shape.height);
    const int format = shape.channels == 1 ? TJPF_GRAY : TJPF_RGB;
    const int sampling = shape.channels == 1 ? TJSAMP_GRAY : TJSAMP_420;
    bytes_.resize(tjBufSize(width, height, sampling));
    unsigned char* to = bytes_.data();
    auto size = static_cast<unsigned long>(bytes_.size());
    check(compressor_, tjCompress2(compressor_.get(), samples.data(), width, 0, height, format, &to, &size, sampling,
                                   quality, TJFLAG_NOREALLOC | TJFLAG_ACCURATEDCT));
    check(decompressor_,
          tjDecompress2(decompressor_.get(), to, size, samples.data(), width, 0, height, format, TJFLAG_ACCURATEDCT));
  }

 private:
  static void check(const Codec& codec, int failed) {
    if (failed != 0) {
      failure("defences.jpeg", "TurboJPEG: {}", tjGetErrorStr2(codec.get()));
    }
  }

  Codec compressor_{tjInitCompress()};
  Codec decompressor_{tjInitDecompress()};
  std::vector<unsigned char> bytes_;
};

}  // namespace

void jpeg_round_trip(int quality, ImageShape shape, std::span<const float> image, std::span<float> result) {
  if (quality < 1 || quality > 100) {
    misuse("defences.jpeg", "quality must be from 1 to 100, got {}", quality);
  }
  if (shape.channels != 1 && shape.channels != 3) {
    misuse("defences.jpeg", "images must have 1 or 3 channels, got {}", shape.channels);
  }
  constexpr std::int64_t kLargestSide = 65'500;  // of the format
  if (std::min(shape.height, shape.width) < 1 || std::max(shape.height, shape.width) > kLargestSide) {
    misuse("defences.jpeg", "images must have sides of 1 to {} pixels, got {} x {}", kLargestSide, shape.height,
           shape.width);
  }
  const auto size = static_cast<std::size_t>(shape.size());
  if (image.size() != size || result.size() != size) {
    misuse("defences.jpeg", "image and result must have {} pixels, got {} and {}", size, image.size(), result.size());
  }
  // Sample i of [C][H][W] in [H][W][C].
  const auto interleaved = [&](std::size_t i) {
    const auto at = static_cast<std::int64_t>(i);
    return static_cast<std::size_t>(at % shape.positions() * shape.channels + at / shape.positions());
  };
  std::vector<unsigned char> samples(size);
  for (std::size_t i = 0; i < size; ++i) {
    const double level = 255.0 * std::clamp<double>(image[i], 0.0, 1.0);
    samples[interleaved(i)] = static_cast<unsigned char>(std::floor(level + 0.5));
  }
  thread_local JpegCodec codec;
  codec.round_trip(quality, shape, samples);
  for (std::size_t i = 0; i < size; ++i) {
    result[i] = static_cast<float>(samples[interleaved(i)] / 255.0);
  }
}

}  // namespace vaeguard::defences
