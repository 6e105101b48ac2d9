// The list of data sets and their loaders.
#include "vaeguard/data/registry.h"

#include <algorithm>
#include <array>

#include "vaeguard/base/text.h"
#include "vaeguard/data/color_mnist.h"
#include "vaeguard/data/fashion_mnist.h"
#include "vaeguard/data/mnist.h"
#include "vaeguard/data/synthetic.h"

namespace vaeguard::data {
namespace {

struct Entry {
  std::string_view name;
  std::string_view description;
  std::string_view folder;  // of its files in the data folder; empty where it needs none
  Dataset (*load)(const std::filesystem::path& folder);
};

constexpr std::array<Entry, 5> kEntries = {
    {{"mnist", "60,000 + 10,000 handwritten digits, 28 x 28 grey pixels, 10 classes", "mnist", load_mnist},
     {"fashion_mnist", "60,000 + 10,000 pieces of clothing, 28 x 28 grey pixels, 10 classes", "fashion_mnist",
      load_fashion_mnist},
     {"color_mnist", "MNIST's digits in seven colours, 28 x 28 pixels of 3 channels, 10 classes", "mnist",
      [](const std::filesystem::path& folder) { return load_color_mnist(folder, ColorLabel::digit); }},
     {"color_mnist_colors", "the same images labelled by colour, 7 classes", "mnist",
      [](const std::filesystem::path& folder) { return load_color_mnist(folder, ColorLabel::color); }},
     {"synthetic", "2,200 + 500 drawn shapes, 28 x 28 grey pixels, 10 classes, made on the spot", "",
      [](const std::filesystem::path&) { return synthetic({}, synthetic_key()); }}}};

const Entry& find(std::string_view name) {
  const auto entry = std::ranges::find(kEntries, name, &Entry::name);
  if (entry == kEntries.end()) {
    unknown_name("data.registry", "dataset", name, dataset_names());
  }
  return *entry;
}

}  // namespace

std::vector<std::string> dataset_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kEntries) {
    names.emplace_back(entry.name);
  }
  return names;
}

std::string dataset_description(std::string_view name) { return std::string(find(name).description); }

std::string dataset_folder(std::string_view name) { return std::string(find(name).folder); }

Dataset load_dataset(std::string_view name, const std::filesystem::path& data_folder) {
  const Entry& entry = find(name);
  return entry.load(data_folder / entry.folder);
}

}  // namespace vaeguard::data
