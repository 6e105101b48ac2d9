// Bytes as a safetensors file and as a checkpoint: a file that is read must survive being written again.
#include "vaeguard/models/checkpoint.h"

#include "fuzz/target.h"

using namespace vaeguard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::read_or_refuse([&] {
    const auto file = models::parse_safetensors(std::as_bytes(std::span(data, size)), "input");
    fuzz::demand(models::parse_safetensors(models::serialise_safetensors(file), "input again") == file);
    static_cast<void>(models::from_safetensors(file, "input"));
  });
}
