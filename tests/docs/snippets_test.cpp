// The snippets of README and the guides: plans are read, C++ stands in a test that compiles it, Python is Python.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/docs/page.h"
#include "tests/temporary_folder.h"
#include "vaeguard/base/file.h"
#include "vaeguard/plans/pair_plan.h"
#include "vaeguard/plans/plan.h"

namespace vaeguard::docs {
namespace {

namespace fs = std::filesystem;

std::vector<Block> blocks(std::string_view language) {
  std::vector<Block> found;
  for (const Page& page : pages_to_follow()) {
    for (const Block& block : page.blocks) {
      if (block.language == language) {
        found.push_back(block);
      }
    }
  }
  return found;
}

// A page may show a part: keys without a table are a defence's.
std::string whole_plan(const std::string& part) {
  const bool has_table = part.starts_with("[") || part.find("\n[") != std::string::npos;
  return has_table ? part : "[[defence]]\npreset = \"hmc\"\n" + part;
}

bool describes_model(const Block& block) { return block.marker.starts_with("model"); }

TEST(DocumentedSnippets, OfPlansAreRead) {
  int plans = 0;
  for (const Block& block : blocks("toml")) {
    if (!describes_model(block)) {
      EXPECT_NO_THROW((void)plans::parse_plan(whole_plan(block.text), block.place, VAEGUARD_SOURCE_DIR)) << block.text;
      ++plans;
    }
  }
  EXPECT_GT(plans, 5);
}

TEST(DocumentedSnippets, OfModelsAreRead) {
  int models = 0;
  for (const Block& block : blocks("toml")) {
    if (describes_model(block)) {
      EXPECT_NO_THROW((void)plans::parse_pair(block.text, block.place)) << block.text;
      ++models;
    }
  }
  EXPECT_GT(models, 1);
}

TEST(DocumentedSnippets, OfCodeStandInTestsThatCompileThem) {
  std::string skeletons;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(VAEGUARD_SOURCE_DIR) / "tests")) {
    if (entry.path().filename() == "skeleton_test.cpp") {
      skeletons += read_file(entry.path());
    }
  }
  const auto code = blocks("cpp");
  for (const Block& block : code) {
    EXPECT_NE(skeletons.find(block.text), std::string::npos)
        << block.place << ": no tests/*/skeleton_test.cpp has this code as it stands on the page";
  }
  EXPECT_GT(code.size(), 1U);
}

// Not run: what it imports is not among this project's packages.
TEST(DocumentedSnippets, OfPythonCompile) {
  const TemporaryFolder folder;
  for (const Block& block : blocks("python")) {
    const fs::path file = folder.path() / "snippet.py";
    std::ofstream(file) << block.text;
    EXPECT_EQ(std::system(("/usr/bin/python3 -m py_compile " + file.string()).c_str()), 0) << block.place;
  }
}

TEST(DocumentedSnippets, SayWhatLanguageTheyAreIn) {
  for (const Page& page : pages_to_follow()) {
    for (const Block& block : page.blocks) {
      const bool known = block.language == "sh" || block.language == "toml" || block.language == "cpp" ||
                         block.language == "python" || block.language == "cmake" || block.language.empty();
      EXPECT_TRUE(known) << block.place << ": nothing tests a block of " << block.language;
    }
  }
}

}  // namespace
}  // namespace vaeguard::docs
