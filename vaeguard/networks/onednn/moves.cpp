// Plain copies around the primitives, all on channels-last images.
#include "vaeguard/networks/onednn/moves.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace vaeguard::networks::onednn {
namespace {

// Merges a run into the one before it where both sides continue.
void append(std::vector<Run>& runs, const Run& run) {
  if (!runs.empty()) {
    Run& last = runs.back();
    const bool zeros = last.from < 0 && run.from < 0;
    const bool follows = last.from >= 0 && run.from == last.from + last.count;
    if (last.to + last.count == run.to && (zeros || follows)) {
      last.count += run.count;
      return;
    }
  }
  runs.push_back(run);
}

Layer as_layer(const Geometry& g, Operation operation) {
  const bool transposed = operation == Operation::transposed_convolution;
  Layer layer{
      {.kernel = g.kernel, .stride = g.stride, .padding = g.padding, .dilation = g.dilation, .groups = g.groups}};
  layer.operation = operation;
  layer.inputs = {transposed ? g.coarse : g.fine};
  layer.output = transposed ? g.fine : g.coarse;
  return layer;
}

// Four adjacent floats, for which every x86-64 and ARM64 processor has registers.
using Four = float __attribute__((vector_size(16)));

Four load(const float* from) {
  Four result;
  std::memcpy(&result, from, sizeof(result));
  return result;
}

// Sums of 4 * kFours channels in registers. Compilers do not vectorise this by themselves.
template <std::size_t kFours>
void add_block(const std::int64_t* begin, const std::int64_t* end, const float* columns, const float* bias, bool relu,
               float* to) {
  std::array<Four, kFours> sums;
  for (std::size_t i = 0; i < kFours; ++i) {
    sums[i] = load(bias + 4 * i);
  }
  for (const std::int64_t* column = begin; column != end; ++column) {
    for (std::size_t i = 0; i < kFours; ++i) {
      sums[i] += load(columns + *column + 4 * i);
    }
  }
  for (std::size_t i = 0; i < kFours; ++i) {
    sums[i] = relu ? (sums[i] > 0.0F ? sums[i] : Four{}) : sums[i];
    std::memcpy(to + 4 * i, &sums[i], sizeof(Four));
  }
}

void add_one(const std::int64_t* begin, const std::int64_t* end, const float* columns, float bias, bool relu,
             float* to) {
  float sum = bias;
  for (const std::int64_t* column = begin; column != end; ++column) {
    sum += columns[*column];
  }
  *to = relu ? std::max(sum, 0.0F) : sum;
}

}  // namespace

Geometry geometry(const Layer& layer) {
  const bool transposed = layer.operation == Operation::transposed_convolution;
  return {.fine = transposed ? layer.output : layer.input(),
          .coarse = transposed ? layer.input() : layer.output,
          .kernel = layer.kernel,
          .stride = layer.stride,
          .padding = layer.padding,
          .dilation = layer.dilation,
          .groups = layer.groups};
}

std::vector<Run> column_runs(const Geometry& g) {
  const std::int64_t channels = g.fine.channels;
  std::vector<std::int64_t> sources(static_cast<std::size_t>(g.coarse.positions() * g.taps()), -1);
  for (const Connection& c : connections(as_layer(g, Operation::convolution))) {
    sources[static_cast<std::size_t>(c.output * g.taps() + c.tap)] = c.input * channels;
  }
  std::vector<Run> runs;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    append(runs, {static_cast<std::int64_t>(i) * channels, sources[i], channels});
  }
  const bool same = runs.size() == 1 && runs.front().from == 0 && runs.front().count == g.fine.size();
  return same ? std::vector<Run>{} : runs;
}

void copy(std::span<const Run> runs, const float* from, float* to) {
  for (const Run& run : runs) {
    if (run.from < 0) {
      std::fill_n(to + run.to, run.count, 0.0F);
    } else {
      std::copy_n(from + run.from, run.count, to + run.to);
    }
  }
}

void add_back(std::span<const Run> runs, const float* targets, float* sources) {
  for (const Run& run : runs) {
    if (run.from >= 0) {
      add(targets + run.to, run.count, sources + run.from);
    }
  }
}

ColumnSums column_sums(const Geometry& g) {
  ColumnSums sums{.first = std::vector<std::int32_t>(static_cast<std::size_t>(g.fine.positions()) + 1),
                  .columns = {},
                  .channels = g.fine.channels};
  for (const Connection& c : connections(as_layer(g, Operation::transposed_convolution))) {
    ++sums.first[static_cast<std::size_t>(c.output) + 1];
    sums.columns.push_back((c.input * g.taps() + c.tap) * sums.channels);
  }
  for (std::size_t p = 1; p < sums.first.size(); ++p) {
    sums.first[p] += sums.first[p - 1];
  }
  return sums;
}

void add_columns(const ColumnSums& sums, const float* columns, const float* bias, bool relu, float* to) {
  for (std::size_t p = 0; p + 1 < sums.first.size(); ++p) {
    const std::int64_t* begin = sums.columns.data() + sums.first[p];
    const std::int64_t* end = sums.columns.data() + sums.first[p + 1];
    std::int64_t c = 0;
    for (; c + 32 <= sums.channels; c += 32) {
      add_block<8>(begin, end, columns + c, bias + c, relu, to + c);
    }
    for (; c + 4 <= sums.channels; c += 4) {
      add_block<1>(begin, end, columns + c, bias + c, relu, to + c);
    }
    for (; c < sums.channels; ++c) {
      add_one(begin, end, columns + c, bias[c], relu, to + c);
    }
    to += sums.channels;
    bias += sums.channels;
  }
}

std::vector<Run> move_runs(const Layer& layer) {
  const auto last = [](const ImageShape& shape, std::int64_t index) {
    return index % shape.positions() * shape.channels + index / shape.positions();
  };
  const auto sources = moves(layer);
  std::vector<std::int64_t> ordered(sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::int64_t from = sources[i] < 0 ? -1 : last(layer.input(), sources[i]);
    ordered[static_cast<std::size_t>(last(layer.output, static_cast<std::int64_t>(i)))] = from;
  }
  std::vector<Run> runs;
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    append(runs, {static_cast<std::int64_t>(i), ordered[i], 1});
  }
  return runs;
}

void rows_to_images(const Matrix& matrix, std::int64_t first, std::int64_t rows, const ImageShape& shape, float* to) {
  const std::int64_t positions = shape.positions();
  const std::int64_t present = std::min(rows, matrix.rows() - first);
  for (std::int64_t b = 0; b < present; ++b) {
    const float* row = matrix.row(first + b).data();
    float* image = to + b * shape.size();
    if (positions == 1 || shape.channels == 1) {
      std::copy_n(row, shape.size(), image);
      continue;
    }
    for (std::int64_t p = 0; p < positions; ++p) {
      for (std::int64_t c = 0; c < shape.channels; ++c) {
        image[p * shape.channels + c] = row[c * positions + p];
      }
    }
  }
  std::fill(to + present * shape.size(), to + rows * shape.size(), 0.0F);
}

void images_to_rows(const float* from, std::int64_t first, std::int64_t rows, const ImageShape& shape, Matrix& matrix) {
  const std::int64_t positions = shape.positions();
  for (std::int64_t b = 0; b < std::min(rows, matrix.rows() - first); ++b) {
    const float* image = from + b * shape.size();
    float* row = matrix.row(first + b).data();
    if (positions == 1 || shape.channels == 1) {
      std::copy_n(image, shape.size(), row);
      continue;
    }
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      for (std::int64_t p = 0; p < positions; ++p) {
        row[c * positions + p] = image[p * shape.channels + c];
      }
    }
  }
}

void add(const float* from, std::int64_t size, float* to) {
  for (std::int64_t i = 0; i < size; ++i) {
    to[i] += from[i];
  }
}

}  // namespace vaeguard::networks::onednn
