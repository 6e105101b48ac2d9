// Starts the peer's script through a pipe and reads its object.
#include "apps/cli/peer.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>

#include "vaeguard/base/error.h"

namespace vaeguard::cli {
namespace {

// For the shell: in single quotes, each of its own quotes written outside them.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return result + "'";
}

}  // namespace

nlohmann::ordered_json run_peer(const std::string& script, const std::string& arguments, const std::string& field) {
  const std::string command = fmt::format("/usr/bin/python3 {} {}", quoted(script), arguments);
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) {
    failure("bench", "cannot run {}", command);
  }
  std::string output;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    output.append(buffer.data(), n);
  }
  const int code = pclose(pipe);
  auto json = nlohmann::ordered_json::parse(output, nullptr, false);
  if (code != 0 || !json.is_object() || !json.contains(field)) {
    failure("bench", "the peer must print a JSON object with {}; `{}` ended with {} and printed: {}", field, command,
            code, output);
  }
  return json;
}

}  // namespace vaeguard::cli
