// What a page of the documents shows of a source, to compare the two.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

namespace vaeguard {

/// The text of a file of the repository, "/docs/...".
inline std::string text_of(const std::string& path) {
  std::ifstream file(std::string(VAEGUARD_SOURCE_DIR) + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The text between a line that is `begin` and the next line that is `end`.
inline std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const auto from = text.find("\n" + begin + "\n");
  const auto to = from == std::string::npos ? from : text.find("\n" + end, from + begin.size() + 1);
  return to == std::string::npos ? "nothing between " + begin + " and " + end
                                 : text.substr(from + begin.size() + 2, to - from - begin.size() - 1);
}

}  // namespace vaeguard
