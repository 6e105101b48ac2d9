// Minibatches of a classifier.
#include "vaeguard/training/feature_fit.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "vaeguard/base/adam.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/base/softmax.h"
#include "vaeguard/networks/network.h"
#include "vaeguard/training/adam.h"
#include "vaeguard/training/chunk_sum.h"

namespace vaeguard::training {
namespace {

constexpr std::string_view kPlace = "training.feature_fit";

using networks::Activation;
using networks::LayerGraph;
using networks::Operation;

// He et al. 2015: variance 2 / fan in, for layers that ReLU follows.
void initialise(LayerGraph& graph, Key key) {
  const std::vector<networks::Layer> layers = graph.layers;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto weight = graph.weight(layers[i]);
    const double fan_in = static_cast<double>(layers[i].input().channels * layers[i].taps());
    fill_normal(key.fold(i), weight);
    std::ranges::for_each(weight, [&](float& w) { w *= static_cast<float>(std::sqrt(2.0 / fan_in)); });
  }
}

LayerGraph feature_graph(ImageShape image) {
  LayerGraph graph{.inputs = {image}};
  for (const std::int64_t channels : {32, 64, 128}) {
    graph.add(Operation::convolution,
              {.channels = channels, .kernel = 3, .stride = 2, .padding = 1, .activation = Activation::relu});
  }
  // A dense layer: a kernel as large as the map where that is square, else one on all its values in a row.
  const ImageShape map = graph.output();
  const bool square = map.height == map.width;
  if (!square) {
    graph.add(Operation::reshape, {.shape = {map.size(), 1, 1}});
  }
  graph.add(
      Operation::convolution,
      {.channels = kFeatures, .kernel = square ? static_cast<int>(map.height) : 1, .activation = Activation::relu});
  return graph;
}

class Fit {
 public:
  Fit(const data::Dataset& dataset, Key key, const FeatureFitOptions& options)
      : dataset_(dataset), key_(key), options_(options), graph_(feature_graph(dataset.shape)), features_(graph_) {
    graph_.add(Operation::convolution, {.channels = dataset.classes});
    initialise(graph_, key.fold("weights"));
    network_ = networks::compile_trainable(graph_);
    gradients_.assign(static_cast<std::size_t>(chunks_of(options.batch)), std::vector<float>(graph_.parameters.size()));
    for (std::size_t i = 0; i < gradients_.size(); ++i) {
      tapes_.push_back(network_->make_tape());
    }
  }

  FeatureFit run(Observer& observer) {
    const std::int64_t images = dataset_.train.pixels.rows();
    const std::int64_t total = options_.epochs * images;
    Adam adam(graph_.parameters.size());
    std::int64_t done = 0;
    for (int epoch = 0; epoch < options_.epochs; ++epoch) {
      const auto order = permutation(key_.fold("order").fold(static_cast<std::uint64_t>(epoch)), images);
      for (std::int64_t first = 0; first < images; first += options_.batch) {
        if (observer.interrupted()) {
          throw Interrupted{};
        }
        const std::int64_t rows = std::min(options_.batch, images - first);
        const auto batch = std::span(order).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(rows));
        adam.step(graph_.parameters, gradient(batch), half_cosine(options_.learning_rate, done, total),
                  options_.threads);
        network_->set_parameters(graph_.parameters);
        observer.progress("features", done += rows, total, "");
      }
    }
    std::copy_n(graph_.parameters.begin(), features_.parameters.size(), features_.parameters.begin());
    return {features_, test_accuracy()};
  }

 private:
  // Of the mean cross-entropy over the batch.
  std::span<const float> gradient(std::span<const std::int64_t> batch) {
    const auto rows = std::ssize(batch);
    const auto scale = 1.0F / static_cast<float>(rows);
    parallel_chunks(rows, kChunkRows, options_.threads, [&](std::int64_t first, std::int64_t count) {
      const auto chunk = static_cast<std::size_t>(first / kChunkRows);
      const auto indices = batch.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
      Matrix outputs;
      network_->forward(dataset_.train.pixels.gather(indices), outputs, *tapes_[chunk]);
      for (std::int64_t b = 0; b < count; ++b) {
        const auto label = static_cast<std::size_t>(
            dataset_.train.labels[static_cast<std::size_t>(indices[static_cast<std::size_t>(b)])]);
        slope(outputs.row(b), label, scale);
      }
      std::ranges::fill(gradients_[chunk], 0.0F);
      network_->backward_parameters(outputs, nullptr, gradients_[chunk], *tapes_[chunk]);
    });
    return sum_chunks(std::span(gradients_).first(static_cast<std::size_t>(chunks_of(rows))), 1.0F, options_.threads);
  }

  // scale (softmax - [class is the label]), in place of the logits.
  static void slope(std::span<float> logits, std::size_t label, float scale) {
    const float total = exponentiate(logits).sum;
    std::ranges::for_each(logits, [&](float& value) { value *= scale / total; });
    logits[label] -= scale;
  }

  [[nodiscard]] double test_accuracy() const {
    const Matrix logits = networks::forward_all(*network_, dataset_.test.pixels, options_.threads);
    std::int64_t hits = 0;
    for (std::int64_t i = 0; i < logits.rows(); ++i) {
      const auto row = logits.row(i);
      const std::int64_t found = std::ranges::max_element(row) - row.begin();
      hits += found == dataset_.test.labels[static_cast<std::size_t>(i)] ? 1 : 0;
    }
    return static_cast<double>(hits) / static_cast<double>(logits.rows());
  }

  const data::Dataset& dataset_;
  Key key_;
  const FeatureFitOptions& options_;
  LayerGraph graph_;     // to the classes
  LayerGraph features_;  // without the last layer
  std::unique_ptr<networks::TrainableNetwork> network_;
  std::vector<std::vector<float>> gradients_;
  std::vector<std::unique_ptr<networks::Tape>> tapes_;
};

}  // namespace

void validate(const FeatureFitOptions& options) {
  if (options.epochs < 1 || options.batch < 1 || options.threads < 1) {
    misuse(kPlace, "epochs, batch and threads must be at least 1, got {}, {} and {}", options.epochs, options.batch,
           options.threads);
  }
  if (!std::isfinite(options.learning_rate) || options.learning_rate <= 0.0) {
    misuse(kPlace, "learning_rate must be finite and > 0, got {}", options.learning_rate);
  }
}

FeatureFit fit_features(const data::Dataset& dataset, Key key, const FeatureFitOptions& options, Observer& observer) {
  validate(options);
  if (std::min(dataset.shape.height, dataset.shape.width) < 8 || dataset.classes < 2) {
    misuse(kPlace, "images must have sides of 8 or more and be of two classes or more, got {} x {}, {} classes",
           dataset.shape.height, dataset.shape.width, dataset.classes);
  }
  return Fit(dataset, key, options).run(observer);
}

}  // namespace vaeguard::training
