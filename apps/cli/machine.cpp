// Asks the processor and the kernel's files about this process.
#include "apps/cli/machine.h"

#include <cstdlib>
#include <fstream>

namespace vaeguard::cli {

std::string instruction_sets() {
  std::string sets;
#if defined(__x86_64__)
  const auto add = [&sets](bool supported, const char* name) {
    if (supported) {
      sets += sets.empty() ? name : std::string(" ") + name;
    }
  };
  add(__builtin_cpu_supports("avx2"), "avx2");
  add(__builtin_cpu_supports("fma"), "fma");
  add(__builtin_cpu_supports("avx512f"), "avx512f");
  add(__builtin_cpu_supports("avx512bw"), "avx512bw");
  add(__builtin_cpu_supports("avx512vnni"), "avx512vnni");
  add(__builtin_cpu_supports("avx512bf16"), "avx512bf16");
#endif
  return sets.empty() ? "none beyond the baseline" : sets;
}

double load_average() {
  double minute = 0.0;
  return getloadavg(&minute, 1) == 1 ? minute : 0.0;
}

double peak_resident_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmHWM:") {
      double kibibytes = 0.0;
      status >> kibibytes;
      return kibibytes / 1024.0;
    }
  }
  return 0.0;
}

void reset_peak_resident() { std::ofstream("/proc/self/clear_refs") << 5; }

}  // namespace vaeguard::cli
