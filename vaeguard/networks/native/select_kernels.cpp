// Which instruction set's kernels run here.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/networks/native/kernels.h"

namespace vaeguard::networks::native {
namespace {

std::vector<const Kernels*> supported_kernels() {
  std::vector<const Kernels*> result;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma")) {
    result.push_back(&kAvx512Kernels);
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    result.push_back(&kAvx2Kernels);
  }
#endif
  result.push_back(&kGenericKernels);
  return result;
}

const Kernels& choose() {
  const auto supported = supported_kernels();
  const char* wanted = std::getenv("VAEGUARD_ISA");
  if (wanted == nullptr || *wanted == '\0') {
    return *supported.front();
  }
  std::string names;
  for (const Kernels* kernels : supported) {
    if (std::string_view(kernels->name) == wanted) {
      return *kernels;
    }
    names += fmt::format(" {}", kernels->name);
  }
  misuse("networks.native", "VAEGUARD_ISA must be one this processor supports ({} ), got '{}'", names, wanted);
}

}  // namespace

const Kernels& select_kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

}  // namespace vaeguard::networks::native
