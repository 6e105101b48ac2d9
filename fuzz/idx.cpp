// Bytes as an IDX file, plain or gzip: what is read must be written as the same array again.
#include "vaeguard/data/idx_file.h"

#include "fuzz/target.h"

using namespace vaeguard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const int rank : {1, 3}) {
    fuzz::read_or_refuse([&] {
      const data::IdxArray array = data::parse_idx(fuzz::text(data, size), "input", rank);
      fuzz::demand(data::parse_idx(data::encode_idx(array), "input again", rank) == array);
    });
  }
  return 0;
}
