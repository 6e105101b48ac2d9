// Exported TorchScript files, loaded by Python's PyTorch, compute what our own networks compute.
#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "tests/temporary_folder.h"
#include "tests/torchscript/residual_vae.h"
#include "vaeguard/base/error.h"
#include "vaeguard/models/conv_vae.h"
#include "vaeguard/models/vae.h"
#include "vaeguard/torchscript/torchscript.h"

namespace vaeguard::torchscript {
namespace {

constexpr std::int64_t kBatch = 5;

void write(const std::filesystem::path& file, const Matrix& matrix) {
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(matrix.data()), static_cast<std::streamsize>(4 * matrix.values().size()));
}

Matrix read(const std::filesystem::path& file, std::int64_t rows, std::int64_t columns) {
  Matrix matrix(rows, columns);
  std::ifstream stream(file, std::ios::binary);
  stream.read(reinterpret_cast<char*>(matrix.data()), static_cast<std::streamsize>(4 * matrix.values().size()));
  EXPECT_EQ(stream.gcount(), static_cast<std::streamsize>(4 * matrix.values().size())) << file;
  return matrix;
}

// Sums of at most 1,152 float products in another order: 1e-5 of the largest value is ten times the usual rounding.
void expect_close(const Matrix& found, const Matrix& expected) {
  float largest = 1.0F;
  for (const float value : expected.values()) {
    largest = std::max(largest, std::abs(value));
  }
  for (std::int64_t i = 0; i < expected.rows(); ++i) {
    for (std::int64_t j = 0; j < expected.columns(); ++j) {
      ASSERT_NEAR(found(i, j), expected(i, j), 1e-5F * largest) << i << ", " << j;
    }
  }
}

bool python_has_torch() { return std::system("/usr/bin/python3 -c 'import torch, numpy' 2>/dev/null") == 0; }

std::int64_t tensors(const networks::LayerGraph& graph) {
  return 2 * std::ranges::count_if(graph.layers, [](const networks::Layer& layer) { return layer.weighted(); });
}

/// Exports, runs Python on the files, and compares with the reference.
void expect_python_agrees(const models::VaeWeights& weights) {
  const TemporaryFolder temporary;
  const std::filesystem::path& folder = temporary.path();
  export_torchscript(weights, folder);
  const std::int64_t latent_size = weights.latent_size();
  Matrix images(kBatch, weights.image().size());
  fill_uniform(Key(2), 0.0F, 1.0F, images.flat());
  Matrix latents(kBatch, latent_size);
  fill_normal(Key(3), latents.flat());
  write(folder / "images.bin", images);
  write(folder / "latents.bin", latents);
  const ImageShape image = weights.image();
  std::ofstream(folder / "shapes.txt") << fmt::format("{} {} {} {} {} {} {}\n", kBatch, image.channels, image.height,
                                                      image.width, latent_size, tensors(weights.encoder),
                                                      tensors(weights.decoder));
  const std::string command =
      "/usr/bin/python3 " VAEGUARD_SOURCE_DIR "/tests/torchscript/compare_export.py " + folder.string();
  ASSERT_EQ(std::system(command.c_str()), 0);
  const Matrix encoded = networks::forward_all(*networks::compile(weights.encoder, "reference"), images, 1);
  Matrix mean(kBatch, latent_size);
  Matrix log_variance(kBatch, latent_size);
  for (std::int64_t b = 0; b < kBatch; ++b) {
    std::ranges::copy(encoded.row(b).first(static_cast<std::size_t>(latent_size)), mean.row(b).begin());
    std::ranges::copy(encoded.row(b).last(static_cast<std::size_t>(latent_size)), log_variance.row(b).begin());
  }
  expect_close(read(folder / "mean.bin", kBatch, latent_size), mean);
  expect_close(read(folder / "log_variance.bin", kBatch, latent_size), log_variance);
  expect_close(read(folder / "outputs.bin", kBatch, images.columns()),
               networks::forward_all(*networks::compile(weights.decoder, "reference"), latents, 1));
}

TEST(TorchscriptEndToEnd, PythonComputesTheSameFromTheExportedFiles) {
  if (!python_has_torch()) {
    GTEST_SKIP() << "python3 with torch and numpy is not installed";
  }
  for (const std::int64_t channels : {1, 3}) {
    models::VaeWeights weights = models::conv_vae({channels, 28, 28}, {}, Key(1));
    for (auto* graph : {&weights.encoder, &weights.decoder}) {
      for (const auto& layer : graph->layers) {
        fill_normal(Key(4), graph->bias(layer));  // a start has zero biases, which would hide a wrong one
      }
    }
    expect_python_agrees(weights);
  }
}

TEST(TorchscriptEndToEnd, PythonComputesTheSameFromAResidualVae) {
  if (!python_has_torch()) {
    GTEST_SKIP() << "python3 with torch and numpy is not installed";
  }
  expect_python_agrees(residual_vae());
}

TEST(Torchscript, AnUnwritableFolderIsMisuse) {
  EXPECT_THROW(export_torchscript(models::conv_vae({1, 28, 28}, {}, Key(1)), "/proc/nowhere"), Misuse);
}

}  // namespace
}  // namespace vaeguard::torchscript
