// The table of transforms, the pixel loops behind it, and the defence that puts one before another defence.
#include "vaeguard/defences/transform.h"

#include <algorithm>
#include <cmath>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/defences/entry.h"
#include "vaeguard/defences/jpeg.h"

namespace vaeguard::defences {

DefenceEntries undefended_entries();

namespace {

constexpr std::string_view kPlace = "defences.transform";
constexpr std::string_view kColourCaution =
    "On coloured digits attacked images of some models end less like the clean ones than undefended.";
constexpr std::string_view kDigitsCaution =
    "On digits, coloured or not, attacked images of some models end less like the clean ones than undefended.";

void threshold(double level, ImageShape /*shape*/, std::span<const float> image, std::span<float> result) {
  const auto bound = static_cast<float>(level);
  std::ranges::transform(image, result.begin(), [bound](float x) { return x >= bound ? 1.0F : 0.0F; });
}

// The bounds are rounded to float like an attack's, so that pixels moved from 0 or 1 by exactly `distance` are caught.
void snap(double distance, ImageShape /*shape*/, std::span<const float> image, std::span<float> result) {
  const auto low = static_cast<float>(distance);
  const float high = 1.0F - low;
  std::ranges::transform(image, result.begin(), [=](float x) { return x <= low ? 0.0F : x >= high ? 1.0F : x; });
}

void bit_depth(double bits, ImageShape /*shape*/, std::span<const float> image, std::span<float> result) {
  const double steps = std::exp2(bits) - 1.0;
  std::ranges::transform(image, result.begin(), [steps](float x) {
    return static_cast<float>(std::floor(std::clamp<double>(x, 0.0, 1.0) * steps + 0.5) / steps);
  });
}

void median(double window, ImageShape shape, std::span<const float> image, std::span<float> result) {
  const auto reach = (static_cast<std::int64_t>(window) - 1) / 2;
  std::vector<float> around;
  std::size_t at = 0;
  for (std::int64_t c = 0; c < shape.channels; ++c) {
    const float* plane = image.data() + c * shape.positions();
    for (std::int64_t y = 0; y < shape.height; ++y) {
      for (std::int64_t x = 0; x < shape.width; ++x) {
        around.clear();
        for (std::int64_t v = y - reach; v <= y + reach; ++v) {
          const float* line = plane + std::clamp<std::int64_t>(v, 0, shape.height - 1) * shape.width;
          for (std::int64_t u = x - reach; u <= x + reach; ++u) {
            around.push_back(line[std::clamp<std::int64_t>(u, 0, shape.width - 1)]);
          }
        }
        const auto middle = around.begin() + static_cast<std::ptrdiff_t>(around.size() / 2);
        std::ranges::nth_element(around, middle);
        result[at++] = *middle;
      }
    }
  }
}

void jpeg(double quality, ImageShape shape, std::span<const float> image, std::span<float> result) {
  jpeg_round_trip(static_cast<int>(quality), shape, image, result);
}

// exp(-i^2 / (2 sigma^2)) for i = -reach .. reach, summing to 1.
std::vector<double> gaussian_weights(double sigma) {
  const auto reach = static_cast<int>(std::ceil(4.0 * sigma));
  std::vector<double> weights;
  double sum = 0.0;
  for (int i = -reach; i <= reach; ++i) {
    weights.push_back(std::exp(-0.5 * i * i / (sigma * sigma)));
    sum += weights.back();
  }
  std::ranges::for_each(weights, [sum](double& weight) { weight /= sum; });
  return weights;
}

// Sum of weights[k] values[stride (at - reach + k)], with indices clamped to 0 .. length - 1.
template <typename Value>
double weighted(const std::vector<double>& weights, const Value* values, std::int64_t at, std::int64_t length,
                std::int64_t stride) {
  const auto taps = static_cast<std::int64_t>(weights.size());
  double sum = 0.0;
  for (std::int64_t k = 0; k < taps; ++k) {
    const std::int64_t from = std::clamp<std::int64_t>(at - taps / 2 + k, 0, length - 1);
    sum += weights[static_cast<std::size_t>(k)] * static_cast<double>(values[stride * from]);
  }
  return sum;
}

void gaussian_blur(double sigma, ImageShape shape, std::span<const float> image, std::span<float> result) {
  const std::vector<double> weights = gaussian_weights(sigma);
  std::vector<double> across(static_cast<std::size_t>(shape.positions()));
  std::size_t at = 0;
  for (std::int64_t c = 0; c < shape.channels; ++c) {
    const float* plane = image.data() + c * shape.positions();
    for (std::int64_t i = 0; i < shape.positions(); ++i) {
      const std::int64_t x = i % shape.width;
      across[static_cast<std::size_t>(i)] = weighted(weights, plane + i - x, x, shape.width, 1);
    }
    for (std::int64_t i = 0; i < shape.positions(); ++i) {
      const std::int64_t y = i / shape.width;
      result[at++] =
          static_cast<float>(weighted(weights, across.data() + i % shape.width, y, shape.height, shape.width));
    }
  }
}

double parameter_of(const TransformOptions& options) {
  return options.parameter.value_or(transforms().find(options.transform).value);
}

std::string_view describe(Number number) {
  switch (number) {
    case Number::whole:
      return "a whole number";
    case Number::odd:
      return "an odd whole number";
    case Number::real:
      break;
  }
  return "a number";
}

bool is(Number number, double value) {
  const bool whole = value == std::floor(value);
  return number == Number::real || (whole && (number == Number::whole || std::fmod(value, 2.0) == 1.0));
}

class Transformed : public Defence {
 public:
  Transformed(TransformOptions options, std::unique_ptr<Defence> after)
      : options_(std::move(options)), after_(std::move(after)) {
    validate(options_);
    if (after_ == nullptr) {
      misuse(kPlace, "a transform needs a defence that infers from its images, got none");
    }
    if (options_.name.empty()) {
      options_.name = options_.transform;
      if (after_->name() != make_undefended()->name()) {
        options_.name += fmt::format("_{}", after_->name());
      }
    }
  }
  [[nodiscard]] std::string_view name() const override { return options_.name; }
  [[nodiscard]] Inference infer(const models::Vae& vae, const Matrix& images, std::span<const Key> keys, int threads,
                                Observer& observer) const override {
    return after_->infer(vae, apply_transform(options_, images, vae.image(), threads), keys, threads, observer);
  }

 private:
  TransformOptions options_;
  std::unique_ptr<Defence> after_;
};

}  // namespace

const Registry<TransformEntry>& transforms() {
  static const Registry<TransformEntry> entries(
      kPlace, "transform",
      {{"threshold", "Threshold", "Pixels at or above a level become 1, all others 0.", "", "level", 0.5, 0.0, 1.0,
        Number::real, threshold},
       {"snap", "Snap", "Pixels within a distance of 0 or 1 become 0 or 1.", "", "distance", 0.1, 0.0, 0.5,
        Number::real, snap},
       {"median", "Median", "The median of a square neighbourhood, per channel.", "", "window", 3.0, 1.0, 99.0,
        Number::odd, median},
       {"bit_depth", "Bit depth", "The nearest of 2^bits equidistant levels.", kDigitsCaution, "bits", 3.0, 1.0, 16.0,
        Number::whole, bit_depth},
       {"jpeg", "JPEG", "JPEG compression and decompression.", kColourCaution, "quality", 75.0, 1.0, 100.0,
        Number::whole, jpeg},
       {"gaussian_blur", "Blur", "Convolution with a Gaussian, sigma in pixels.", kDigitsCaution, "sigma", 1.0, 0.1,
        50.0, Number::real, gaussian_blur}});
  return entries;
}

const OptionSchema<TransformOptions>& transform_schema() {
  static const auto schema = OptionSchema<TransformOptions>().add(
      {.key = "transform_parameter",
       .description = "of the transform",
       .kind = OptionKind::number,
       .words = {{"attack", "the radius of the attack, which the defender is told"}}},
      [](const TransformOptions& options) {
        return options.of_attack ? Value("attack") : Value(parameter_of(options));
      },
      [](TransformOptions& options, const Value& value) {
        options.of_attack = !value.number().has_value();
        options.parameter = value.number();
      });
  return schema;
}

void validate(const TransformOptions& options) {
  const TransformEntry& entry = transforms().find(options.transform);
  if (options.of_attack && entry.name != "snap") {
    misuse(kPlace, "transform_parameter = 'attack' needs the transform snap, got '{}'", entry.name);
  }
  const double value = parameter_of(options);
  if (!(value >= entry.least && value <= entry.most) || !is(entry.number, value)) {
    misuse(kPlace, "{} of {} must be {} from {} to {}, got {}", entry.parameter, entry.name, describe(entry.number),
           entry.least, entry.most, value);
  }
}

Matrix apply_transform(const TransformOptions& options, const Matrix& images, ImageShape shape, int threads) {
  validate(options);
  if (shape.channels < 1 || shape.height < 1 || shape.width < 1) {
    misuse(kPlace, "the image shape must be at least 1 x 1 x 1, got {} x {} x {}", shape.channels, shape.height,
           shape.width);
  }
  check_shape(kPlace, "images", images, -1, shape.size());
  check_finite(kPlace, "images", images);
  constexpr std::int64_t kImagesPerChunk = 16;
  const TransformEntry& entry = transforms().find(options.transform);
  const double parameter = parameter_of(options);
  Matrix result(images.rows(), images.columns());
  parallel_chunks(images.rows(), row_chunk(images.rows(), kImagesPerChunk, threads), threads,
                  [&](std::int64_t first, std::int64_t count) {
                    for (std::int64_t i = first; i < first + count; ++i) {
                      entry.run(parameter, shape, images.row(i), result.row(i));
                    }
                  });
  return result;
}

std::unique_ptr<Defence> make_transformed(TransformOptions options, std::unique_ptr<Defence> after) {
  return std::make_unique<Transformed>(std::move(options), std::move(after));
}

DefenceEntries transform_entries() {
  DefenceEntries entries;
  const DefenceEntry encoder = undefended_entries().front();
  for (const TransformEntry& transform : transforms()) {
    entries.push_back(encoder);
    DefenceEntry& entry = entries.back();
    entry.name = entry.transform = transform.name;
    entry.title = transform.title;
    entry.description = transform.description;
    entry.caution = transform.caution;
  }
  return entries;
}

}  // namespace vaeguard::defences
