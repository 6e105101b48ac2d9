// Bytes as a NumPy archive: every array that is read must have as many values as its shape asks for.
#include "vaeguard/base/npz.h"

#include "fuzz/target.h"

using namespace vaeguard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::read_or_refuse([&] {
    for (const auto& [name, array] : parse_npz(std::as_bytes(std::span(data, size)), "input")) {
      std::size_t expected = 1;
      for (const std::int64_t extent : array.shape) {
        expected *= static_cast<std::size_t>(extent);
      }
      fuzz::demand(std::visit([](const auto& values) { return values.size(); }, array.values) == expected);
    }
  });
}
