// Folding constant positions, lowering layers to steps and sharing gradient memory.
#include "vaeguard/networks/native/plan.h"

#include <algorithm>
#include <limits>

#include "vaeguard/networks/activation.h"
#include "vaeguard/networks/native/arithmetic_steps.h"
#include "vaeguard/networks/native/bfloat16.h"
#include "vaeguard/networks/native/plain_steps.h"

namespace vaeguard::networks::native {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

// What is known of a layer boundary while the graph is lowered.
struct Boundary {
  std::size_t buffer = 0;
  std::vector<double> constants{};  // [position, channel], of positions that are not live
};

class Lowering {
 public:
  Lowering(const LayerGraph& graph, Parameters parameters, const Kernels& kernels, Precision precision)
      : graph_(graph),
        parameters_(parameters),
        kernels_(kernels),
        precision_(precision),
        read_(static_cast<std::size_t>(graph.boundaries())),
        foldable_(static_cast<std::size_t>(graph.boundaries())) {
    find_readers();
    for (const ImageShape& shape : graph.inputs) {
      Buffer input{Layout::all(shape.positions()), shape.channels, false};
      input.values = element(input.channels);
      boundaries_.push_back({.buffer = add_buffer(std::move(input))});
    }
    for (std::size_t l = 0; l < graph.layers.size(); ++l) {
      boundaries_.push_back(read_[boundaries_.size()] ? lower(l) : Boundary{});
    }
    for (const std::int64_t output : graph.output_boundaries()) {
      plan_.outputs.push_back(boundaries_[static_cast<std::size_t>(output)].buffer);
    }
    share_gradients();
    keep_values();
  }
  Plan take() { return std::move(plan_); }

 private:
  // A boundary's constants may be folded if all that read it are weighted layers.
  void find_readers() {
    std::ranges::fill(foldable_, parameters_ == Parameters::fixed);
    std::fill_n(foldable_.begin(), graph_.inputs.size(), false);
    for (const std::int64_t output : graph_.output_boundaries()) {
      read_[static_cast<std::size_t>(output)] = true;
      foldable_[static_cast<std::size_t>(output)] = false;
    }
    for (std::size_t l = graph_.layers.size(); l-- > 0;) {
      const Layer& layer = graph_.layers[l];
      for (std::size_t i = 0; read_[graph_.inputs.size() + l] && i < layer.sources.size(); ++i) {
        const auto source = static_cast<std::size_t>(layer.sources[i]);
        read_[source] = true;
        foldable_[source] = foldable_[source] && layer.weighted();
      }
    }
  }

  [[nodiscard]] Element element(std::int64_t channels) const {
    return precision_ == Precision::bfloat16 && channels % 2 == 0 ? Element::bfloat16 : Element::float32;
  }

  std::size_t add_buffer(Buffer buffer) {
    plan_.buffers.push_back(std::move(buffer));
    return plan_.buffers.size() - 1;
  }

  Step& add_step(std::unique_ptr<Step> step, std::vector<std::size_t> sources, std::size_t target) {
    for (const std::size_t source : sources) {
      const Buffer& buffer = plan_.buffers[source];
      step->sources.push_back({.buffer = source, .size = buffer.size(), .rectified = buffer.rectified});
    }
    step->target = target;
    plan_.steps.push_back(std::move(step));
    return *plan_.steps.back();
  }

  Boundary lower(std::size_t l) {
    const Layer& layer = graph_.layers[l];
    Boundary result = layer.weighted() ? lower_weighted(l) : lower_plain(layer);
    if (layer.activation == Activation::none || layer.weighted()) {
      return result;
    }
    const Buffer before = plan_.buffers[result.buffer];
    const std::size_t target = add_buffer({.layout = before.layout, .channels = before.channels, .sloped = true});
    add_step(make_activation_step(layer, before.size(), kernels_), {result.buffer}, target);
    result.buffer = target;
    return result;
  }

  Boundary lower_plain(const Layer& layer) {
    std::vector<std::size_t> sources;
    for (const std::int64_t source : layer.sources) {
      sources.push_back(boundaries_[static_cast<std::size_t>(source)].buffer);
    }
    const std::size_t target = add_buffer({Layout::all(layer.output.positions()), layer.output.channels, false});
    add_step(make_plain_step(layer), sources, target);
    return {.buffer = target};
  }

  Boundary lower_weighted(std::size_t l) {
    const Layer& layer = graph_.layers[l];
    const bool foldable = foldable_[graph_.inputs.size() + l];
    const auto all = connections(layer);
    const Boundary& from = boundaries_[static_cast<std::size_t>(layer.source())];
    const Buffer source = plan_.buffers[from.buffer];
    Boundary to;
    Buffer target{Layout::all(layer.output.positions()), layer.output.channels, layer.activation == Activation::relu};
    target.sloped = layer.activation != Activation::none && !target.rectified;
    target.values = l + 1 < graph_.layers.size() ? element(target.channels) : Element::float32;
    target.gradients = element(target.channels);
    std::vector<double> biases;
    if (foldable || source.layout.count < layer.input().positions()) {
      biases = position_bias(layer, from, source, all);
    }
    if (foldable) {
      target.layout = live_outputs(layer, source, all);
      to.constants = biases;
      std::ranges::for_each(to.constants, [&](double& value) { value = activate(layer, value); });
    }
    to.buffer = add_buffer(target);
    auto step = std::make_unique<WeightedStep>(graph_, l, all, source, target, kernels_,
                                               live_biases(layer, target.layout, biases));
    if (parameters_ == Parameters::trainable) {
      step->prepare_gradients(all);
    }
    plan_.weighted.push_back(step.get());
    add_step(std::move(step), {from.buffer}, to.buffer);
    return to;
  }

  // The bias of every output position plus the contribution of its constant inputs.
  [[nodiscard]] std::vector<double> position_bias(const Layer& layer, const Boundary& from, const Buffer& source,
                                                  const std::vector<Connection>& all) const {
    const auto bias = graph_.bias(layer);
    const auto weight = graph_.weight(layer);
    const std::int64_t channels = layer.output.channels;
    std::vector<double> result(static_cast<std::size_t>(layer.output.size()));
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = bias[i % static_cast<std::size_t>(channels)];
    }
    const std::int64_t inputs = layer.input().channels / layer.groups;
    for (const Connection& c : all) {
      if (source.layout.live[static_cast<std::size_t>(c.input)] >= 0) {
        continue;
      }
      for (std::int64_t o = 0; o < channels; ++o) {
        const std::int64_t first = o / (channels / layer.groups) * inputs;
        double sum = 0.0;
        for (std::int64_t i = first; i < first + inputs; ++i) {
          sum += static_cast<double>(weight[static_cast<std::size_t>(layer.weight_index(o, i, c.tap))]) *
                 from.constants[static_cast<std::size_t>(c.input * layer.input().channels + i)];
        }
        result[static_cast<std::size_t>(c.output * channels + o)] += sum;
      }
    }
    return result;
  }

  static Layout live_outputs(const Layer& layer, const Buffer& source, const std::vector<Connection>& all) {
    Layout layout;
    layout.live.assign(static_cast<std::size_t>(layer.output.positions()), -1);
    for (const Connection& c : all) {
      if (source.layout.live[static_cast<std::size_t>(c.input)] >= 0) {
        layout.live[static_cast<std::size_t>(c.output)] = 0;
      }
    }
    for (auto& index : layout.live) {
      index = index < 0 ? -1 : static_cast<std::int32_t>(layout.count++);
    }
    return layout;
  }

  static std::vector<float> live_biases(const Layer& layer, const Layout& layout, const std::vector<double>& biases) {
    std::vector<float> result;
    for (std::size_t i = 0; i < biases.size(); ++i) {
      if (layout.live[i / static_cast<std::size_t>(layer.output.channels)] >= 0) {
        result.push_back(static_cast<float>(biases[i]));
      }
    }
    return result;
  }

  void keep_values() {
    for (Buffer& buffer : plan_.buffers) {
      buffer.kept = buffer.rectified;
    }
    for (const auto& step : plan_.steps) {
      for (const Source& source : step->sources) {
        plan_.buffers[source.buffer].kept |= step->reads_sources();
      }
      plan_.buffers[step->target].kept |= step->reads_target();
    }
    for (const WeightedStep* step : plan_.weighted) {  // the gradient of the weights needs the step's input
      plan_.buffers[step->sources[0].buffer].kept |= parameters_ == Parameters::trainable;
    }
  }

  // Backward runs from the last step to the first: a gradient is alive from its last reader to its writer.
  void share_gradients() {
    plan_.gradient_slot.assign(plan_.buffers.size(), kNone);
    std::vector<char> busy;
    const auto occupy = [&](std::size_t buffer) {
      const auto free = static_cast<std::size_t>(std::ranges::find(busy, 0) - busy.begin());
      if (free == busy.size()) {
        busy.push_back(0);
        plan_.slot_size.push_back(0);
      }
      busy[free] = 1;
      plan_.slot_size[free] = std::max(plan_.slot_size[free], plan_.buffers[buffer].gradient_floats());
      plan_.gradient_slot[buffer] = free;
    };
    for (const std::size_t output : plan_.outputs) {
      if (plan_.gradient_slot[output] == kNone) {
        occupy(output);
      }
    }
    for (std::size_t s = plan_.steps.size(); s-- > 0;) {
      for (Source& source : plan_.steps[s]->sources) {
        source.accumulate = plan_.gradient_slot[source.buffer] != kNone;
        if (!source.accumulate) {
          occupy(source.buffer);
        }
      }
      busy[plan_.gradient_slot[plan_.steps[s]->target]] = 0;
    }
  }

  const LayerGraph& graph_;
  const Parameters parameters_;
  const Kernels& kernels_;
  const Precision precision_;
  std::vector<char> read_;      // of each boundary
  std::vector<char> foldable_;  // of each boundary
  std::vector<Boundary> boundaries_;
  Plan plan_;
};

}  // namespace

Plan make_plan(const LayerGraph& graph, Parameters parameters, const Kernels& kernels, Precision precision) {
  if (precision == Precision::float32) {
    return Lowering(graph, parameters, kernels, precision).take();
  }
  LayerGraph rounded = graph;
  for (const Layer& layer : rounded.layers) {
    for (float& weight : rounded.weight(layer)) {
      weight = to_float(to_bfloat16(weight));
    }
  }
  return Lowering(rounded, parameters, kernels, precision).take();
}

}  // namespace vaeguard::networks::native
