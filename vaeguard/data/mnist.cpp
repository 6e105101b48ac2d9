// The published digests of MNIST and its split.
#include "vaeguard/data/mnist.h"

#include <array>

#include "vaeguard/base/error.h"
#include "vaeguard/data/checksum.h"
#include "vaeguard/data/idx_dataset.h"

namespace vaeguard::data {
namespace {

// Of the uncompressed files, in the order of kIdxFileNames.
constexpr std::array<std::string_view, 4> kPublishedMd5 = {
    "6bbc9ace898e44ae57da46a324031adb", "a25bea736e30d166cdddb491f175f624", "2646ac647ad5339dbf082846283269ea",
    "27ae3e4e09519cfbb04c329615203637"};

}  // namespace

Dataset load_mnist(const std::filesystem::path& folder) {
  const IdxFiles files = read_idx_files(folder, "Get them with: tools/get-data");
  for (std::size_t i = 0; i < files.contents.size(); ++i) {
    const std::string found = md5(files.contents[i]);
    if (found != kPublishedMd5[i]) {
      misuse("data.mnist", "{} must have the published MD5 digest {}, found {}. Get it anew with: tools/get-data",
             (folder / kIdxFileNames[i]).string(), kPublishedMd5[i], found);
    }
  }
  return make_dataset(files,
                      {.name = "mnist", .classes = 10, .validation = 5000, .split_key = Key(0).fold("mnist split")});
}

}  // namespace vaeguard::data
