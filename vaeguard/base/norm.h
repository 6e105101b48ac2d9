// Norms of the change of an image, which attacks, observation models and records name.
#pragma once

#include <string_view>

#include "vaeguard/base/registry.h"

namespace vaeguard {

enum class Norm { linf, l2, l1 };

struct NormEntry {
  std::string_view name;
  std::string_view title;
  std::string_view description;
  Norm norm = Norm::linf;
};

const Registry<NormEntry>& norms();
const NormEntry& entry_of(Norm norm);
std::string_view name(Norm norm);
/// Throws Misuse with the known names if there is no such norm.
Norm norm_from_name(std::string_view name);

}  // namespace vaeguard
