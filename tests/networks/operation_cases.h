// One small graph for each operation, with values worked out by hand.
#pragma once

#include <iterator>
#include <string>
#include <vector>

#include "vaeguard/networks/operations.h"

namespace vaeguard::networks {

/// A layer of one operation that reads the graph's inputs, and what it gives for some values of them.
struct OperationCase {
  Operation operation;
  std::vector<ImageShape> inputs;
  LayerOptions options;
  std::vector<float> parameters;  // weights, then biases
  std::vector<double> input;      // of all inputs, one after the other
  std::vector<double> output;
  std::string misuse;  // what is said when `bad` options take the place of `options`
  LayerOptions bad;

  [[nodiscard]] LayerGraph graph() const {
    LayerGraph result{.inputs = inputs};
    result.add(operation, options);
    if (!parameters.empty()) {
      result.parameters = parameters;
    }
    return result;
  }
};

inline std::vector<OperationCase> operation_cases() {
  const ImageShape four{1, 2, 2};
  static const OperationCase kCases[]{
      // The second channel is minus the first, without its bias.
      {Operation::convolution,
       {{1, 3, 2}},
       {.channels = 2, .kernel = 2},
       {1, 2, 3, 4, -1, -2, -3, -4, 0.5F, 0},
       {1, 2, 3, 4, 5, 6},
       {30.5, 50.5, -30, -50},
       "no output remains",
       {.channels = 1, .kernel = 4}},
      {Operation::transposed_convolution,
       {{1, 1, 2}},
       {.channels = 1, .kernel = 2},
       {1, 2, 3, 4, 0.5F},
       {10, 20},
       {10.5, 40.5, 40.5, 30.5, 100.5, 80.5},
       "channels, kernel and dilation must be positive",
       {.channels = 0}},
      {Operation::addition,
       {{2, 1, 2}, {2, 1, 1}},
       {.sources = {0, 1}},
       {},
       {1, 2, 3, 4, 10, 20},
       {11, 12, 23, 24},
       "the number of sources of the operation addition must be 2, got 1",
       {}},
      {Operation::upsampling,
       {{1, 1, 2}},
       {.stride = 2},
       {},
       {1, 2},
       {1, 1, 2, 2, 1, 1, 2, 2},
       "stride must be positive, got 0",
       {.stride = 0}},
      {Operation::pixel_shuffle,
       {{4, 1, 1}},
       {.stride = 2},
       {},
       {1, 2, 3, 4},
       {1, 2, 3, 4},
       "a pixel shuffle by 3 needs a multiple of 9 channels, got 4",
       {.stride = 3}},
      {Operation::reshape,
       {{2, 1, 2}},
       {.shape = {4, 1, 1}},
       {},
       {1, 2, 3, 4},
       {1, 2, 3, 4},
       "a reshape keeps the number of values, 4 became 5",
       {.shape = {5, 1, 1}}},
      {Operation::product,
       {{2, 1, 1}, {2, 1, 2}},
       {.sources = {0, 1}},
       {},
       {10, 20, 1, 2, 3, 4},
       {10, 20, 60, 80},
       "sources must be boundaries 0 to 1",
       {.sources = {0, 2}}},
      {Operation::concatenation,
       {four, {2, 2, 2}, four},
       {.sources = {2, 1, 0}},
       {},
       {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
       {13, 14, 15, 16, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3, 4},
       "a layer of the operation concatenation takes no kernel",
       {.kernel = 3, .sources = {0, 1}}},
      {Operation::slice,
       {{3, 1, 2}},
       {.channels = 2, .first = 1},
       {},
       {1, 2, 3, 4, 5, 6},
       {3, 4, 5, 6},
       "a slice must lie within 3 channels, got 2 from channel 2 on",
       {.channels = 2, .first = 2}},
      // A row of zeros above, a column cut off at the left.
      {Operation::padding,
       {four},
       {.margins = {1, 0, -1, 1}},
       {},
       {1, 2, 3, 4},
       {0, 0, 2, 0, 4, 0},
       "no output remains",
       {.margins = {-1, -1, 0, 0}}},
      // [channel, row, column] becomes [row, column, channel].
      {Operation::transposition,
       {{2, 1, 3}},
       {.axes = {1, 2, 0}},
       {},
       {1, 2, 3, 4, 5, 6},
       {1, 4, 2, 5, 3, 6},
       "axes must be 0, 1 and 2 in some order, got 0, 1, 3",
       {.axes = {0, 1, 3}}},
      {Operation::mean,
       {{2, 2, 2}},
       {},
       {},
       {1, 2, 3, 6, -1, -2, -3, -4},
       {3, -2.5},
       "must be 1, got 2",
       {.sources = {0, 0}}},
      {Operation::average_pooling,
       {{1, 2, 4}},
       {.kernel = 2, .stride = 2},
       {},
       {1, 2, 3, 4, 5, 6, 7, 8},
       {3.5, 5.5},
       "a padding of at most half of it, got 2 and 2",
       {.kernel = 2, .padding = 2}},
      {Operation::max_pooling,
       {{1, 2, 2}},
       {.kernel = 2, .stride = 1, .padding = 1},
       {},
       {-1, -2, -3, -4},
       {-1, -1, -2, -1, -1, -2, -3, -3, -4},
       "needs a positive kernel",
       {.kernel = 0}},
      // The corners stay, and the third value lies between them.
      {Operation::bilinear_resize,
       {{1, 1, 2}},
       {.shape = {1, 1, 3}, .align_corners = true},
       {},
       {1, 3},
       {1, 2, 3},
       "a bilinear resize keeps the channels, 1 became 2",
       {.shape = {2, 1, 3}}},
      {Operation::softmax,
       {{3, 1, 1}},
       {},
       {},
       {0, 0.6931471805599453, 1.0986122886681098},
       {1.0 / 6, 2.0 / 6, 3.0 / 6},
       "takes no stride",
       {.stride = 2}},
  };
  return {std::begin(kCases), std::end(kCases)};
}

}  // namespace vaeguard::networks
