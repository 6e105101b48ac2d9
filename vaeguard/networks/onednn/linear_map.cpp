// Forms of a weighted layer's maps: convolutions, their transposes, and matrix products over columns.
#include "vaeguard/networks/onednn/linear_map.h"

#include <algorithm>

namespace vaeguard::networks::onednn {
namespace {

// A matrix product's columns should fit into the L2 cache beside its weights.
constexpr std::int64_t kColumnFloats = 48 * 1024;

// The convolution that reads the fine side.
Convolution gathering(const Geometry& g, std::int64_t rows) {
  return {.rows = rows,
          .input = g.fine,
          .output = g.coarse,
          .kernel = g.kernel,
          .stride = g.stride,
          .padding = g.padding,
          .dilation = g.dilation,
          .groups = g.groups};
}

// With stride 1, the convolution that reads the coarse side and writes what a scatter does: q = p + padding - dilation
// * tap is a convolution's position with the taps reversed.
Convolution flipped(const Geometry& g, std::int64_t rows) {
  Convolution c = gathering(g, rows);
  std::swap(c.input, c.output);
  c.padding = g.dilation * (g.kernel - 1) - g.padding;
  return c;
}

// [coarse][fine / groups][tap] -> [fine][coarse / groups][tap in reverse], group by group.
std::vector<float> flipped_weights(const Geometry& g, std::span<const float> weights) {
  const std::int64_t taps = g.taps();
  const std::int64_t fine = g.fine.channels / g.groups;
  const std::int64_t coarse = g.coarse.channels / g.groups;
  std::vector<float> result(weights.size());
  for (std::int64_t group = 0; group < g.groups; ++group) {
    for (std::int64_t c = 0; c < coarse; ++c) {
      for (std::int64_t f = 0; f < fine; ++f) {
        const float* from = weights.data() + ((group * coarse + c) * fine + f) * taps;
        std::reverse_copy(from, from + taps, result.data() + ((group * fine + f) * coarse + c) * taps);
      }
    }
  }
  return result;
}

// [coarse][fine][tap] -> [coarse][tap, fine], or its transpose [tap, fine][coarse].
std::vector<float> column_weights(const Geometry& g, bool scatter, std::span<const float> weights) {
  const std::int64_t taps = g.taps();
  const std::int64_t width = taps * g.fine.channels;
  std::vector<float> result(weights.size());
  for (std::int64_t c = 0; c < g.coarse.channels; ++c) {
    for (std::int64_t f = 0; f < g.fine.channels; ++f) {
      for (std::int64_t t = 0; t < taps; ++t) {
        const std::int64_t column = t * g.fine.channels + f;
        const std::int64_t to = scatter ? column * g.coarse.channels + c : c * width + column;
        result[static_cast<std::size_t>(to)] = weights[static_cast<std::size_t>((c * g.fine.channels + f) * taps + t)];
      }
    }
  }
  return result;
}

// Whether a scatter had better be a gather with the flipped kernel: copying columns costs less than summing them, but
// there must be enough channels to fill a product's width, and no more positions than before.
bool better_flipped(const Geometry& g) {
  constexpr std::int64_t kWide = 16;
  return can_flip(g) && g.kernel > 1 && g.coarse.positions() > 1 && g.fine.positions() <= g.coarse.positions() &&
         g.fine.channels >= kWide;
}

}  // namespace

bool can_flip(const Geometry& g) { return g.stride == 1 && g.dilation * (g.kernel - 1) >= g.padding; }

std::string_view name(Form form) {
  return form == Form::direct ? "direct" : form == Form::transpose ? "transpose" : "columns";
}

std::vector<Form> possible_forms(const Geometry& geometry, bool scatter, const Epilogue& epilogue) {
  std::vector<Form> forms;
  const bool by_value = static_cast<std::int64_t>(epilogue.bias.size()) > geometry.fine.channels;
  if (geometry.groups == 1) {
    forms.push_back(Form::columns);
  }
  if (scatter) {
    if (can_flip(geometry) && !by_value) {
      forms.push_back(Form::direct);
    }
    forms.push_back(Form::transpose);
  } else {
    if (can_flip(geometry)) {
      forms.push_back(Form::transpose);
    }
    forms.push_back(Form::direct);
  }
  return forms;
}

bool supported(const Geometry& geometry, std::int64_t rows) { return supported(gathering(geometry, rows)); }

Workspace::Workspace(std::span<const Call> unbound, std::int64_t column_floats) {
  std::size_t bytes = 0;
  for (const Call& call : unbound) {
    bytes = std::max(bytes, call.scratch.get_size());
  }
  scratch.require(static_cast<std::int64_t>(bytes / sizeof(float) + 1));
  calls.reserve(unbound.size());
  for (const Call& call : unbound) {
    calls.emplace_back(call, scratch.data());
  }
  columns.require(column_floats);
}

LinearMap::LinearMap(const Geometry& geometry, bool scatter, Form form, std::span<const float> weights,
                     const Epilogue& epilogue, std::int64_t rows, std::vector<Call>& calls)
    : geometry_(geometry), scatter_(scatter), form_(form), epilogue_(epilogue), rows_(rows) {
  if (form == Form::columns && scatter && better_flipped(geometry)) {
    const std::vector<float> turned = flipped_weights(geometry, weights);
    scatter_ = false;
    std::swap(geometry_.fine, geometry_.coarse);
    geometry_.padding = geometry.dilation * (geometry.kernel - 1) - geometry.padding;
    make_columns(turned, calls);
    return;
  }
  switch (form) {
    case Form::direct:
      make_direct(weights, calls);
      break;
    case Form::transpose:
      make_transpose(weights, calls);
      break;
    case Form::columns:
      make_columns(weights, calls);
      break;
  }
}

void LinearMap::make_direct(std::span<const float> weights, std::vector<Call>& calls) {
  call_ = calls.size();
  const Convolution convolution = scatter_ ? flipped(geometry_, rows_) : gathering(geometry_, rows_);
  const std::vector<float> turned = scatter_ ? flipped_weights(geometry_, weights) : std::vector<float>{};
  calls.push_back(convolution_call(convolution, scatter_ ? std::span<const float>(turned) : weights, epilogue_.bias,
                                   epilogue_.activation, epilogue_.slope));
}

void LinearMap::make_transpose(std::span<const float> weights, std::vector<Call>& calls) {
  call_ = calls.size();
  const Convolution convolution = scatter_ ? gathering(geometry_, rows_) : flipped(geometry_, rows_);
  const std::vector<float> turned = scatter_ ? std::vector<float>{} : flipped_weights(geometry_, weights);
  calls.push_back(convolution_transpose_call(convolution, scatter_ ? weights : std::span<const float>(turned)));
  const ImageShape& target = scatter_ ? geometry_.fine : geometry_.coarse;
  if (epilogue_.activation != Activation::none) {
    activate_ = calls.size();
    calls.push_back(activation_call(epilogue_.activation, epilogue_.slope, rows_ * target.size()));
  }
}

void LinearMap::make_columns(std::span<const float> weights, std::vector<Call>& calls) {
  const std::int64_t width = geometry_.taps() * geometry_.fine.channels;
  const std::int64_t image = geometry_.coarse.positions() * width;
  runs_ = column_runs(geometry_);
  plain_ = runs_.empty();
  block_ = rows_;
  while (!plain_ && block_ > 1 && block_ % 2 == 0 && block_ * image > kColumnFloats) {
    block_ /= 2;
  }
  columns_ = plain_ ? 0 : block_ * image;
  // All positions of all rows form one image's width: a 1 x 1 convolution is then a matrix product without remainders.
  Convolution product{.rows = 1,
                      .input = {width, 1, block_ * geometry_.coarse.positions()},
                      .output = {geometry_.coarse.channels, 1, block_ * geometry_.coarse.positions()}};
  Epilogue fused = epilogue_;
  if (scatter_) {
    std::swap(product.input, product.output);
    fused = plain_ ? epilogue_ : Epilogue{};
    if (plain_ && !epilogue_.bias.empty()) {
      fused.bias.resize(static_cast<std::size_t>(width));
      for (std::size_t i = 0; i < fused.bias.size(); ++i) {
        fused.bias[i] = epilogue_.bias[i % epilogue_.bias.size()];
      }
    }
  }
  call_ = calls.size();
  calls.push_back(convolution_call(product, column_weights(geometry_, scatter_, weights), fused.bias, fused.activation,
                                   fused.slope));
  if (!scatter_ || plain_) {
    return;
  }
  sums_ = column_sums(geometry_);
  const auto values = static_cast<std::size_t>(geometry_.fine.size());
  const std::vector<float> each = epilogue_.bias.empty() ? std::vector<float>{0.0F} : epilogue_.bias;
  epilogue_.bias.resize(values);
  for (std::size_t i = 0; i < values; ++i) {
    epilogue_.bias[i] = each[i % each.size()];
  }
  if (epilogue_.activation != Activation::none && epilogue_.activation != Activation::relu) {
    activate_ = calls.size();
    calls.push_back(activation_call(epilogue_.activation, epilogue_.slope, rows_ * geometry_.fine.size()));
  }
}

void LinearMap::run(Workspace& workspace, const float* source, float* result) const {
  if (form_ == Form::columns) {
    run_columns(workspace, source, result);
  } else {
    workspace.calls[call_].run(workspace.stream, {source, result});
  }
  if (form_ == Form::transpose && !epilogue_.bias.empty()) {
    const ImageShape& target = scatter_ ? geometry_.fine : geometry_.coarse;
    const auto period = static_cast<std::int64_t>(epilogue_.bias.size());
    for (float* values = result; values < result + rows_ * target.size(); values += period) {
      add(epilogue_.bias.data(), period, values);
    }
  }
  if (activate_) {
    workspace.calls[*activate_].run(workspace.stream, {result, result});
  }
}

void LinearMap::run_columns(Workspace& workspace, const float* source, float* result) const {
  BoundCall& product = workspace.calls[call_];
  if (plain_) {
    product.run(workspace.stream, {source, result});
    return;
  }
  float* columns = workspace.columns.data();
  const std::int64_t image = columns_ / block_;
  const std::int64_t fine = geometry_.fine.size();
  const std::int64_t coarse = geometry_.coarse.size();
  for (std::int64_t first = 0; first < rows_; first += block_) {
    if (scatter_) {
      product.run(workspace.stream, {source + first * coarse, columns});
      for (std::int64_t b = 0; b < block_; ++b) {
        add_columns(sums_, columns + b * image, epilogue_.bias.data(), epilogue_.activation == Activation::relu,
                    result + (first + b) * fine);
      }
    } else {
      for (std::int64_t b = 0; b < block_; ++b) {
        copy(runs_, source + (first + b) * fine, columns + b * image);
      }
      product.run(workspace.stream, {columns, result + first * coarse});
    }
  }
}

}  // namespace vaeguard::networks::onednn
