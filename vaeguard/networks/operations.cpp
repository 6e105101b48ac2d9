// One entry per operation, with its shape rule.
#include "vaeguard/networks/operations.h"

#include <algorithm>

#include "vaeguard/base/error.h"

namespace vaeguard::networks {
namespace {

constexpr const char* kPlace = "networks.layer_graph";

// ---- options

constexpr OptionField kChannels{"channels", &LayerOptions::channels, 1};
constexpr OptionField kKernel{"kernel", &LayerOptions::kernel, 1};
constexpr OptionField kStride{"stride", &LayerOptions::stride, 1};
constexpr OptionField kPadding{"padding", &LayerOptions::padding};
constexpr OptionField kDilation{"dilation", &LayerOptions::dilation, 1};
// Not always written, so that checkpoints of plain convolutions stay as they were before these two existed.
constexpr OptionField kGroups{"groups", &LayerOptions::groups, 1, false};
constexpr OptionField kOutputPadding{"output_padding", &LayerOptions::output_padding, 0, false};
constexpr OptionField kShape{"shape", &LayerOptions::shape, 1};
constexpr OptionField kFirst{"first", &LayerOptions::first};
constexpr OptionField kMargins{"margins", &LayerOptions::margins, std::numeric_limits<std::int16_t>::min()};
constexpr OptionField kAxes{"axes", &LayerOptions::axes};
constexpr OptionField kAlignCorners{"align_corners", &LayerOptions::align_corners};

constexpr std::array kAllFields{kChannels, kKernel,        kStride, kPadding, kDilation, kGroups,
                                kShape,    kOutputPadding, kFirst,  kMargins, kAxes,     kAlignCorners};
constexpr std::array kConvolutionFields{kChannels, kKernel, kStride, kPadding, kDilation, kGroups, kOutputPadding};
constexpr std::array kFactorFields{kStride};
constexpr std::array kShapeFields{kShape};
constexpr std::array kSliceFields{kFirst, kChannels};
constexpr std::array kMarginFields{kMargins};
constexpr std::array kAxesFields{kAxes};
constexpr std::array kPoolingFields{kKernel, kStride, kPadding};
constexpr std::array kResizeFields{kShape, kAlignCorners};

// ---- shapes

// How many positions of a strided window fit into `extent`: outputs of a convolution, inputs of a transposed one.
std::int64_t windows(std::int64_t extent, const Layer& layer) {
  const std::int64_t reach = static_cast<std::int64_t>(layer.dilation) * (layer.kernel - 1);
  const std::int64_t room = extent + 2 * layer.padding - reach - 1;
  return room < 0 ? 0 : room / layer.stride + 1;
}

std::int64_t spread(std::int64_t extent, const Layer& layer) {
  const std::int64_t reach = static_cast<std::int64_t>(layer.dilation) * (layer.kernel - 1);
  return (extent - 1) * layer.stride - 2 * layer.padding + reach + 1 + layer.output_padding;
}

void check_convolution(const Layer& layer) {
  if (layer.channels < 1 || layer.kernel < 1 || layer.dilation < 1 || layer.padding < 0) {
    misuse(kPlace, "channels, kernel and dilation must be positive, padding not negative; got {}, {}, {}, {}",
           layer.channels, layer.kernel, layer.dilation, layer.padding);
  }
  if (layer.groups < 1 || layer.input().channels % layer.groups != 0 || layer.channels % layer.groups != 0) {
    misuse(kPlace, "groups must divide the channels of input and output, {} and {}; got {}", layer.input().channels,
           layer.channels, layer.groups);
  }
  const bool transposed = layer.operation == Operation::transposed_convolution;
  if (layer.output_padding < 0 || layer.output_padding >= (transposed ? layer.stride : 1)) {
    misuse(kPlace, "output_padding must be 0, or less than the stride of a transposed convolution; got {}",
           layer.output_padding);
  }
}

ImageShape convolution(const Layer& layer) {
  check_convolution(layer);
  return {layer.channels, windows(layer.input().height, layer), windows(layer.input().width, layer)};
}

ImageShape transposed_convolution(const Layer& layer) {
  check_convolution(layer);
  return {layer.channels, spread(layer.input().height, layer), spread(layer.input().width, layer)};
}

// Equal shapes, or one with a single position that is broadcast over the other, with the same channels.
ImageShape broadcast(const Layer& layer) {
  const ImageShape& one = layer.inputs[0];
  const ImageShape& other = layer.inputs[1];
  const bool fits = one.channels == other.channels && (one.positions() == 1 || other.positions() == 1);
  if (!(one == other) && !fits) {
    misuse(kPlace,
           "{} needs two equal shapes, or one of a single position and as many channels; boundaries {} and {} differ",
           layer.operation == Operation::addition ? "an addition" : "a product", layer.sources[0], layer.sources[1]);
  }
  return one.positions() == 1 ? other : one;
}

ImageShape upsampling(const Layer& layer) {
  const ImageShape& input = layer.input();
  return {input.channels, input.height * layer.stride, input.width * layer.stride};
}

ImageShape pixel_shuffle(const Layer& layer) {
  const ImageShape& input = layer.input();
  const std::int64_t square = static_cast<std::int64_t>(layer.stride) * layer.stride;
  if (input.channels % square != 0) {
    misuse(kPlace, "a pixel shuffle by {} needs a multiple of {} channels, got {}", layer.stride, square,
           input.channels);
  }
  return {input.channels / square, input.height * layer.stride, input.width * layer.stride};
}

ImageShape reshape(const Layer& layer) {
  if (layer.shape.size() != layer.input().size()) {
    misuse(kPlace, "a reshape keeps the number of values, {} became {}", layer.input().size(), layer.shape.size());
  }
  return layer.shape;
}

ImageShape concatenation(const Layer& layer) {
  ImageShape result{0, layer.input().height, layer.input().width};
  for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
    const ImageShape& input = layer.inputs[i];
    if (input.height != result.height || input.width != result.width) {
      misuse(kPlace, "a concatenation of channels needs equal heights and widths; boundaries {} and {} differ",
             layer.sources[0], layer.sources[i]);
    }
    result.channels += input.channels;
  }
  return result;
}

ImageShape slice(const Layer& layer) {
  const ImageShape& input = layer.input();
  if (layer.first < 0 || layer.channels < 1 || layer.first > input.channels - layer.channels) {
    misuse(kPlace, "a slice must lie within {} channels, got {} from channel {} on", input.channels, layer.channels,
           layer.first);
  }
  return {layer.channels, input.height, input.width};
}

ImageShape padding(const Layer& layer) {
  const auto [above, below, left, right] = layer.margins;
  const ImageShape& input = layer.input();
  return {input.channels, input.height + above + below, input.width + left + right};
}

ImageShape transposition(const Layer& layer) {
  std::array<int, 3> sorted = layer.axes;
  std::ranges::sort(sorted);
  if (sorted != std::array{0, 1, 2}) {
    misuse(kPlace, "axes must be 0, 1 and 2 in some order, got {}, {}, {}", layer.axes[0], layer.axes[1],
           layer.axes[2]);
  }
  const ImageShape& input = layer.input();
  const std::array extents{input.channels, input.height, input.width};
  const auto extent = [&](std::size_t axis) { return extents[static_cast<std::size_t>(layer.axes[axis])]; };
  return {extent(0), extent(1), extent(2)};
}

ImageShape mean(const Layer& layer) { return {layer.input().channels, 1, 1}; }

ImageShape pooling(const Layer& layer) {
  if (layer.kernel < 1 || layer.padding < 0 || 2 * layer.padding > layer.kernel) {
    misuse(kPlace, "pooling needs a positive kernel and a padding of at most half of it, got {} and {}", layer.kernel,
           layer.padding);
  }
  return {layer.input().channels, windows(layer.input().height, layer), windows(layer.input().width, layer)};
}

ImageShape bilinear_resize(const Layer& layer) {
  if (layer.shape.channels != layer.input().channels) {
    misuse(kPlace, "a bilinear resize keeps the channels, {} became {}", layer.input().channels, layer.shape.channels);
  }
  return layer.shape;
}

ImageShape softmax(const Layer& layer) { return layer.input(); }

constexpr std::array kOperations{
    OperationEntry{Operation::convolution, "convolution", "weighted sums over a square window, in groups of channels",
                   1, 1, kConvolutionFields, convolution},
    OperationEntry{Operation::transposed_convolution, "transposed_convolution",
                   "the transpose of a convolution: each input spreads over a window", 1, 1, kConvolutionFields,
                   transposed_convolution},
    OperationEntry{Operation::addition,
                   "addition",
                   "x + y; one of a single position is added at every position",
                   2,
                   2,
                   {},
                   broadcast},
    OperationEntry{Operation::upsampling, "upsampling", "every value repeated in a square (nearest neighbour)", 1, 1,
                   kFactorFields, upsampling},
    OperationEntry{Operation::pixel_shuffle, "pixel_shuffle", "groups of channels interleaved into a larger image", 1,
                   1, kFactorFields, pixel_shuffle},
    OperationEntry{Operation::reshape, "reshape", "the same values, in order, in another shape", 1, 1, kShapeFields,
                   reshape},
    OperationEntry{Operation::product,
                   "product",
                   "x * y; one of a single position multiplies every position",
                   2,
                   2,
                   {},
                   broadcast},
    OperationEntry{Operation::concatenation,
                   "concatenation",
                   "the channels of all sources, one source after the other",
                   1,
                   kAnyNumber,
                   {},
                   concatenation},
    OperationEntry{Operation::slice, "slice", "some neighbouring channels", 1, 1, kSliceFields, slice},
    OperationEntry{Operation::padding, "padding", "rows and columns of zeros around an image; negative margins crop", 1,
                   1, kMarginFields, padding},
    OperationEntry{Operation::transposition, "transposition", "channels, rows and columns in another order", 1, 1,
                   kAxesFields, transposition},
    OperationEntry{Operation::mean, "mean", "the mean of each channel over its positions", 1, 1, {}, mean},
    OperationEntry{Operation::average_pooling, "average_pooling",
                   "the mean over a square window; what lies in the padding does not count", 1, 1, kPoolingFields,
                   pooling},
    OperationEntry{Operation::max_pooling, "max_pooling", "the largest value of a square window, the first of equals",
                   1, 1, kPoolingFields, pooling},
    OperationEntry{Operation::bilinear_resize, "bilinear_resize", "an image resized by linear interpolation", 1, 1,
                   kResizeFields, bilinear_resize},
    OperationEntry{
        Operation::softmax, "softmax", "exp(x) / sum of exp(x) over the channels of each position", 1, 1, {}, softmax},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kOperations.size(); ++i) {
    if (kOperations[i].operation != static_cast<Operation>(i)) {
      return false;
    }
  }
  return true;
}
static_assert(in_order() && kOperations.back().operation == Operation::softmax, "one entry for each enumerator");

}  // namespace

std::span<const OperationEntry> operations() { return kOperations; }

const OperationEntry& entry(Operation operation) { return kOperations[static_cast<std::size_t>(operation)]; }

std::span<const OptionField> option_fields() { return kAllFields; }

std::string_view name(Operation operation) { return entry(operation).name; }

}  // namespace vaeguard::networks
