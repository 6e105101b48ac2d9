// Choosing a form by rule, or by timing.
#include "vaeguard/networks/onednn/choose_form.h"

#include <ctime>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <tuple>

namespace vaeguard::networks::onednn {
namespace {

// Whether oneDNN's gradient kernel, which skips taps in the padding, beats a product over all taps. It does where much
// of the work is padding, as on small images, with full vectors of channels and weights that fit into the L2 cache.
bool much_padding(const Geometry& g) {
  constexpr std::int64_t kVector = 8;
  constexpr std::int64_t kWeights = 100'000;
  constexpr std::int64_t kLeastWidth = 5;
  const bool fits = g.dilation == 1 && g.fine.channels % kVector == 0 && g.coarse.channels % kVector == 0 &&
                    g.coarse.width >= kLeastWidth && g.fine.channels * g.coarse.channels * g.taps() <= kWeights;
  if (!fits || !can_flip(g)) {
    return false;
  }
  Layer layer{{.kernel = g.kernel, .padding = g.padding}};
  layer.inputs = {g.fine};
  layer.output = g.coarse;
  return static_cast<double>(connections(layer).size()) * 1.15 < static_cast<double>(g.coarse.positions() * g.taps());
}

// Found with `measure` over the shapes of common decoders and encoders, on a processor with AVX2. A product over
// columns is fastest wherever it is possible, except with much padding, and except for gathering from so few channels
// that copying them costs more than the product.
Form by_rule(const Geometry& g, bool scatter, const std::vector<Form>& forms) {
  constexpr std::int64_t kFew = 8;
  if (!scatter && g.fine.channels < kFew && g.kernel > 1) {
    return Form::direct;
  }
  return g.groups == 1 && much_padding(g) ? Form::transpose : forms.front();
}

bool measuring() {
  const char* variable = std::getenv("VAEGUARD_ONEDNN_MEASURE");
  return variable != nullptr && std::string_view(variable) == "1";
}

// CPU seconds of this thread: time that other programs take does not count.
double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

using Shape = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, int, int,
                         int, int, int, bool, Activation, std::size_t>;

Shape shape_of(const Geometry& g, bool scatter, const Epilogue& epilogue) {
  return {g.fine.channels,     g.fine.height,       g.fine.width, g.coarse.channels,
          g.coarse.height,     g.coarse.width,      g.kernel,     g.stride,
          g.padding,           g.dilation,          g.groups,     scatter,
          epilogue.activation, epilogue.bias.size()};
}

}  // namespace

double measure(const Geometry& geometry, bool scatter, Form form, const Epilogue& epilogue, std::int64_t rows) {
  constexpr int kRuns = 8;
  const std::vector<float> weights(
      static_cast<std::size_t>(geometry.coarse.channels * geometry.fine.channels / geometry.groups * geometry.taps()),
      0.01F);
  std::vector<Call> calls;
  const LinearMap map(geometry, scatter, form, weights, epilogue, rows, calls);
  Workspace workspace(calls, map.columns());
  Floats source;
  Floats result;
  std::fill_n(source.require(rows * (scatter ? geometry.coarse : geometry.fine).size()),
              rows * (scatter ? geometry.coarse : geometry.fine).size(), 0.5F);
  result.require(rows * (scatter ? geometry.fine : geometry.coarse).size());
  map.run(workspace, source.data(), result.data());
  double best = 1e30;
  for (int run = 0; run < kRuns; ++run) {
    const double begin = thread_seconds();
    map.run(workspace, source.data(), result.data());
    best = std::min(best, thread_seconds() - begin);
  }
  return best;
}

Form choose_form(const Geometry& geometry, bool scatter, const Epilogue& epilogue, std::int64_t rows) {
  const std::vector<Form> forms = possible_forms(geometry, scatter, epilogue);
  if (forms.size() == 1 || !measuring()) {
    return by_rule(geometry, scatter, forms);
  }
  static std::mutex mutex;
  static std::map<Shape, Form> chosen;
  const std::scoped_lock lock(mutex);
  const auto [place, fresh] = chosen.try_emplace(shape_of(geometry, scatter, epilogue), forms.front());
  double best = 1e30;
  for (std::size_t i = 0; fresh && i < forms.size(); ++i) {
    const double seconds = measure(geometry, scatter, forms[i], epilogue, rows);
    if (seconds < best) {
      best = seconds;
      place->second = forms[i];
    }
  }
  return place->second;
}

}  // namespace vaeguard::networks::onednn
