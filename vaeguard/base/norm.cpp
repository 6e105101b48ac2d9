// The list of norms.
#include "vaeguard/base/norm.h"

#include <algorithm>

#include "vaeguard/base/error.h"

namespace vaeguard {

const Registry<NormEntry>& norms() {
  static const Registry<NormEntry> all(
      "base.norm", "norm",
      {{"linf", "L∞", "Largest change of a pixel, on a scale from 0 to 1.", Norm::linf},
       {"l2", "L2", "Euclidean length of the change, of pixels from 0 to 1.", Norm::l2},
       {"l1", "L1", "Sum of the changes of all pixels, on a scale from 0 to 1.", Norm::l1}});
  return all;
}

const NormEntry& entry_of(Norm norm) {
  const auto entry = std::ranges::find(norms(), norm, &NormEntry::norm);
  if (entry == norms().end()) {
    misuse("base.norm", "unknown norm {}", static_cast<int>(norm));
  }
  return *entry;
}

std::string_view name(Norm norm) { return entry_of(norm).name; }

Norm norm_from_name(std::string_view name) { return norms().find(name).norm; }

}  // namespace vaeguard
