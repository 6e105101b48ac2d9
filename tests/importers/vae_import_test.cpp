// A VAE from two ONNX files: layouts of the encoder's outputs, what the decoder gives, the pixels, and what must fit.
#include "vaeguard/importers/vae_import.h"

#include <cmath>

#include "tests/expect_misuse.h"
#include "tests/importers/run_graph.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::importers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pointwise;

OnnxGraph parsed(const OnnxWriter& writer, const char* place) { return parse_onnx(writer.bytes(), place); }

// Images of 1 x 1 x 2 -> the pixels a, b as means, 10 a, 10 b as log-variances, as `w` has them in columns.
OnnxWriter encoder_writer(const std::vector<float>& w = {1, 0, 10, 0, 0, 1, 0, 10}) {
  OnnxWriter writer;
  writer.input("image", {0, 1, 1, 2}).output("encoding").reals("w", {2, 4}, w);
  writer.node("Flatten", {"image"}, {"flat"}).node("Gemm", {"flat", "w"}, {"encoding"});
  return writer;
}

OnnxWriter separate_writer() {
  OnnxWriter writer;
  writer.input("image", {0, 1, 1, 2}).output("log_variance").output("mean");
  writer.reals("m", {2, 2}, {1, 0, 0, 1}).reals("v", {2, 2}, {10, 0, 0, 10});
  writer.node("Flatten", {"image"}, {"flat"});
  writer.node("Gemm", {"flat", "m"}, {"mean"}).node("Gemm", {"flat", "v"}, {"log_variance"});
  return writer;
}

// Codes y, z -> y + z, 2 z, seen as an image, with a last activation unless that is empty.
OnnxWriter decoder_writer(const std::string& last = "", const std::vector<std::int64_t>& image = {0, 1, 1, 2}) {
  OnnxWriter writer;
  writer.input("code", {0, 2}).output("image").reals("w", {2, 2}, {1, 0, 1, 2}).integers("shape", image);
  writer.node("Gemm", {"code", "w"}, {"h"}).node("Reshape", {"h", "shape"}, {last.empty() ? "image" : "pixels"});
  if (!last.empty()) {
    writer.node(last, {"pixels"}, {"image"});
  }
  return writer;
}

ImportedVae imported_vae(const OnnxWriter& encoder, const OnnxWriter& decoder, const ImportOptions& options = {}) {
  return import_vae(parsed(encoder, "e.onnx"), parsed(decoder, "d.onnx"), options);
}

std::vector<float> encoding(const OnnxWriter& encoder, const ImportOptions& options = {}) {
  return run_graph(imported_vae(encoder, decoder_writer(), options).vae.encoder, {3, 4});
}

// The decoder's output for the code (1, -1): 0, -2, or what an activation makes of that.
std::vector<float> decoded(const OnnxWriter& decoder, const ImportOptions& options = {}) {
  return run_graph(imported_vae(encoder_writer(), decoder, options).vae.decoder, {1, -1});
}

std::string summary(const ImportedVae& imported) {
  std::string result;
  for (const auto& [word, line] : imported.summary) {
    result += word + ": " + line + "\n";
  }
  return result;
}

float sigmoid(float x) { return 1.0F / (1.0F + std::exp(-x)); }

auto near(const std::vector<float>& values) { return Pointwise(testing::FloatNear(1e-6F), values); }

TEST(EncoderLayouts, LeadToMeansBeforeLogVariances) {
  EXPECT_THAT(encoding(encoder_writer()), ElementsAre(3, 4, 30, 40));
  EXPECT_THAT(encoding(encoder_writer({1, 10, 0, 0, 0, 0, 1, 10}), {.layout = EncoderLayout::interleaved}),
              ElementsAre(3, 4, 30, 40));
  EXPECT_THAT(encoding(separate_writer()), ElementsAre(30, 40, 3, 4)) << "in the order of the file";
  EXPECT_THAT(encoding(separate_writer(), {.encoder_outputs = {"mean", "log_variance"}}), ElementsAre(3, 4, 30, 40));
}

TEST(EncoderLayouts, MayHaveMoreAxesThanTheBatchAndOne) {
  OnnxWriter writer;
  writer.input("image", {0, 1, 1, 2}).output("encoding").reals("w", {4, 1, 1, 2}, {1, 0, 0, 1, 10, 0, 0, 10});
  writer.node("Conv", {"image", "w"}, {"encoding"});  // [N, 4, 1, 1]
  EXPECT_THAT(encoding(writer), ElementsAre(3, 4, 30, 40));
  OnnxWriter pairs = encoder_writer({1, 10, 0, 0, 0, 0, 1, 10});  // [N, 2, 2]: a pair for each latent
  pairs.graph().mutable_node(1)->set_output(0, "row");
  pairs.integers("shape", {0, 2, 2}).node("Reshape", {"row", "shape"}, {"encoding"});
  EXPECT_THAT(encoding(pairs, {.layout = EncoderLayout::interleaved}), ElementsAre(3, 4, 30, 40));
}

TEST(EncoderLayouts, MustFitTheOutputsOfTheFile) {
  const auto refused = [](const OnnxWriter& encoder, const ImportOptions& options,
                          const std::vector<std::string>& parts) {
    expect_misuse([&] { imported_vae(encoder, decoder_writer(), options); }, parts);
  };
  refused(separate_writer(), {.layout = EncoderLayout::interleaved},
          {"[e.onnx]", "must have one output, it has 2 (log_variance, mean)"});
  refused(encoder_writer(), {.layout = EncoderLayout::separate}, {"must have two outputs, it has 1 (encoding)"});
  OnnxWriter draw = separate_writer();
  draw.node("Add", {"mean", "log_variance"}, {"draw"}).output("draw");
  refused(draw, {}, {"it has 3 (log_variance, mean, draw); say which"});
  refused(separate_writer(), {.encoder_outputs = {"mean", "log_varianc"}}, {"e.onnx", "did you mean 'log_variance'"});
  OnnxWriter wide = encoder_writer();
  wide.reals("more", {4, 6}, std::vector<float>(24, 1.0F))
      .output("wide")
      .node("MatMul", {"encoding", "more"}, {"wide"});
  refused(wide, {.encoder_outputs = {"wide"}}, {"must give 2 x 2 values for the decoder's 2 latents, it gives 6"});
  refused(wide, {.encoder_outputs = {"encoding", "wide"}}, {"it gives 10"});
}

// An encoder may give a draw too, whose random numbers no layer computes; it is left out.
TEST(EncoderLayouts, NeedNothingOfOutputsThatAreNotAskedFor) {
  OnnxWriter writer = separate_writer();
  writer.node("RandomNormalLike", {"mean"}, {"noise"}).node("Add", {"mean", "noise"}, {"draw"}).output("draw");
  EXPECT_THAT(encoding(writer, {.encoder_outputs = {"mean", "log_variance"}}), ElementsAre(3, 4, 30, 40));
  expect_misuse([&] { encoding(writer, {.layout = EncoderLayout::together, .encoder_outputs = {"draw"}}); },
                {"[e.onnx, node 'the_RandomNormalLike' (RandomNormalLike)]", "it draws random numbers"});
}

TEST(DecoderOutputs, OfALikelihoodOnLogitsLoseALastSigmoid) {
  EXPECT_THAT(decoded(decoder_writer("Sigmoid")), ElementsAre(0, -2));
  EXPECT_THAT(decoded(decoder_writer()), ElementsAre(0, -2)) << "no sigmoid: they are taken for logits";
  EXPECT_THAT(decoded(decoder_writer("Sigmoid"), {.decoder_output = DecoderOutput::mean}), ElementsAre(0, -2));
  EXPECT_THAT(decoded(decoder_writer("Sigmoid"), {.decoder_output = DecoderOutput::logits}), near({0.5F, sigmoid(-2)}))
      << "a sigmoid that belongs to the logits";
  expect_misuse([] { decoded(decoder_writer("Relu"), {.decoder_output = DecoderOutput::mean}); },
                {"[d.onnx]", "bernoulli", "do not come from a last sigmoid"});
}

TEST(DecoderOutputs, OfALikelihoodOnMeansKeepALastSigmoid) {
  const models::Likelihood gaussian = models::gaussian(0.5);
  EXPECT_THAT(decoded(decoder_writer("Sigmoid"), {.likelihood = gaussian}), near({0.5F, sigmoid(-2)}));
  EXPECT_THAT(decoded(decoder_writer(), {.likelihood = gaussian}), ElementsAre(0, -2));
  EXPECT_THAT(decoded(decoder_writer(), {.likelihood = gaussian, .decoder_output = DecoderOutput::logits}),
              near({0.5F, sigmoid(-2)}))
      << "logits become means";
}

// What a decoder may do between its sigmoid and its output.
TEST(DecoderOutputs, AreSeenThroughWhatOnlyMovesThem) {
  OnnxWriter moved;
  moved.input("code", {0, 2}).output("image").reals("w", {2, 3}, {7, 0, 1, 7, 2, 1}).integers("shape", {0, 1, 1, 2});
  moved.integers("one", {1}).integers("three", {3});
  moved.node("Gemm", {"code", "w"}, {"h"}).node("Sigmoid", {"h"}, {"s"});
  moved.node("Slice", {"s", "one", "three", "one"}, {"cut"}).node("Reshape", {"cut", "shape"}, {"image"});
  EXPECT_THAT(decoded(moved), ElementsAre(-2, 0));
  OnnxWriter cropped;  // to the first of two rows
  cropped.input("code", {0, 2}).output("image").reals("w", {2, 4}, {1, 0, 7, 7, 1, 2, 7, 7});
  cropped.integers("shape", {0, 1, 2, 2}).integers("zero", {0}).integers("one", {1}).integers("rows", {2});
  cropped.node("Gemm", {"code", "w"}, {"h"}).node("Reshape", {"h", "shape"}, {"r"}).node("Sigmoid", {"r"}, {"s"});
  cropped.node("Slice", {"s", "zero", "one", "rows"}, {"image"});
  EXPECT_THAT(decoded(cropped), ElementsAre(0, -2));
}

TEST(DecoderOutputs, KeepASigmoidThatIsNotTheLastThing) {
  OnnxWriter writer = decoder_writer("Sigmoid");
  writer.graph().mutable_node(2)->set_output(0, "s");
  writer.node("Mul", {"s", "s"}, {"image"});
  EXPECT_THAT(decoded(writer), near({0.25F, sigmoid(-2) * sigmoid(-2)}));
}

TEST(Pixels, OfOtherRangesAreFromBlackToWhiteHere) {
  const ImportOptions options{.likelihood = models::gaussian(0.25), .pixels = {-1.0, 1.0}};
  const auto imported = imported_vae(encoder_writer(), decoder_writer("Tanh"), options);
  // The encoder is given 2 x - 1.
  EXPECT_THAT(run_graph(imported.vae.encoder, {0.5F, 1.0F}), near({0, 1, 0, 10}));
  // The decoder's y becomes (y + 1) / 2.
  EXPECT_THAT(run_graph(imported.vae.decoder, {1, -1}), near({0.5F, 0.5F + 0.5F * std::tanh(-2.0F)}));
  EXPECT_THAT(summary(imported),
              testing::AllOf(HasSubstr("pixels: from -1 to 1 in the encoder's file, from 0 to 1 here"),
                             HasSubstr("pixels: from -1 to 1 in the decoder's file")));
  expect_misuse(
      [] {
        decoded(decoder_writer(), {.pixels = {-1.0, 1.0}});
      },
      {"pixels from -1 to 1 need a likelihood on means", "bernoulli is on logits"});
  expect_misuse([] { decoded(decoder_writer(), {.pixels = {1.0, 1.0}}); }, {"two numbers, got 1 and 1"});
}

// An encoder that was given normalised images beside a decoder that ends with a sigmoid.
TEST(Pixels, OfTheEncoderMayBeOthers) {
  const ImportOptions options{.encoder_pixels = {{-0.5, 1.5}}};
  const auto imported = imported_vae(encoder_writer(), decoder_writer("Sigmoid"), options);
  EXPECT_THAT(run_graph(imported.vae.encoder, {0.5F, 1.0F}), near({0.5F, 1.5F, 5, 15}));
  EXPECT_THAT(run_graph(imported.vae.decoder, {1, -1}), near({0, -2}));
  EXPECT_THAT(summary(imported), testing::AllOf(HasSubstr("pixels: from -0.5 to 1.5 in the encoder's file"),
                                                testing::Not(HasSubstr("in the decoder's file"))));
  expect_misuse([] { decoded(decoder_writer(), {.encoder_pixels = {{2.0, 2.0}}}); }, {"two numbers, got 2 and 2"});
}

OnnxWriter flat_encoder() {
  OnnxWriter writer;
  writer.input("image", {0, 2}).output("encoding").reals("w", {2, 4}, {1, 0, 10, 0, 0, 1, 0, 10});
  writer.node("Gemm", {"image", "w"}, {"encoding"});
  return writer;
}

OnnxWriter flat_decoder() {
  OnnxWriter writer;
  writer.input("code", {0, 2}).output("image").reals("w", {2, 2}, {1, 0, 1, 2}).node("Gemm", {"code", "w"}, {"image"});
  return writer;
}

TEST(Images, AreWhatOneOfTheFilesOrTheOptionsSay) {
  const ImageShape image{1, 1, 2};
  for (const auto& [encoder, decoder, asked] :
       {std::tuple(encoder_writer(), flat_decoder(), std::optional<ImageShape>()),
        std::tuple(flat_encoder(), decoder_writer(), std::optional<ImageShape>()),
        std::tuple(flat_encoder(), flat_decoder(), std::optional(image))}) {
    const auto imported = imported_vae(encoder, decoder, {.image = asked});
    EXPECT_EQ(imported.vae.encoder.input(), image);
    EXPECT_EQ(imported.vae.decoder.output(), image);
    EXPECT_EQ(imported.vae.latent_size(), 2);
    EXPECT_THAT(run_graph(imported.vae.encoder, {3, 4}), ElementsAre(3, 4, 30, 40));
  }
  OnnxWriter grey;
  grey.input("image", {0, 1, 2}).output("encoding").reals("w", {2, 4}, {1, 0, 10, 0, 0, 1, 0, 10});
  grey.node("Flatten", {"image"}, {"flat"}).node("Gemm", {"flat", "w"}, {"encoding"});
  EXPECT_EQ(imported_vae(grey, flat_decoder()).vae.image(), image) << "rows and columns without channels";
}

TEST(Images, ThatDoNotFitAreRefused) {
  expect_misuse([] { imported_vae(flat_encoder(), flat_decoder()); },
                {"[d.onnx]", "images are flat, of 2 values, in both files; say how many channels"});
  expect_misuse(
      [] {
        imported_vae(encoder_writer(), flat_decoder(), {.image = ImageShape{2, 1, 1}});
      },
      {"[e.onnx]", "takes images of 1 x 1 x 2, asked for are 2 x 1 x 1"});
  expect_misuse(
      [] {
        imported_vae(flat_encoder(), flat_decoder(), {.image = ImageShape{1, 3, 1}});
      },
      {"[e.onnx]", "the input has 2 values, an image of 1 x 3 x 1 has 3"});
  OnnxWriter large;
  large.input("code", {0, 2}).output("image").reals("w", {2, 4}, std::vector<float>(8, 1.0F));
  large.node("Gemm", {"code", "w"}, {"image"});
  expect_misuse([&] { imported_vae(encoder_writer(), large); },
                {"[d.onnx]", "must give an image of 1 x 1 x 2, as the encoder takes; it gives 4 values"});
  OnnxWriter open = encoder_writer();
  open.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(3)->set_dim_param(
      "width");
  expect_misuse(
      [&] { imported_vae(open, decoder_writer()); },
      {"[e.onnx]", "the input 'image' must have a batch and further axes of known extents, found [0, 1, 1, 0]"});
}

TEST(ImportedVae, SaysWhatWasUnderstood) {
  const auto imported = imported_vae(separate_writer(), decoder_writer("Sigmoid"));
  EXPECT_EQ(imported.vae.architecture, "imported");
  const std::string text = summary(imported);
  EXPECT_THAT(text, HasSubstr("encoder: e.onnx (opset 13): image 1 x 1 x 2 -> mean and log-variance of 2 latents, in "
                              "two outputs\n"));
  EXPECT_THAT(text, HasSubstr("Flatten 1, Gemm 2 -> "));
  EXPECT_THAT(text, HasSubstr("12 parameters, 8 multiply-adds an image"));  // two of 2 x 2 weights and 2 biases
  EXPECT_THAT(text, HasSubstr("decoder: d.onnx (opset 13): 2 latents -> image 1 x 1 x 2\n"));
  EXPECT_THAT(text, HasSubstr("likelihood: bernoulli; the decoder's last sigmoid was taken away"));
}

TEST(ImportedVae, TakesOneOfSeveralDecoderOutputs) {
  OnnxWriter writer = decoder_writer("Sigmoid");
  writer.output("pixels");
  expect_misuse([&] { decoded(writer); }, {"[d.onnx]", "must have one output, it has 2 (image, pixels); say which"});
  EXPECT_THAT(decoded(writer, {.likelihood = models::gaussian(1.0), .decoder_name = "pixels"}), ElementsAre(0, -2));
}

}  // namespace
}  // namespace vaeguard::importers
