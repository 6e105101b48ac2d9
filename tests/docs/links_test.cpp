// Links between pages lead to files and headings that exist.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <sstream>

#include "tests/docs/page.h"
#include "vaeguard/base/file.h"

namespace vaeguard::docs {
namespace {

// "Other norms, and suites" -> "other-norms-and-suites", as Git hosts make anchors.
std::string anchor(std::string_view heading) {
  std::string result;
  for (const char letter : heading) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == ' ') {
      result += '-';
    } else if (std::isalnum(byte) != 0 || letter == '-' || letter == '_' || byte >= 0x80) {
      result += static_cast<char>(std::tolower(byte));
    }
  }
  return result;
}

bool has_heading(const std::filesystem::path& page, const std::string& wanted) {
  std::istringstream lines(read_file(page));
  for (std::string line; std::getline(lines, line);) {
    const auto text = line.find_first_not_of('#');
    if (text != 0 && text != std::string::npos && line[text] == ' ' && anchor(line.substr(text + 1)) == wanted) {
      return true;
    }
  }
  return false;
}

TEST(DocumentedLinks, LeadToFilesAndHeadings) {
  int checked = 0;
  for (const Page& page : all_pages()) {
    for (const Piece& link : page.links) {
      if (link.text.find("://") != std::string::npos || link.text.starts_with("mailto:")) {
        continue;
      }
      const auto hash = link.text.find('#');
      const std::string file = link.text.substr(0, hash);
      const auto target = file.empty() ? page.file : page.file.parent_path() / file;
      EXPECT_TRUE(exists(target)) << link.place << ": " << link.text;
      if (hash != std::string::npos && exists(target)) {
        EXPECT_TRUE(has_heading(target, link.text.substr(hash + 1))) << link.place << ": " << link.text;
      }
      ++checked;
    }
  }
  EXPECT_GT(checked, 30);
}

}  // namespace
}  // namespace vaeguard::docs
