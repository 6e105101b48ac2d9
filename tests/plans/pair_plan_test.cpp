// Descriptions of models from outside: what every key means, and what is said of wrong ones.
#include "vaeguard/plans/pair_plan.h"

#include "tests/expect_misuse.h"

namespace vaeguard::plans {
namespace {

using importers::DecoderOutput;
using importers::EncoderLayout;
using importers::PixelRange;

PairPlan read(const std::string& text) { return parse_pair(text, "model.toml", "models"); }

const std::string kPair = "encoder = 'e.onnx'\ndecoder = 'd.onnx'\n";

TEST(PairPlan, NeedsTwoFilesAndALikelihood) {
  const PairPlan pair = read(kPair + "likelihood = 'bernoulli'");
  EXPECT_TRUE(pair.onnx());
  EXPECT_EQ(pair.files(), (std::vector<std::filesystem::path>{"models/e.onnx", "models/d.onnx"}));
  EXPECT_EQ(pair.options.likelihood, models::bernoulli());
  EXPECT_EQ(pair.options.layout, EncoderLayout::automatic);
  EXPECT_EQ(pair.options.decoder_output, DecoderOutput::automatic);
  EXPECT_FALSE(pair.options.image);
  EXPECT_EQ(pair.options.pixels, PixelRange{});
  EXPECT_FALSE(pair.options.encoder_pixels);
}

TEST(PairPlan, SaysAllThatImportCanBeTold) {
  const PairPlan pair = read(R"(
    encoder = "/far/e.pt"
    decoder = "../d.pt"
    likelihood = "gaussian"
    variance = 0.25
    layout = "interleaved"
    encoder_outputs = ["mu", "logvar"]
    decoder_output = "image"
    decoder_gives = "mean"
    image = [3, 32, 48]
    pixels = [-1, 1]
    encoder_pixels = [-0.5, 1.5])");
  EXPECT_FALSE(pair.onnx());
  EXPECT_EQ(pair.files(), (std::vector<std::filesystem::path>{"/far/e.pt", "d.pt"}));
  EXPECT_EQ(pair.options.likelihood, models::gaussian(0.25));
  EXPECT_EQ(pair.options.layout, EncoderLayout::interleaved);
  EXPECT_EQ(pair.options.encoder_outputs, (std::vector<std::string>{"mu", "logvar"}));
  EXPECT_EQ(pair.options.decoder_name, "image");
  EXPECT_EQ(pair.options.decoder_output, DecoderOutput::mean);
  EXPECT_EQ(pair.options.image, (ImageShape{3, 32, 48}));
  EXPECT_EQ(pair.options.pixels, (PixelRange{-1.0, 1.0}));
  EXPECT_EQ(pair.options.encoder_pixels, (PixelRange{-0.5, 1.5}));
}

TEST(PairPlan, TheEncoderTakesThePixelsOfBothUnlessToldOtherwise) {
  const PairPlan both = read(kPair + "likelihood = 'gaussian'\npixels = [-1, 1]");
  EXPECT_EQ(both.options.range_given(), (PixelRange{-1.0, 1.0}));
  const PairPlan normalised = read(kPair + "likelihood = 'bernoulli'\nencoder_pixels = [-0.5, 1.5]");
  EXPECT_EQ(normalised.options.pixels, PixelRange{});
  EXPECT_EQ(normalised.options.range_given(), (PixelRange{-0.5, 1.5}));
}

TEST(PairPlan, OneModuleMayBeBoth) {
  const PairPlan pair = read("module = 'vae.pt'\nlikelihood = 'bernoulli'\nimage = [1, 28, 28]");
  EXPECT_EQ(pair.encoder, pair.decoder);
  EXPECT_EQ(pair.files(), (std::vector<std::filesystem::path>{"models/vae.pt"}));
}

TEST(PairPlan, RefusesWhatItDoesNotUnderstand) {
  const auto refused = [](const std::string& text, const std::vector<std::string>& words) {
    expect_misuse([&] { (void)read(text); }, words);
  };
  const std::string whole = kPair + "likelihood = 'gaussian'\n";
  refused(kPair, {"model.toml", "likelihood is missing"});
  refused("encoder = 'e.onnx'\nlikelihood = 'gaussian'", {"model.toml", "decoder"});
  refused("encoder = 'e.onnx'\ndecoder = 'd.pt'\nlikelihood = 'gaussian'", {"both", "e.onnx and d.pt"});
  refused("module = 'e.pt'\n" + whole, {"leave encoder and decoder out"});
  refused("module = 'e.onnx'\nlikelihood = 'gaussian'", {"TorchScript file with the methods encode and decode"});
  refused(kPair + "likelihood = 'gausian'", {"did you mean 'gaussian'"});
  refused(kPair + "likelihood = 'bernoulli'\nvariance = 1.0", {"bernoulli has no variance"});
  refused(whole + "layout = 'seperate'", {"unknown layout 'seperate', did you mean 'separate'"});
  refused(whole + "image = [28, 28]", {"image must be [channels, rows, columns]", "got 2 numbers"});
  refused(whole + "image = [1, 28.5, 28]", {"whole numbers from 1 to 16384, got 28.5"});
  refused(whole + "image = [1, 0, 28]", {"got 0"});
  refused(whole + "pixels = [1]", {"black and white", "got 1 numbers"});
  refused(whole + "pixels = [1, 1]", {"model.toml", "black and white must be two numbers, got 1 and 1"});
  refused(kPair + "likelihood = 'bernoulli'\npixels = [-1, 1]", {"need a likelihood on means", "encoder pixels"});
  refused(whole + "encoder_pixels = [1, 2, 3]", {"encoder_pixels must be", "got 3 numbers"});
  refused(whole + "encoder_pixels = [2, 2]", {"model.toml", "black and white must be two numbers, got 2 and 2"});
  refused(whole + "lay_out = 'separate'", {"lay_out", "did you mean 'layout'"});
}

}  // namespace
}  // namespace vaeguard::plans
