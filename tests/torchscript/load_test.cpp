// Exported TorchScript files, loaded again by libtorch, compute what the reference computes on every kind of layer.
#include <gtest/gtest.h>
#include <torch/script.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/networks/random_graph.h"
#include "tests/networks/tolerance.h"
#include "tests/temporary_folder.h"
#include "tests/torchscript/residual_vae.h"
#include "vaeguard/torchscript/torchscript.h"

namespace vaeguard::torchscript {
namespace {

using networks::LayerGraph;

constexpr std::int64_t kRows = 2;

torch::Tensor tensor_of(const Matrix& rows, const std::vector<std::int64_t>& shape) {
  torch::Tensor tensor = torch::empty(shape);
  std::ranges::copy(rows.values(), tensor.data_ptr<float>());
  return tensor;
}

/// `found` [B, ...] against the reference on `inputs`, within the tolerance derived for the graph.
void expect_reference(const LayerGraph& graph, const Matrix& inputs, const torch::Tensor& found) {
  const networks::Tolerance tolerance(graph);
  ASSERT_EQ(found.numel(), kRows * graph.output_size());
  const torch::Tensor values = found.detach().contiguous();
  for (std::int64_t b = 0; b < kRows; ++b) {
    const networks::Strays strays = tolerance.forward(inputs.row(b));
    const std::vector<double> expected = networks::reference_outputs(graph, strays.values);
    const std::vector<double> errors = tolerance.outputs(strays);
    const float* row = values.data_ptr<float>() + b * graph.output_size();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(row[i], expected[i], tolerance.unit() * errors[i]) << "row " << b << " at " << i;
    }
  }
}

torch::jit::Module exported(const models::VaeWeights& vae, const std::string& file) {
  const TemporaryFolder folder;
  export_torchscript(vae, folder.path());
  return torch::jit::load((folder.path() / file).string());
}

TEST(TorchscriptLoad, TheEncoderOfAResidualVaeGivesMeanAndLogVariance) {
  const models::VaeWeights vae = residual_vae();
  torch::jit::Module encoder = exported(vae, "encoder.pt");
  const Matrix images = networks::random_matrix(Key(1), kRows, vae.image().size());
  const auto outputs = encoder.forward({tensor_of(images, {kRows, 1, 8, 8})}).toTuple();
  const torch::Tensor mean = outputs->elements()[0].toTensor();
  EXPECT_EQ(mean.sizes(), (std::vector<std::int64_t>{kRows, vae.latent_size()}));
  expect_reference(vae.encoder, images, torch::cat({mean, outputs->elements()[1].toTensor()}, 1));
}

TEST(TorchscriptLoad, TheDecoderOfAResidualVaeGivesImages) {
  const models::VaeWeights vae = residual_vae();
  torch::jit::Module decoder = exported(vae, "decoder.pt");
  const Matrix latents = networks::random_matrix(Key(2), kRows, vae.latent_size());
  const torch::Tensor images = decoder.forward({tensor_of(latents, {kRows, vae.latent_size()})}).toTensor();
  EXPECT_EQ(images.sizes(), (std::vector<std::int64_t>{kRows, 1, 8, 8}));
  expect_reference(vae.decoder, latents, images);
}

TEST(TorchscriptLoad, RandomGraphsOfEveryKindOfLayerComputeTheSame) {
  for (std::uint64_t g = 0; g < 24; ++g) {
    models::VaeWeights vae = residual_vae();
    vae.decoder = networks::random_graph(Key(3000 + g), {.general = false});
    SCOPED_TRACE(networks::trace_of(vae.decoder));
    torch::jit::Module decoder = exported(vae, "decoder.pt");
    const Matrix latents = networks::random_matrix(Key(2), kRows, vae.decoder.input_size());
    expect_reference(vae.decoder, latents,
                     decoder.forward({tensor_of(latents, {kRows, vae.decoder.input_size()})}).toTensor());
  }
}

}  // namespace
}  // namespace vaeguard::torchscript
