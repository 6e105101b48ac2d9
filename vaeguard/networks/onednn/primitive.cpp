// Making and running oneDNN primitives on channels-last memory.
#include "vaeguard/networks/onednn/primitive.h"

#include <cstring>

#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
// Declared here because not every compiler that can link to the runtime has its header.
extern "C" int omp_get_max_threads(void);
extern "C" void omp_set_num_threads(int);
#endif

namespace vaeguard::networks::onednn {
namespace {

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;

memory::desc image_desc(std::int64_t rows, const ImageShape& shape) {
  return {{rows, shape.channels, shape.height, shape.width}, kMemoryType, memory::format_tag::nhwc};
}

memory::desc bias_desc(const Convolution& c) {
  return {{c.output.channels}, memory::data_type::f32, memory::format_tag::a};
}

memory::dims weight_dims(const Convolution& c) {
  if (c.groups == 1) {
    return {c.output.channels, c.input.channels, c.kernel, c.kernel};
  }
  return {c.groups, c.output.channels / c.groups, c.input.channels / c.groups, c.kernel, c.kernel};
}

memory::desc plain_weight_desc(const Convolution& c, memory::data_type type) {
  return {weight_dims(c), type, c.groups == 1 ? memory::format_tag::oihw : memory::format_tag::goihw};
}

// Rows or columns of padding after the last, as the output's extent requires; may be negative.
std::int64_t end_padding(const Convolution& c, std::int64_t input, std::int64_t output) {
  return (output - 1) * c.stride + c.dilation * (c.kernel - 1) + 1 - input - c.padding;
}

dnnl::primitive_attr attributes(Activation activation, double slope);

dnnl::convolution_forward::primitive_desc forward_desc(const Convolution& c, bool bias,
                                                       const dnnl::primitive_attr& attributes) {
  const memory::desc weights(weight_dims(c), kMemoryType, memory::format_tag::any);
  const memory::dims strides{c.stride, c.stride};
  const memory::dims dilations{c.dilation - 1, c.dilation - 1};
  const memory::dims begin{c.padding, c.padding};
  const memory::dims end{end_padding(c, c.input.height, c.output.height),
                         end_padding(c, c.input.width, c.output.width)};
  const auto input = image_desc(c.rows, c.input);
  const auto output = image_desc(c.rows, c.output);
  const auto desc =
      bias ? dnnl::convolution_forward::desc(prop_kind::forward_training, algorithm::convolution_direct, input, weights,
                                             bias_desc(c), output, strides, dilations, begin, end)
           : dnnl::convolution_forward::desc(prop_kind::forward_training, algorithm::convolution_direct, input, weights,
                                             output, strides, dilations, begin, end);
  return {desc, attributes, engine()};
}

dnnl::convolution_backward_data::primitive_desc backward_desc(const Convolution& c) {
  const memory::desc weights(weight_dims(c), kMemoryType, memory::format_tag::any);
  const dnnl::convolution_backward_data::desc desc(
      algorithm::convolution_direct, image_desc(c.rows, c.input), weights, image_desc(c.rows, c.output),
      {c.stride, c.stride}, {c.dilation - 1, c.dilation - 1}, {c.padding, c.padding},
      {end_padding(c, c.input.height, c.output.height), end_padding(c, c.input.width, c.output.width)});
  return {desc, attributes(Activation::none, 0.0), engine(), forward_desc(c, false, {})};
}

// Copies plain weights into the layout that a primitive chose.
memory arranged(const Convolution& c, std::span<const float> weights, const memory::desc& wanted) {
  memory plain(plain_weight_desc(c, memory::data_type::f32), engine());
  std::memcpy(plain.get_data_handle(), weights.data(), weights.size_bytes());
  memory result(wanted, engine());
  dnnl::stream stream(engine());
  dnnl::reorder(plain, result).execute(stream, plain, result);
  stream.wait();
  return result;
}

algorithm forward_algorithm(Activation activation) {
  switch (activation) {
    case Activation::elu:
      return algorithm::eltwise_elu;
    case Activation::silu:
      return algorithm::eltwise_swish;
    case Activation::tanh:
      return algorithm::eltwise_tanh;
    case Activation::sigmoid:
      return algorithm::eltwise_logistic;
    default:
      return algorithm::eltwise_relu;
  }
}

// The same functions in the variants whose backward pass takes the output.
algorithm gradient_algorithm(Activation activation) {
  switch (activation) {
    case Activation::elu:
      return algorithm::eltwise_elu_use_dst_for_bwd;
    case Activation::silu:
      return algorithm::eltwise_swish;
    case Activation::tanh:
      return algorithm::eltwise_tanh_use_dst_for_bwd;
    case Activation::sigmoid:
      return algorithm::eltwise_logistic_use_dst_for_bwd;
    default:
      return algorithm::eltwise_relu_use_dst_for_bwd;
  }
}

float alpha(Activation activation, double slope) {
  return activation == Activation::silu ? 1.0F : activation == Activation::relu ? 0.0F : static_cast<float>(slope);
}

dnnl::primitive_attr attributes(Activation activation, double slope) {
  dnnl::primitive_attr result;
  result.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (activation != Activation::none) {
    dnnl::post_ops after;
    after.append_eltwise(1.0F, forward_algorithm(activation), alpha(activation, slope), 0.0F);
    result.set_post_ops(after);
  }
  return result;
}

dnnl::eltwise_forward::primitive_desc eltwise_desc(Activation activation, double slope, std::int64_t size,
                                                   algorithm kind) {
  const memory::desc values({size}, kMemoryType, memory::format_tag::a);
  return {{prop_kind::forward_training, kind, values, alpha(activation, slope), 0.0F},
          attributes(Activation::none, 0.0),
          engine()};
}

}  // namespace

const dnnl::engine& engine() {
  static const dnnl::engine processor(dnnl::engine::kind::cpu, 0);
  return processor;
}

#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
OneThread::OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
OneThread::~OneThread() { omp_set_num_threads(before_); }
#else
OneThread::OneThread() : before_(1) {}
OneThread::~OneThread() = default;
#endif

BoundCall::BoundCall(const Call& call, void* scratch)
    : primitive_(call.primitive.get()), operands_(call.operands.size()) {
  const auto add = [this](int argument, const dnnl::memory& value) {
    memory_.push_back(value);
    arguments_.push_back({argument, value.get()});
  };
  for (const auto& [argument, desc] : call.operands) {
    add(argument, memory(desc, engine(), DNNL_MEMORY_NONE));
  }
  for (const auto& [argument, value] : call.constants) {
    add(argument, value);
  }
  add(DNNL_ARG_SCRATCHPAD, memory(call.scratch, engine(), scratch));
}

void BoundCall::run(const dnnl::stream& stream, std::initializer_list<const float*> operands) {
  std::size_t next = 0;
  for (const float* values : operands) {
    memory_[next++].set_data_handle(const_cast<float*>(values));
  }
  dnnl::error::wrap_c_api(
      dnnl_primitive_execute(primitive_, stream.get(), static_cast<int>(arguments_.size()), arguments_.data()),
      "could not run a primitive");
}

Call convolution_call(const Convolution& convolution, std::span<const float> weights, std::span<const float> bias,
                      Activation activation, double slope) {
  const auto desc = forward_desc(convolution, !bias.empty(), attributes(activation, slope));
  Call call{.primitive = dnnl::convolution_forward(desc),
            .constants = {{DNNL_ARG_WEIGHTS, arranged(convolution, weights, desc.weights_desc())}},
            .operands = {{DNNL_ARG_SRC, desc.src_desc()}, {DNNL_ARG_DST, desc.dst_desc()}},
            .scratch = desc.scratchpad_desc(),
            .name = desc.impl_info_str()};
  if (!bias.empty()) {
    const memory values(bias_desc(convolution), engine());
    std::memcpy(values.get_data_handle(), bias.data(), bias.size_bytes());
    call.constants.emplace_back(DNNL_ARG_BIAS, values);
  }
  return call;
}

Call convolution_transpose_call(const Convolution& convolution, std::span<const float> weights) {
  const auto desc = backward_desc(convolution);
  return {.primitive = dnnl::convolution_backward_data(desc),
          .constants = {{DNNL_ARG_WEIGHTS, arranged(convolution, weights, desc.weights_desc())}},
          .operands = {{DNNL_ARG_DIFF_DST, desc.diff_dst_desc()}, {DNNL_ARG_DIFF_SRC, desc.diff_src_desc()}},
          .scratch = desc.scratchpad_desc(),
          .name = desc.impl_info_str()};
}

bool supported(const Convolution& convolution) {
  try {
    return static_cast<bool>(backward_desc(convolution));
  } catch (const dnnl::error&) {
    return false;
  }
}

Call activation_call(Activation activation, double slope, std::int64_t size) {
  const auto desc = eltwise_desc(activation, slope, size, forward_algorithm(activation));
  return {.primitive = dnnl::eltwise_forward(desc),
          .constants = {},
          .operands = {{DNNL_ARG_SRC, desc.src_desc()}, {DNNL_ARG_DST, desc.dst_desc()}},
          .scratch = desc.scratchpad_desc(),
          .name = desc.impl_info_str()};
}

Call activation_gradient_call(Activation activation, double slope, std::int64_t size) {
  const memory::desc values({size}, kMemoryType, memory::format_tag::a);
  const algorithm kind = gradient_algorithm(activation);
  const dnnl::eltwise_backward::primitive_desc desc({kind, values, values, alpha(activation, slope), 0.0F},
                                                    attributes(Activation::none, 0.0), engine(),
                                                    eltwise_desc(activation, slope, size, kind));
  const int saved = needs_input(activation) ? DNNL_ARG_SRC : DNNL_ARG_DST;
  return {.primitive = dnnl::eltwise_backward(desc),
          .constants = {},
          .operands = {{saved, values}, {DNNL_ARG_DIFF_DST, values}, {DNNL_ARG_DIFF_SRC, values}},
          .scratch = desc.scratchpad_desc(),
          .name = desc.impl_info_str()};
}

bool needs_input(Activation activation) { return activation == Activation::silu; }

}  // namespace vaeguard::networks::onednn
