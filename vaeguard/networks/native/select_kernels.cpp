// Selects the kernels of an instruction set that this processor has.
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
  result.push_back(&kEmulated512Kernels);
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

Bfloat16Kernels choose_bfloat16() {
  const char* wanted = std::getenv("VAEGUARD_BF16");
  if (wanted != nullptr && *wanted != '\0') {
    if (std::string_view(wanted) != "emulated") {
      misuse("networks.native", "VAEGUARD_BF16 must be emulated or not set, got '{}'", wanted);
    }
    return {&select_kernels(), ""};
  }
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw")) {
    if (&select_kernels() == &kAvx512Kernels) {
      return {&kAvx512Bfloat16Kernels, ""};
    }
    return {nullptr, "VAEGUARD_ISA names an instruction set without bfloat16"};
  }
#endif
  return {nullptr, "this processor has no AVX512-BF16"};
}

}  // namespace

const Kernels& select_kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

const Bfloat16Kernels& select_bfloat16_kernels() {
  static const Bfloat16Kernels chosen = choose_bfloat16();
  return chosen;
}

}  // namespace vaeguard::networks::native
