// The list of data sets and their loaders.
#include "vaeguard/data/registry.h"

#include "vaeguard/data/color_mnist.h"
#include "vaeguard/data/fashion_mnist.h"
#include "vaeguard/data/mnist.h"
#include "vaeguard/data/synthetic.h"

namespace vaeguard::data {

const Registry<DatasetEntry>& datasets() {
  static const Registry<DatasetEntry> entries(
      "data.registry", "dataset",
      {{"mnist", "MNIST", "60,000 + 10,000 handwritten digits, 28 x 28 grey pixels, 10 classes.", "mnist", load_mnist},
       {"fashion_mnist", "Fashion-MNIST", "60,000 + 10,000 pieces of clothing, 28 x 28 grey pixels, 10 classes.",
        "fashion_mnist", load_fashion_mnist},
       {"color_mnist", "ColorMNIST", "MNIST's digits in seven colours, 28 x 28 pixels of 3 channels, 10 classes.",
        "mnist", [](const std::filesystem::path& folder) { return load_color_mnist(folder, ColorLabel::digit); }},
       {"color_mnist_colors", "ColorMNIST, colours", "ColorMNIST's images labelled by colour, 7 classes.", "mnist",
        [](const std::filesystem::path& folder) { return load_color_mnist(folder, ColorLabel::color); }},
       {"synthetic", "Drawn shapes", "2,200 + 500 drawn shapes, 28 x 28 grey pixels, 10 classes, made on the spot.", "",
        [](const std::filesystem::path& /*folder*/) { return synthetic({}, synthetic_key()); }}});
  return entries;
}

Dataset load_dataset(std::string_view name, const std::filesystem::path& data_folder) {
  const DatasetEntry& entry = datasets().find(name);
  return entry.load(data_folder / entry.folder);
}

}  // namespace vaeguard::data
