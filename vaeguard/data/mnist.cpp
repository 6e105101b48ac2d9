// The published digests of MNIST and its split.
#include "vaeguard/data/mnist.h"

#include "vaeguard/data/idx_dataset.h"

namespace vaeguard::data {
namespace {

constexpr PublishedDigests kPublishedMd5 = {"6bbc9ace898e44ae57da46a324031adb", "a25bea736e30d166cdddb491f175f624",
                                            "2646ac647ad5339dbf082846283269ea", "27ae3e4e09519cfbb04c329615203637"};
// A number, not a name, so that trained models keep their validation images if a name ever changes.
constexpr std::uint64_t kSplitKey = 0x993cba6ec2dcd502;

}  // namespace

Dataset load_mnist(const std::filesystem::path& folder) {
  constexpr std::string_view kAdvice = "Get them with: tools/get-data";
  const IdxFiles files = read_idx_files(folder, kAdvice);
  check_digests(files, kPublishedMd5, kAdvice);
  return make_dataset(files, {.name = "mnist", .classes = 10, .validation = 5000, .split_key = Key(kSplitKey)});
}

}  // namespace vaeguard::data
