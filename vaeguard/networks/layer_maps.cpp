// Windows, moves and interpolation weights from the options of a layer.
#include "vaeguard/networks/layer_maps.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace vaeguard::networks {
namespace {

// ---- moves: from an output (channel, row, column) to a flat index into the input

struct Place {
  std::int64_t channel;
  std::int64_t row;
  std::int64_t column;
};

std::int64_t flat(const ImageShape& shape, const Place& place) {
  const bool inside = place.row >= 0 && place.row < shape.height && place.column >= 0 && place.column < shape.width;
  return inside ? (place.channel * shape.height + place.row) * shape.width + place.column : -1;
}

std::int64_t source_of(const Layer& layer, const Place& to) {
  const ImageShape& input = layer.input();
  const std::int64_t factor = layer.stride;
  switch (layer.operation) {
    case Operation::upsampling:
      return flat(input, {to.channel, to.row / factor, to.column / factor});
    case Operation::pixel_shuffle:
      return flat(input, {(to.channel * factor + to.row % factor) * factor + to.column % factor, to.row / factor,
                          to.column / factor});
    case Operation::slice:
      return flat(input, {layer.first + to.channel, to.row, to.column});
    case Operation::padding:
      return flat(input, {to.channel, to.row - layer.margins[0], to.column - layer.margins[2]});
    case Operation::transposition: {
      const std::array given{to.channel, to.row, to.column};
      std::array<std::int64_t, 3> from{};
      for (std::size_t axis = 0; axis < 3; ++axis) {
        from[static_cast<std::size_t>(layer.axes[axis])] = given[axis];
      }
      return flat(input, {from[0], from[1], from[2]});
    }
    default:
      return flat(layer.output, to);  // a reshape keeps the order of values
  }
}

// ---- interpolation: the two inputs between which an output lies along one axis

struct Between {
  std::int64_t low;
  std::int64_t high;
  double share;  // weight of the higher one
};

// Half-pixel centres, or, with aligned corners, first pixel to first and last to last.
Between between(std::int64_t output, std::int64_t from, std::int64_t to, bool align_corners) {
  const auto extent = static_cast<double>(from);
  const double scale =
      align_corners ? (to > 1 ? (extent - 1.0) / static_cast<double>(to - 1) : 0.0) : extent / static_cast<double>(to);
  const auto o = static_cast<double>(output);
  const double at = std::clamp(align_corners ? o * scale : (o + 0.5) * scale - 0.5, 0.0, extent - 1.0);
  const auto low = static_cast<std::int64_t>(at);
  return {low, std::min(low + 1, from - 1), at - static_cast<double>(low)};
}

std::vector<PositionTerm> bilinear_terms(const Layer& layer) {
  const ImageShape& from = layer.input();
  const ImageShape& to = layer.output;
  std::vector<PositionTerm> terms;
  for (std::int64_t y = 0; y < to.height; ++y) {
    const Between rows = between(y, from.height, to.height, layer.align_corners);
    for (std::int64_t x = 0; x < to.width; ++x) {
      const Between columns = between(x, from.width, to.width, layer.align_corners);
      for (const auto& [row, row_share] : {std::pair(rows.low, 1.0 - rows.share), std::pair(rows.high, rows.share)}) {
        for (const auto& [column, share] :
             {std::pair(columns.low, 1.0 - columns.share), std::pair(columns.high, columns.share)}) {
          if (row_share * share > 0.0) {
            terms.push_back({.output = static_cast<std::int32_t>(y * to.width + x),
                             .input = static_cast<std::int32_t>(row * from.width + column),
                             .weight = row_share * share});
          }
        }
      }
    }
  }
  return terms;
}

// Each output's window, with equal weights.
std::vector<PositionTerm> pooling_terms(const Layer& layer) {
  std::vector<PositionTerm> terms;
  std::vector<std::int32_t> members(static_cast<std::size_t>(layer.output.positions()));
  for (const Connection& c : connections(layer)) {
    terms.push_back({.output = c.output, .input = c.input});
    ++members[static_cast<std::size_t>(c.output)];
  }
  for (PositionTerm& term : terms) {
    term.weight = 1.0 / members[static_cast<std::size_t>(term.output)];
  }
  return terms;
}

std::vector<PositionTerm> mean_terms(const Layer& layer) {
  const std::int64_t positions = layer.input().positions();
  std::vector<PositionTerm> terms;
  for (std::int64_t p = 0; p < positions; ++p) {
    terms.push_back({.input = static_cast<std::int32_t>(p), .weight = 1.0 / static_cast<double>(positions)});
  }
  return terms;
}

}  // namespace

std::vector<Connection> connections(const Layer& layer) {
  const bool transposed = layer.operation == Operation::transposed_convolution;
  // The side whose positions lie one stride apart on the other: a convolution's output, a transposed one's input.
  const ImageShape coarse = transposed ? layer.input() : layer.output;
  const ImageShape fine = transposed ? layer.output : layer.input();
  std::vector<Connection> result;
  for (std::int64_t row = 0; row < coarse.height; ++row) {
    for (std::int64_t column = 0; column < coarse.width; ++column) {
      for (int k = 0; k < layer.kernel * layer.kernel; ++k) {
        const std::int64_t y = row * layer.stride - layer.padding + layer.dilation * (k / layer.kernel);
        const std::int64_t x = column * layer.stride - layer.padding + layer.dilation * (k % layer.kernel);
        if (y < 0 || y >= fine.height || x < 0 || x >= fine.width) {
          continue;
        }
        const auto at_coarse = static_cast<std::int32_t>(row * coarse.width + column);
        const auto at_fine = static_cast<std::int32_t>(y * fine.width + x);
        result.push_back(transposed ? Connection{at_fine, at_coarse, k} : Connection{at_coarse, at_fine, k});
      }
    }
  }
  std::ranges::stable_sort(result, {}, [](const Connection& c) { return std::pair(c.output, c.tap); });
  return result;
}

bool moves_values(Operation operation) {
  switch (operation) {
    case Operation::upsampling:
    case Operation::pixel_shuffle:
    case Operation::reshape:
    case Operation::slice:
    case Operation::padding:
    case Operation::transposition:
      return true;
    default:
      return false;
  }
}

std::vector<std::int64_t> moves(const Layer& layer) {
  const ImageShape& to = layer.output;
  std::vector<std::int64_t> result;
  result.reserve(static_cast<std::size_t>(to.size()));
  for (std::int64_t c = 0; c < to.channels; ++c) {
    for (std::int64_t y = 0; y < to.height; ++y) {
      for (std::int64_t x = 0; x < to.width; ++x) {
        result.push_back(source_of(layer, {c, y, x}));
      }
    }
  }
  return result;
}

bool averages_positions(Operation operation) {
  return operation == Operation::mean || operation == Operation::average_pooling ||
         operation == Operation::bilinear_resize;
}

std::vector<PositionTerm> position_terms(const Layer& layer) {
  return layer.operation == Operation::mean              ? mean_terms(layer)
         : layer.operation == Operation::average_pooling ? pooling_terms(layer)
                                                         : bilinear_terms(layer);
}

}  // namespace vaeguard::networks
