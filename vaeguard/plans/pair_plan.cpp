// Pairs from TOML.
#include "vaeguard/plans/pair_plan.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "vaeguard/base/choice.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/base/text.h"
#include "vaeguard/plans/toml.h"

namespace vaeguard::plans {
namespace {

std::filesystem::path file_of(OptionReader& reader, std::string_view key, const std::filesystem::path& folder) {
  return (folder / reader.text(key)).lexically_normal();  // an absolute file stays
}

void read_files(OptionReader& reader, const std::filesystem::path& folder, PairPlan& pair) {
  if (reader.has("module")) {
    if (reader.has("encoder") || reader.has("decoder")) {
      misuse(reader.place(), "module is encoder and decoder in one; leave encoder and decoder out");
    }
    pair.encoder = pair.decoder = file_of(reader, "module", folder);
    if (pair.onnx()) {
      misuse(reader.place(), "module must be a TorchScript file with the methods encode and decode, got {}",
             pair.encoder.filename().string());
    }
    return;
  }
  pair.encoder = file_of(reader, "encoder", folder);
  pair.decoder = file_of(reader, "decoder", folder);
  if (pair.onnx() != (pair.decoder.extension() == ".onnx")) {
    misuse(reader.place(), "encoder and decoder must both be ONNX files (.onnx) or both be TorchScript, got {} and {}",
           pair.encoder.filename().string(), pair.decoder.filename().string());
  }
}

// The enumerator of a name.
template <typename Enumeration>
Enumeration named(OptionReader& reader, std::string_view key, const std::vector<std::string>& names) {
  const std::string name = reader.text(key, names.front());
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) {
    unknown_name(reader.place(), key, name, names);
  }
  return static_cast<Enumeration>(found - names.begin());
}

std::int64_t extent_of(double number, const OptionReader& reader) {
  constexpr double kMost = 1 << 14;
  if (!(number >= 1.0 && number <= kMost) || number != std::floor(number)) {
    misuse(reader.place(), "image must be [channels, rows, columns], whole numbers from 1 to {}, got {}", kMost,
           number);
  }
  return static_cast<std::int64_t>(number);
}

void read_image(OptionReader& reader, importers::ImportOptions& options) {
  if (!reader.has("image")) {
    return;
  }
  const std::vector<double> image = reader.numbers("image");
  if (image.size() != 3) {
    misuse(reader.place(), "image must be [channels, rows, columns], such as [1, 28, 28], got {} numbers",
           image.size());
  }
  options.image = {extent_of(image[0], reader), extent_of(image[1], reader), extent_of(image[2], reader)};
}

std::optional<importers::PixelRange> read_range(OptionReader& reader, std::string_view key) {
  if (!reader.has(key)) {
    return std::nullopt;
  }
  const std::vector<double> range = reader.numbers(key);
  if (range.size() != 2) {
    misuse(reader.place(), "{} must be what the model calls black and white, such as [-1, 1], got {} numbers", key,
           range.size());
  }
  return importers::PixelRange{range[0], range[1]};
}

}  // namespace

std::vector<std::filesystem::path> PairPlan::files() const {
  return encoder == decoder ? std::vector{encoder} : std::vector{encoder, decoder};
}

PairPlan parse_pair(std::string_view text, std::string_view place, const std::filesystem::path& folder) {
  const Value table = parse_toml(text, place);
  OptionReader reader(table, std::string(place));
  PairPlan pair;
  read_files(reader, folder, pair);
  const auto likelihood = read_choice(reader, models::likelihood_schema());
  if (!likelihood) {
    misuse(place, "likelihood is missing: what the model was trained with, such as \"bernoulli\" or \"gaussian\"");
  }
  pair.options.likelihood = *likelihood;
  pair.options.layout = named<importers::EncoderLayout>(reader, "layout", importers::layout_names());
  pair.options.decoder_output =
      named<importers::DecoderOutput>(reader, "decoder_gives", importers::decoder_output_names());
  pair.options.encoder_outputs = reader.texts("encoder_outputs");
  pair.options.decoder_name = reader.text("decoder_output", "");
  read_image(reader, pair.options);
  pair.options.pixels = read_range(reader, "pixels").value_or(importers::PixelRange{});
  pair.options.encoder_pixels = read_range(reader, "encoder_pixels");
  reader.finish();
  pair.options.validate(place);
  return pair;
}

PairPlan load_pair(const std::filesystem::path& file) {
  return parse_pair(read_file(file), file.string(), file.parent_path());
}

}  // namespace vaeguard::plans
