// Imported models are models like others: stored, run by every backend, attacked, defended, and equal to PyTorch's.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "tests/importers/run_graph.h"
#include "tests/temporary_folder.h"
#include "vaeguard/attacks/objective.h"
#include "vaeguard/attacks/pgd.h"
#include "vaeguard/attacks/registry.h"
#include "vaeguard/base/npz.h"
#include "vaeguard/defences/map.h"
#include "vaeguard/defences/posterior_sampling.h"
#include "vaeguard/importers/vae_import.h"
#include "vaeguard/models/checkpoint.h"
#include "vaeguard/models/linear_vae.h"

namespace vaeguard::importers {
namespace {

constexpr std::int64_t kImages = 4;

std::vector<Key> keys() {
  std::vector<Key> result;
  for (std::uint64_t i = 0; i < kImages; ++i) {
    result.push_back(Key(3).fold(i));
  }
  return result;
}

Matrix random_rows(Key key, std::int64_t columns) {
  Matrix rows(kImages, columns);
  fill_uniform(key, 0.0F, 1.0F, rows.flat());
  return rows;
}

void expect_near(const Matrix& found, const std::vector<float>& expected, float tolerance, const std::string& what) {
  EXPECT_THAT(found.values(), testing::Pointwise(testing::FloatNear(tolerance), expected)) << what;
}

// ---- a model whose layers are known: the linear VAE, whose posterior has a closed form

// The only layer of each half, as a product in an ONNX file.
OnnxWriter product(const networks::LayerGraph& graph, const std::vector<std::int64_t>& input,
                   const std::vector<std::int64_t>& output) {
  const networks::Layer& layer = graph.layers.front();
  const auto weight = graph.weight(layer);
  const auto bias = graph.bias(layer);
  OnnxWriter writer;
  writer.input("x", input).output("y").integers("shape", output);
  writer.reals("w", {layer.output.channels, layer.input().channels}, {weight.begin(), weight.end()});
  writer.reals("b", {layer.output.channels}, {bias.begin(), bias.end()});
  writer.node("Flatten", {"x"}, {"flat"}).node("Gemm", {"flat", "w", "b"}, {"row"}).with("transB", 1);
  writer.node("Reshape", {"row", "shape"}, {"y"});
  return writer;
}

struct LinearPair {
  models::VaeWeights own;
  models::VaeWeights imported;
};

LinearPair linear_pair() {
  const auto linear = models::LinearVae::random(Key(1), 6, 2, 0.5, 0.05);
  const models::VaeWeights own = linear.weights();
  const OnnxWriter encoder = product(own.encoder, {0, 6, 1, 1}, {0, 4});
  const OnnxWriter decoder = product(own.decoder, {0, 2}, {0, 6, 1, 1});
  const ImportOptions options{.likelihood = models::gaussian(0.05)};
  return {own, import_vae(parse_onnx(encoder.bytes(), "e.onnx"), parse_onnx(decoder.bytes(), "d.onnx"), options).vae};
}

Matrix attacked(const models::Vae& vae, const Matrix& images) {
  const auto goal =
      attacks::make_goal("encoder_skl", {.references = vae.encode(images), .vae = &vae, .images = &images});
  const attacks::UndefendedVictim victim(vae.recognition());
  const attacks::Objective objective(victim, *goal);
  const attacks::AttackResult result = attacks::Pgd()(objective, images, {.radius = 0.1}, keys());
  for (const double value : result.objective) {
    EXPECT_GT(value, 0.1) << "the attack moves every code";
  }
  return result.adversarial;
}

TEST(ImportedModel, IsAttackedAndDefendedAsItsOriginal) {
  const auto [own, imported] = linear_pair();
  const models::Vae original(own);
  const models::Vae model(imported);
  const Matrix images = random_rows(Key(2), 6);
  const Matrix adversarial = attacked(model, images);
  EXPECT_EQ(adversarial, attacked(original, images));
  for (const auto& defence : {defences::make_map({}), defences::make_posterior_sampling({})}) {
    const auto infer = [&](const models::Vae& vae) {
      return defence->infer(vae, adversarial, keys(), 1, silent_observer());
    };
    EXPECT_EQ(infer(model).mean, infer(original).mean) << defence->name();
  }
}

TEST(ImportedModel, MapFindsThePosteriorModeInClosedForm) {
  const auto linear = models::LinearVae::random(Key(1), 6, 2, 0.5, 0.05);
  const models::Vae model(linear_pair().imported);
  const Matrix images = random_rows(Key(2), 6);
  const auto inference = defences::make_map({})->infer(model, images, keys(), 1, silent_observer());
  for (std::int64_t i = 0; i < kImages; ++i) {
    const models::Gaussian posterior = linear.posterior(images.row(i));
    for (std::int64_t d = 0; d < 2; ++d) {
      EXPECT_NEAR(inference.mean(i, d), posterior.mean[static_cast<std::size_t>(d)], 1e-2);
    }
  }
}

// ---- every operation, stored and loaded, by every backend

// Operations of all kinds between an image of 2 x 4 x 4 and 4 numbers.
OnnxWriter winding_encoder() {
  OnnxWriter w;
  std::vector<float> numbers(64);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = 0.4F * std::sin(1.0F + 3.0F * static_cast<float>(i));
  }
  const auto some = [&](std::size_t count) { return std::vector<float>(numbers.begin(), numbers.begin() + count); };
  w.input("x", {0, 2, 4, 4}).output("y");
  w.reals("flat_kernel", {3, 2, 1, 2}, some(12))
      .reals("transposed", {3, 2, 2, 2}, some(24))
      .reals("s", {1, 3, 1, 1}, some(3));
  w.reals("matrix", {8, 4}, some(32)).reals("scales", {4}, {1, 1, 2, 2}).reals("none", {0}, {});
  w.integers("from", {1}).integers("to", {3}).integers("rows", {2}).integers("flat", {0, -1});
  w.node("Conv", {"x", "flat_kernel"}, {"a"}).node("Mul", {"a", "s"}, {"b"});  // [3, 4, 3]
  w.node("Sigmoid", {"b"}, {"gate"}).node("Mul", {"gate", "b"}, {"silu"}).node("Add", {"silu", "a"}, {"c"});
  w.node("ConvTranspose", {"c", "transposed"}, {"d"});                                    // [2, 5, 4]
  w.node("HardSwish", {"d"}, {"e"}).node("Slice", {"e", "from", "to", "rows"}, {"f"});    // [2, 2, 4]
  w.node("Transpose", {"f"}, {"g"}).with("perm", std::vector<std::int64_t>{0, 2, 3, 1});  // [2, 4, 2]
  w.node("Softmax", {"g"}, {"h"}).with("axis", 2);
  w.node("Resize", {"h", "none", "scales"}, {"i"}).with("mode", "linear");  // [2, 8, 4]
  w.node("MaxPool", {"i"}, {"j"}).with("kernel_shape", std::vector<std::int64_t>{2, 2});
  w.with("strides", std::vector<std::int64_t>{2, 2});                                                 // [2, 4, 2]
  w.node("ReduceMean", {"j"}, {"k"}).with("axes", std::vector<std::int64_t>{3}).with("keepdims", 0);  // [2, 4]
  w.node("Reshape", {"k", "flat"}, {"l"}).node("MatMul", {"l", "matrix"}, {"y"});
  return w;
}

OnnxWriter small_decoder() {
  OnnxWriter w;
  w.input("z", {0, 2}).output("image").integers("shape", {-1, 2, 4, 4});
  w.reals("w", {2, 32}, std::vector<float>(64, 0.25F)).node("MatMul", {"z", "w"}, {"row"});
  w.node("Tanh", {"row"}, {"bent"}).node("Reshape", {"bent", "shape"}, {"image"});
  return w;
}

TEST(ImportedModel, IsStoredAndRunsOnEveryBackendThatTakesIt) {
  const TemporaryFolder folder;
  const ImportedVae imported =
      import_vae(parse_onnx(winding_encoder().bytes(), "e.onnx"), parse_onnx(small_decoder().bytes(), "d.onnx"), {});
  const auto file = folder.path() / "model.safetensors";
  models::save_checkpoint({.vae = imported.vae, .classifier = std::nullopt, .metadata = {}}, file);
  const models::VaeWeights loaded = models::load_checkpoint(file).vae;
  EXPECT_EQ(loaded.encoder.parameters, imported.vae.encoder.parameters);
  const Matrix images = random_rows(Key(5), 32);
  const Matrix codes = random_rows(Key(6), 2);
  const std::vector<float> encoded = run_graph(imported.vae.encoder, images.values());
  const std::vector<float> decoded = run_graph(imported.vae.decoder, codes.values());
  int ran = 0;
  for (const networks::Backend* backend : networks::backends()) {
    const std::string name(backend->name());
    if (backend->unsupported(loaded.encoder).empty() && backend->unsupported(loaded.decoder).empty()) {
      expect_near(Matrix(kImages, 4, run_graph(loaded.encoder, images.values(), name)), encoded, 1e-5F, name);
      expect_near(Matrix(kImages, 32, run_graph(loaded.decoder, codes.values(), name)), decoded, 1e-5F, name);
      ++ran;
    }
  }
  EXPECT_GE(ran, 2) << "native and the reference run every operation";
}

// ---- PyTorch

TEST(ImportedModelEndToEnd, GivesWhatPyTorchGives) {
  if (std::system("/usr/bin/python3 -c 'import torch' 2> /dev/null") != 0) {
    GTEST_SKIP() << "python3 with torch is not installed";
  }
  const TemporaryFolder folder;
  const std::string command =
      "/usr/bin/python3 -W ignore " VAEGUARD_SOURCE_DIR "/tests/importers/export_vae.py " + folder.path().string();
  ASSERT_EQ(std::system(command.c_str()), 0);
  const NpzArrays arrays = read_npz(folder.path() / "expected.npz");
  const auto expected = [&](const char* name) { return *find_values<float>(arrays, name); };
  for (const std::string suffix : {".onnx", "_old.onnx", "_of_one.onnx"}) {
    const auto [weights, summary] =
        import_vae(folder.path() / ("encoder" + suffix), folder.path() / ("decoder" + suffix));
    EXPECT_EQ(weights.image(), (ImageShape{3, 16, 16}));
    EXPECT_TRUE(std::ranges::all_of(weights.encoder.layers, [](const networks::Layer& l) { return !l.depthwise(); }))
        << "batch normalisations are folded";
    const auto operations = import_network(read_onnx(folder.path() / ("operations" + suffix))).graph;
    for (const char* backend : {"reference", "native"}) {
      const Matrix outputs(kImages, operations.output_size(), run_graph(operations, expected("images"), backend));
      expect_near(outputs, expected("outputs"), 1e-5F, "outputs" + suffix);
      const models::Vae vae(weights, backend);
      const models::Encoding encoding = vae.encode(Matrix(kImages, 768, expected("images")));
      expect_near(encoding.mean, expected("mean"), 1e-5F, "mean" + suffix);
      expect_near(encoding.log_variance, expected("log_variance"), 1e-5F, "log-variance" + suffix);
      expect_near(vae.decode(Matrix(kImages, 5, expected("codes"))), expected("decoded"), 1e-5F, "images" + suffix);
    }
  }
}

}  // namespace
}  // namespace vaeguard::importers
