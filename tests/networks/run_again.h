// This test program once more, with another environment: what is read once in a process needs a process of its own.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace vaeguard::networks {

struct Child {
  int status;
  std::string output;
};

/// `environment`: "NAME=value NAME=value".
inline Child run_again(const std::string& environment, const std::string& filter) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string command = environment + " '" + program + "' --gtest_filter='" + filter + "' 2>&1";
  Child child{-1, {}};
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[4096];
  while (pipe != nullptr && fgets(buffer, sizeof(buffer), pipe) != nullptr) {
    child.output += buffer;
  }
  child.status = pipe != nullptr ? pclose(pipe) : -1;
  return child;
}

/// The instruction sets of this processor, best first.
inline std::vector<std::string> instruction_sets() {
  std::vector<std::string> sets;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma")) {
    sets.emplace_back("avx512");
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    sets.emplace_back("avx2");
  }
#endif
  sets.emplace_back("generic");
  sets.emplace_back("emulated512");
  return sets;
}

}  // namespace vaeguard::networks
