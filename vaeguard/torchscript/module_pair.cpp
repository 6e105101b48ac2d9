// Makes two modules fit each other, the images and the likelihood.
#include "vaeguard/torchscript/module_pair.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/torch.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/base/random.h"
#include "vaeguard/torchscript/module_function.h"
#include "vaeguard/torchscript/module_size.h"
#include "vaeguard/torchscript/tensors.h"

namespace vaeguard::torchscript {
namespace {

using importers::DecoderOutput;
using importers::EncoderLayout;
using importers::ImportOptions;
using importers::PixelRange;
using Shape = std::vector<std::int64_t>;
using torch::Tensor;

constexpr std::int64_t kProbes = 3;          // rows to try a module on
constexpr std::int64_t kDecodedProbes = 16;  // and to see what a decoder gives

// ---- outputs

// Those that `names` asks for, all where it asks for none.
NamedTensors chosen(const NamedTensors& outputs, const std::vector<std::string>& names, const std::string& place) {
  if (names.empty()) {
    return outputs;
  }
  NamedTensors result;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(outputs, name, &NamedTensors::value_type::first);
    if (found == outputs.end()) {
      std::vector<std::string> known;
      std::ranges::transform(outputs, std::back_inserter(known), &NamedTensors::value_type::first);
      misuse(place, "unknown output '{}'; outputs are {}", name, fmt::join(known, ", "));
    }
    result.push_back(*found);
  }
  return result;
}

std::string shapes_of(const NamedTensors& outputs) {
  std::vector<std::string> shapes;
  for (const auto& [name, tensor] : outputs) {
    shapes.push_back(fmt::format("{} {}", name, text_of(tensor.sizes())));
  }
  return fmt::format("{}", fmt::join(shapes, ", "));
}

struct Tried {
  Shape shape;  // of an input row
  NamedTensors outputs;
};

// The outputs for one row of zeros in the first of these shapes that the module takes.
Tried first_that_runs(const ModuleMethod& method, const std::vector<Shape>& shapes) {
  std::string reasons;
  for (const Shape& shape : shapes) {
    Shape batch{1};
    batch.insert(batch.end(), shape.begin(), shape.end());
    try {
      return {shape, method.call(torch::zeros(batch))};
    } catch (const Misuse&) {
      throw;
    } catch (const std::exception& problem) {
      reasons += fmt::format("{}on {}: {}", reasons.empty() ? "" : "; ", text_of(batch), reason_of(problem));
    }
  }
  misuse(method.place(), "the module takes none of the shapes that were tried: {}", reasons);
}

// ---- the encoder

struct EncoderForm {
  Shape image;
  Shape latents;  // of a code
  EncoderLayout layout;
};

EncoderLayout chosen_layout(const NamedTensors& outputs, EncoderLayout layout, const std::string& place) {
  const std::size_t expected = layout == EncoderLayout::automatic  ? std::clamp<std::size_t>(outputs.size(), 1, 2)
                               : layout == EncoderLayout::separate ? 2
                                                                   : 1;
  if (outputs.size() != expected) {
    misuse(place,
           "the encoder must give {}, it gives {} ({}); say which (encoder_outputs: the means, then the log-variances)",
           expected == 2 ? "two outputs" : "one output", outputs.size(), shapes_of(outputs));
  }
  if (layout != EncoderLayout::automatic) {
    return layout;
  }
  return outputs.size() == 2 ? EncoderLayout::separate : EncoderLayout::together;
}

// Of the outputs for one image.
Shape latent_shape(const NamedTensors& outputs, EncoderLayout layout, const std::string& place) {
  const Tensor& first = outputs.front().second;
  if (layout == EncoderLayout::separate) {
    const Tensor& second = outputs.back().second;
    if (first.dim() < 2 || first.size(0) != 1 || first.sizes() != second.sizes()) {
      misuse(place, "means and log-variances must be [n, ...] of one shape; of one image they are {}",
             shapes_of(outputs));
    }
    return {first.sizes().begin() + 1, first.sizes().end()};
  }
  if (first.dim() < 2 || first.size(0) != 1 || first.size(1) % 2 != 0) {
    misuse(place, "means and log-variances in one output must be [n, 2 D, ...]; of one image it is {}",
           text_of(first.sizes()));
  }
  if (layout == EncoderLayout::interleaved && first.numel() != first.size(1)) {
    misuse(place, "means and log-variances can only be interleaved in a row [n, 2 D]; of one image it is {}",
           text_of(first.sizes()));
  }
  Shape shape{first.sizes().begin() + 1, first.sizes().end()};
  shape.front() /= 2;
  return shape;
}

EncoderForm form_of(const ModuleMethod& method, const ImportOptions& options) {
  const ImageShape image = *options.image;
  auto [shape, all] = first_that_runs(method, {{image.channels, image.height, image.width}, {image.size()}});
  const NamedTensors outputs = chosen(all, options.encoder_outputs, method.place());
  const EncoderLayout layout = chosen_layout(outputs, options.layout, method.place());
  return {shape, latent_shape(outputs, layout, method.place()), layout};
}

// [n, 2 D]: means, then log-variances.
Tensor encoding_rows(const NamedTensors& outputs, EncoderLayout layout) {
  if (layout == EncoderLayout::separate) {
    return torch::cat({outputs.front().second.flatten(1), outputs.back().second.flatten(1)}, 1).to(torch::kFloat32);
  }
  const Tensor rows = outputs.front().second.flatten(1).to(torch::kFloat32);
  return layout == EncoderLayout::together ? rows : rows.reshape({rows.size(0), -1, 2}).transpose(1, 2).flatten(1);
}

std::shared_ptr<ModuleFunction> encoder_of(const std::shared_ptr<const ModuleMethod>& method, const EncoderForm& form,
                                           const ImportOptions& options, std::int64_t latents) {
  Matrix probe(kProbes, options.image->size());
  fill_uniform(Key(1), 0.0F, 1.0F, probe.flat());
  ModuleForm around{.input = form.image, .before = {}, .after = {}, .outputs = 2 * latents};
  if (const PixelRange given = options.range_given(); given != PixelRange{}) {
    around.before = [given](const Tensor& rows) { return rows * (given.brightest - given.darkest) + given.darkest; };
  }
  around.after = [names = options.encoder_outputs, layout = form.layout, place = method->place()](
                     const NamedTensors& outputs) { return encoding_rows(chosen(outputs, names, place), layout); };
  return std::make_shared<ModuleFunction>(method, std::move(around), probe);
}

// ---- the decoder

// Its only output, or the one that is named.
Tensor decoded(const NamedTensors& outputs, const ImportOptions& options, const std::string& place) {
  const NamedTensors one = chosen(
      outputs, options.decoder_name.empty() ? std::vector<std::string>{} : std::vector{options.decoder_name}, place);
  if (one.size() != 1) {
    misuse(place, "the decoder must have one output, it has {} ({}); say which (decoder_output)", one.size(),
           shapes_of(one));
  }
  return one.front().second;
}

std::vector<Shape> shapes_to_try(const Shape& latents, std::int64_t size) {
  std::vector<Shape> shapes{latents};
  for (const Shape& other : {Shape{size}, Shape{size, 1, 1}}) {
    if (other != latents) {
      shapes.push_back(other);
    }
  }
  return shapes;
}

// Of means p in float, whose rounding ends logits at 17.
Tensor logits_of(const Tensor& means) {
  constexpr double kLeast = 1e-30;
  constexpr double kMost = 1.0 - 0x1p-24;
  return means.clamp_min(kLeast).log() - torch::log1p(-means.clamp_max(kMost));
}

// What its outputs pass on their way to the likelihood, and what is said of it.
struct Fit {
  std::function<Tensor(const Tensor&)> convert;
  std::string words;
};

Fit fit_likelihood(const ModuleMethod& method, const Shape& shape, std::int64_t latents, const ImportOptions& options) {
  if (!importers::takes_logits(options.likelihood)) {
    if (options.decoder_output == DecoderOutput::logits) {
      return {[](const Tensor& rows) { return torch::sigmoid(rows); },
              "a sigmoid was added to the decoder: the likelihood is on means"};
    }
    return {{}, "the decoder gives means"};
  }
  if (options.decoder_output == DecoderOutput::logits) {
    return {{}, "the decoder gives logits"};
  }
  Matrix codes(kDecodedProbes, latents);
  fill_normal(Key(2), codes.flat());
  Shape batch{kDecodedProbes};
  batch.insert(batch.end(), shape.begin(), shape.end());
  const torch::NoGradGuard no_gradients;
  const Tensor values =
      decoded(method.call(image_tensor(codes, {latents, 1, 1}, torch::kCPU).reshape(batch)), options, method.place());
  const auto least = values.min().item<double>();
  const auto most = values.max().item<double>();
  const bool means = least >= 0.0 && most <= 1.0;
  if (options.decoder_output == DecoderOutput::mean && !means) {
    misuse(method.place(), "the decoder's means must be from 0 to 1, they are from {:.3g} to {:.3g}", least, most);
  }
  if (means) {
    return {logits_of, fmt::format("the decoder gives means ({:.2g} to {:.2g}): logits are found from them, up to 17",
                                   least, most)};
  }
  return {{}, fmt::format("the decoder's outputs ({:.2g} to {:.2g}) are taken for logits", least, most)};
}

std::shared_ptr<ModuleFunction> decoder_of(const std::shared_ptr<const ModuleMethod>& method, const Shape& shape,
                                           const Fit& fit, const ImportOptions& options, std::int64_t latents) {
  Matrix probe(kProbes, latents);
  fill_normal(Key(3), probe.flat());
  ModuleForm around{.input = shape, .before = {}, .after = {}, .outputs = options.image->size()};
  around.after = [options, convert = fit.convert, place = method->place()](const NamedTensors& outputs) {
    Tensor rows = decoded(outputs, options, place).flatten(1).to(torch::kFloat32);
    if (convert) {
      rows = convert(rows);
    }
    const auto [darkest, brightest] = options.pixels;
    return options.pixels != PixelRange{} ? (rows - darkest) / (brightest - darkest) : rows;
  };
  return std::make_shared<ModuleFunction>(method, std::move(around), probe);
}

// ---- both

ImageShape layout_of(const Shape& latents, std::int64_t size) {
  return latents.size() == 3 ? ImageShape{latents[0], latents[1], latents[2]} : ImageShape{size, 1, 1};
}

plugins::ModuleHalf half_of(const ModuleMethod& method, const Shape& shape,
                            std::shared_ptr<const networks::DifferentiableFunction> function) {
  Shape batch{1};
  batch.insert(batch.end(), shape.begin(), shape.end());
  return {std::move(function), parameters_of(method), operations_of(method),
          multiply_adds_of(method, torch::zeros(batch))};
}

std::string size_of(const plugins::ModuleHalf& half) {
  std::vector<std::string> operations;
  for (const auto& [operation, count] : half.operations) {
    operations.push_back(fmt::format("{} {}", operation, count));
  }
  const std::string_view tangents = half.function->tangent_backend();
  return fmt::format(
      "{}, {} parameters, {} multiply-adds{}", fmt::join(operations, ", "), half.parameters, half.multiply_adds,
      tangents == half.function->backend() ? "" : fmt::format("; directional derivatives by {}", tangents));
}

}  // namespace

plugins::ModulePair load_modules(const plugins::ModuleFiles& files, const ImportOptions& options) {
  const bool both = files.encoder == files.decoder;
  const auto encode = std::make_shared<const ModuleMethod>(files.encoder, both ? "encode" : "forward");
  const auto decode = std::make_shared<const ModuleMethod>(files.decoder, both ? "decode" : "forward");
  options.validate(encode->place());
  if (!options.image) {
    misuse(encode->place(), "a module does not say what images it takes: say it, such as image = [1, 28, 28]");
  }
  const EncoderForm form = form_of(*encode, options);
  const std::int64_t latents = c10::multiply_integers(form.latents);
  const Tried tried = first_that_runs(*decode, shapes_to_try(form.latents, latents));
  const Tensor image = decoded(tried.outputs, options, decode->place());
  if (image.dim() < 2 || image.size(0) != 1 || image.numel() != options.image->size()) {
    misuse(decode->place(), "the decoder must give an image of {}, as the encoder takes; of one code it gives {}",
           importers::text_of(*options.image), text_of(image.sizes()));
  }
  const Fit fit = fit_likelihood(*decode, tried.shape, latents, options);
  plugins::ModulePair pair{
      .encoder = half_of(*encode, form.image, encoder_of(encode, form, options, latents)),
      .decoder = half_of(*decode, tried.shape, decoder_of(decode, tried.shape, fit, options, latents)),
      .image = *options.image,
      .latents = layout_of(form.latents, latents),
      .summary = {}};
  pair.summary = {{"encoder", fmt::format("{}: image {} -> mean and log-variance of {} latents, {}", encode->place(),
                                          importers::text_of(pair.image), latents, importers::words_of(form.layout))},
                  {"", size_of(pair.encoder)},
                  {"decoder", fmt::format("{}: {} latents as {} -> image {}", decode->place(), latents,
                                          text_of(tried.shape), importers::text_of(pair.image))},
                  {"", size_of(pair.decoder)},
                  {"likelihood", fmt::format("{}; {}", models::describe(options.likelihood), fit.words)}};
  std::ranges::copy(importers::pixel_lines(options), std::back_inserter(pair.summary));
  return pair;
}

}  // namespace vaeguard::torchscript
