// What the guide says of operations and versions is what the importer knows.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "vaeguard/base/file.h"
#include "vaeguard/importers/onnx_import.h"

namespace vaeguard::importers {
namespace {

TEST(ImportGuide, ListsTheOperationsThatCanBeImported) {
  const std::string guide = read_file(VAEGUARD_SOURCE_DIR "/docs/guide/bring-your-own-model.md");
  const auto first = guide.find("`Add`, ");
  const auto last = guide.find(", in the versions", first);
  ASSERT_NE(last, std::string::npos);
  std::string listed = guide.substr(first, last - first);
  std::ranges::replace(listed, '\n', ' ');
  std::string known;
  for (const std::string& operation : importable_operations()) {
    known += (known.empty() ? "`" : ", `") + operation + "`";
  }
  EXPECT_EQ(listed, known);
  EXPECT_THAT(guide, testing::HasSubstr(fmt::format("(opsets) {} to {}", kOldestOpset, kNewestOpset)));
}

}  // namespace
}  // namespace vaeguard::importers
