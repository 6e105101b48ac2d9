// Whole files: round trips, messages, atomic replacement and the cache folder.
#include "vaeguard/base/file.h"

#include <cstdlib>

#include "tests/expect_misuse.h"
#include "tests/temporary_folder.h"

namespace vaeguard {
namespace {

namespace fs = std::filesystem;

TEST(File, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "new" / "folders" / "file";
  for (const std::string& bytes : {std::string(), std::string("a\0b\n", 4), std::string(100'000, 'x')}) {
    write_file_atomically(path, bytes);
    EXPECT_EQ(read_file(path), bytes);
  }
}

TEST(File, WritingLeavesNothingElseBehind) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "file", "old");
  write_file_atomically(folder.path() / "file", "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(File, ReadsFilesWhoseSizeIsUnknown) { EXPECT_FALSE(read_file("/proc/self/status").empty()); }

TEST(File, NamesTheFileThatCannotBeRead) {
  const TemporaryFolder folder;
  expect_misuse([] { read_file("/no/such/file"); }, {"/no/such/file", "No such file"});
  expect_misuse([&] { read_file(folder.path()); }, {folder.path().string()});
}

TEST(File, NamesTheFileThatCannotBeWritten) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "taken");
  try {
    write_file_atomically(folder.path() / "taken", "bytes");
    FAIL() << "wrote over a folder";
  } catch (const Failure& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("taken"));
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(File, AFileIsNoFolder) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "file", "bytes");
  EXPECT_THROW(write_file_atomically(folder.path() / "file" / "below", "bytes"), Failure);
}

TEST(CacheFolder, IsWhereTheVariableSays) {
  ::setenv("VAEGUARD_TEST_FOLDER", "/elsewhere", 1);
  EXPECT_EQ(cache_folder("VAEGUARD_TEST_FOLDER", "things"), "/elsewhere");
  ::unsetenv("VAEGUARD_TEST_FOLDER");
}

TEST(CacheFolder, IsBelowHomeOtherwise) {
  const char* home = std::getenv("HOME");
  const std::string before = home == nullptr ? "" : home;
  ::setenv("HOME", "/home/someone", 1);
  EXPECT_EQ(cache_folder("VAEGUARD_TEST_FOLDER", "things"), "/home/someone/.cache/vaeguard/things");
  ::unsetenv("HOME");
  expect_misuse([] { cache_folder("VAEGUARD_TEST_FOLDER", "things"); }, {"set VAEGUARD_TEST_FOLDER", "things"});
  ::setenv("HOME", before.c_str(), 1);
}

}  // namespace
}  // namespace vaeguard
