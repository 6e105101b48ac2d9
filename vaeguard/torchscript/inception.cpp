// A TorchScript module run on chunks of images, its outputs as rows of features.
#include "vaeguard/torchscript/inception.h"

#include <ATen/Parallel.h>
#include <fmt/ranges.h>
#include <torch/script.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/base/progress.h"
#include "vaeguard/torchscript/tensors.h"

namespace vaeguard::torchscript {
namespace {

constexpr std::array<std::int64_t, 4> kSizes = {64, 192, 768, 2048};
constexpr std::int64_t kImagesAtOnce = 16;  // at 299 x 299, some 300 MB of activations per thread

// [n, F] of one output of the module.
torch::Tensor feature_rows(const torch::Tensor& output, std::int64_t images, const std::string& place) {
  const bool maps = output.dim() == 4;
  if ((output.dim() != 2 && !maps) || output.size(0) != images ||
      std::ranges::find(kSizes, output.size(1)) == kSizes.end()) {
    misuse(place, "forward must give features [n, F] or [n, F, h, w] of {} images, F one of {}; it gave {}", images,
           fmt::join(kSizes, ", "), fmt::format("[{}]", fmt::join(output.sizes(), ", ")));
  }
  return (maps ? output.mean({2, 3}) : output).to(torch::kFloat32);
}

std::vector<torch::Tensor> outputs_of(const torch::IValue& value, const std::string& place) {
  if (value.isTensor()) {
    return {value.toTensor()};
  }
  if (value.isTensorList()) {
    return value.toTensorVector();
  }
  std::vector<torch::Tensor> outputs;
  if (value.isTuple()) {
    for (const torch::IValue& one : value.toTupleRef().elements()) {
      if (!one.isTensor()) {
        misuse(place, "forward must give tensors of features, it gave a tuple with a {}", one.tagKind());
      }
      outputs.push_back(one.toTensor());
    }
    return outputs;
  }
  misuse(place, "forward must give a tensor of features, or a tuple or list of these; it gave a {}", value.tagKind());
}

class Inception : public metrics::FeatureExtractor {
 public:
  explicit Inception(const std::filesystem::path& file) : place_(file.string()) {
    try {
      module_ = torch::jit::load(place_, torch::kCPU);
    } catch (const c10::Error& problem) {
      misuse(place_, "the file must hold a TorchScript module: {}", problem.what_without_backtrace());
    }
    module_.eval();
    const auto method = module_.find_method("forward");
    if (!method) {
      misuse(place_, "the module must have a method forward, it has none");
    }
    takes_bytes_ = method->function().getSchema().argumentIndexWithName("return_features").has_value();
    at::set_num_threads(1);  // chunks of images are handed to threads here
  }

  [[nodiscard]] std::vector<metrics::Features> extract(const Matrix& images, const ImageShape& shape, int threads,
                                                       Observer& observer) const override {
    if (shape.channels != 1 && shape.channels != 3) {
      misuse(place_, "images must have 1 or 3 channels, got {}", shape.channels);
    }
    Progress progress(observer, "Inception features", images.rows());
    const std::int64_t chunks = (images.rows() + kImagesAtOnce - 1) / kImagesAtOnce;
    std::vector<std::vector<torch::Tensor>> rows(static_cast<std::size_t>(chunks));
    parallel_chunks(images.rows(), kImagesAtOnce, threads, [&](std::int64_t first, std::int64_t count) {
      progress.pause_for_interruption();
      rows[static_cast<std::size_t>(first / kImagesAtOnce)] = run(images.slice(first, count), shape);
      progress.advance(count);
    });
    return joined(rows);
  }

 private:
  [[nodiscard]] std::vector<torch::Tensor> run(const Matrix& images, const ImageShape& shape) const {
    const torch::NoGradGuard no_gradients;
    torch::Tensor pixels = image_tensor(images, shape, torch::kCPU).mul(255.0F).round().clamp(0.0F, 255.0F);
    pixels = pixels.expand({-1, 3, -1, -1});
    torch::IValue value;
    try {
      value = takes_bytes_ ? module_.get_method("forward")({pixels.to(torch::kUInt8)}, {{"return_features", true}})
                           : module_.get_method("forward")({pixels.div(255.0F)});
    } catch (const std::exception& problem) {  // scripts may throw more than c10::Error
      misuse(place_, "forward failed on images [{}, 3, {}, {}]: {}", images.rows(), shape.height, shape.width,
             problem.what());
    }
    std::vector<torch::Tensor> features;
    for (const torch::Tensor& output : outputs_of(value, place_)) {
      features.push_back(feature_rows(output, images.rows(), place_));
    }
    return features;
  }

  [[nodiscard]] std::vector<metrics::Features> joined(const std::vector<std::vector<torch::Tensor>>& chunks) const {
    std::map<std::int64_t, std::vector<torch::Tensor>> by_size;
    for (const auto& chunk : chunks) {
      for (const torch::Tensor& features : chunk) {
        by_size[features.size(1)].push_back(features);
      }
    }
    std::vector<metrics::Features> result;
    for (const auto& [size, parts] : by_size) {
      if (parts.size() != chunks.size()) {
        misuse(place_, "forward must give each size of features once, it gave {} {} times", size,
               static_cast<double>(parts.size()) / static_cast<double>(chunks.size()));
      }
      metrics::Features features{fmt::format("fid_{}", size), {}};
      to_matrix(torch::cat(parts), features.values);
      result.push_back(std::move(features));
    }
    return result;
  }

  std::string place_;
  mutable torch::jit::Module module_;  // its methods are not const, but may be called from several threads
  bool takes_bytes_ = false;
};

}  // namespace

std::unique_ptr<metrics::FeatureExtractor> load_inception(const std::filesystem::path& file) {
  return std::make_unique<Inception>(file);
}

}  // namespace vaeguard::torchscript
