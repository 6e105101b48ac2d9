// The metrics that the guides describe: in the catalogue's words.
#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "tests/docs/page.h"
#include "vaeguard/base/file.h"
#include "vaeguard/metrics/catalogue.h"

namespace vaeguard::docs {
namespace {

// A bar in a cell of a table is escaped.
std::string without_escapes(const std::string& cell) { return std::regex_replace(cell, std::regex(R"(\\\|)"), "|"); }

TEST(DocumentedMetrics, AreDescribedInTheCataloguesWords) {
  static const std::regex kRow(R"(^\| `(\w+)` \| (.*) \|$)");
  int checked = 0;
  for (const Page& page : pages_to_follow()) {
    std::istringstream lines(read_file(page.file));
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
      inside = line == "| metric | what it is |" || (inside && line.starts_with("|"));
      std::smatch row;
      if (inside && std::regex_match(line, row, kRow)) {
        EXPECT_EQ(without_escapes(row[2]), metrics::catalogue().find(row[1].str()).description) << page.file;
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 5);
}

}  // namespace
}  // namespace vaeguard::docs
