// The published digests of Fashion-MNIST and its split.
#include "vaeguard/data/fashion_mnist.h"

#include "vaeguard/data/idx_dataset.h"

namespace vaeguard::data {
namespace {

constexpr PublishedDigests kPublishedMd5 = {"f4a8712d7a061bf5bd6d2ca38dc4d50a", "9018921c3c673c538a1fc5bad174d6f9",
                                            "8181f5470baa50b63fa0f6fddb340f0a", "15d484375f8d13e6eb1aabb0c3f46965"};
// A number, for the reason that mnist.cpp gives.
constexpr std::uint64_t kSplitKey = 0x66a1f0c27b5e4d13;

}  // namespace

Dataset load_fashion_mnist(const std::filesystem::path& folder) {
  constexpr std::string_view kAdvice = "Get them with: tools/get-data fashion_mnist";
  const bool own = std::filesystem::exists(folder) || !std::filesystem::exists(kFashionMnistPackageFolder);
  const IdxFiles files = read_idx_files(own ? folder : kFashionMnistPackageFolder, kAdvice);
  check_digests(files, kPublishedMd5, kAdvice);
  return make_dataset(files, {.name = "fashion_mnist", .classes = 10, .validation = 5000, .split_key = Key(kSplitKey)});
}

}  // namespace vaeguard::data
