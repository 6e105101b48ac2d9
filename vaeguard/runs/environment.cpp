// Reading versions and the machine's description.
#include "vaeguard/runs/environment.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/utsname.h>
#include <zip.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "vaeguard/networks/network.h"

namespace vaeguard::runs {
namespace {

// The value after ':' of the first line of `file` that begins with `key`.
std::string line_value(const char* file, std::string_view key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(key)) {
      const auto begin = line.find_first_not_of(" \t", line.find(':') + 1);
      return begin == std::string::npos ? "" : line.substr(begin);
    }
  }
  return "unknown";
}

std::string key_of(const networks::Backend& backend) { return fmt::format("backend {}", backend.name()); }

}  // namespace

std::string version() { return VAEGUARD_VERSION; }

std::vector<std::pair<std::string, std::string>> environment() {
  utsname system{};
  uname(&system);
  std::vector<std::pair<std::string, std::string>> result{
      {"vaeguard", version()},
      {"compiler", fmt::format("{} {}", VAEGUARD_COMPILER, __VERSION__)},
      {"build", VAEGUARD_BUILD_TYPE},
      {"system", fmt::format("{} {} {}", system.sysname, system.release, system.machine)},
      {"processor", line_value("/proc/cpuinfo", "model name")},
      {"processors", std::to_string(std::thread::hardware_concurrency())},
      {"memory", line_value("/proc/meminfo", "MemTotal")},
  };
  for (const networks::Backend* backend : networks::backends()) {
    if (backend->present()) {
      result.emplace_back(key_of(*backend), backend->description());
    }
  }
  result.emplace_back("sqlite", sqlite3_libversion());
  result.emplace_back("libzip", zip_libzip_version());
  result.emplace_back("fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100));
  return result;
}

std::vector<std::string> environment_names() {
  std::vector<std::string> names;
  for (const auto& [name, value] : environment()) {
    names.push_back(name);
  }
  for (const networks::Backend* backend : networks::backends()) {
    if (!backend->present()) {
      names.push_back(key_of(*backend));
    }
  }
  return names;
}

std::string environment_json(const std::map<std::string, std::string>& more) {
  nlohmann::ordered_json json;
  for (const auto& [name, value] : environment()) {
    json[name] = value;
  }
  for (const auto& [name, value] : more) {
    json[name] = value;
  }
  return json.dump(2) + "\n";
}

}  // namespace vaeguard::runs
