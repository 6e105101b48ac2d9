// NumPy archives: round trips here and through NumPy, equal bytes, and clear errors for damage.
#include "vaeguard/base/npz.h"

#include <cstdlib>
#include <ctime>
#include <limits>
#include <span>

#include "tests/expect_misuse.h"
#include "tests/temporary_folder.h"
#include "vaeguard/base/file.h"
#include "vaeguard/base/random.h"

namespace vaeguard {
namespace {

NpzArrays example() {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return {{"x_adv", {{2, 3}, std::vector<float>{0.0F, -1.5F, 3.0e38F, 1.0e-45F, kInfinity, 0.1F}}},
          {"label", {{4}, std::vector<std::int64_t>{0, -1, INT64_MAX, INT64_MIN}}},
          {"none", {{0, 784}, std::vector<float>{}}},
          {"scalar", {{}, std::vector<float>{2.5F}}}};
}

NpzArrays parse(const std::string& bytes) { return parse_npz(std::as_bytes(std::span(bytes)), "file.npz"); }

bool numpy_runs(const std::string& code) {
  return std::system(("/usr/bin/python3 -c \"import numpy as np\n" + code + "\" > /dev/null 2>&1").c_str()) == 0;
}

TEST(Npz, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  write_npz(folder.path() / "file.npz", example());
  EXPECT_EQ(read_npz(folder.path() / "file.npz"), example());
}

TEST(Npz, FindsValuesByNameAndType) {
  const NpzArrays arrays = example();
  ASSERT_NE(find_values<float>(arrays, "scalar"), nullptr);
  EXPECT_EQ(*find_values<float>(arrays, "scalar"), std::vector<float>{2.5F});
  EXPECT_EQ(find_values<std::int64_t>(arrays, "label")->size(), 4);
  EXPECT_EQ(find_values<float>(arrays, "label"), nullptr);
  EXPECT_EQ(find_values<float>(arrays, "absent"), nullptr);
}

TEST(Npz, RefusesToWriteAnEmptyArchive) {
  const TemporaryFolder folder;
  expect_misuse([&] { write_npz(folder.path() / "file.npz", {}); }, {"file.npz", "at least one array"});
}

TEST(Npz, EqualArraysGiveEqualBytes) {
  const TemporaryFolder folder;
  write_npz(folder.path() / "one.npz", example());
  write_npz(folder.path() / "other.npz", example());
  EXPECT_EQ(read_file(folder.path() / "one.npz"), read_file(folder.path() / "other.npz"));
}

TEST(Npz, BytesDoNotDependOnTheTimeZone) {
  const TemporaryFolder folder;
  const char* zone = std::getenv("TZ");
  const std::string before = zone == nullptr ? "" : zone;
  for (const char* name : {"WEST10", "EAST-14"}) {
    ::setenv("TZ", name, 1);
    ::tzset();
    write_npz(folder.path() / (std::string(name, 4) + ".npz"), example());
  }
  before.empty() ? ::unsetenv("TZ") : ::setenv("TZ", before.c_str(), 1);
  ::tzset();
  EXPECT_EQ(read_file(folder.path() / "WEST.npz"), read_file(folder.path() / "EAST.npz"));
}

TEST(Npz, IsCompressed) {
  const TemporaryFolder folder;
  write_npz(folder.path() / "file.npz", {{"zeros", {{100, 1000}, std::vector<float>(100'000)}}});
  EXPECT_LT(std::filesystem::file_size(folder.path() / "file.npz"), 10'000U);
}

TEST(Npz, NumpyReadsWhatWeWrite) {
  if (!numpy_runs("")) {
    GTEST_SKIP() << "no NumPy here";
  }
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "file.npz").string();
  write_npz(file, example());
  EXPECT_TRUE(numpy_runs("a = np.load('" + file + R"(')
assert sorted(a) == ['label', 'none', 'scalar', 'x_adv']
assert a['x_adv'].dtype == np.float32 and a['label'].dtype == np.int64
assert a['none'].shape == (0, 784) and a['scalar'].shape == () and a['scalar'] == 2.5
assert (a['x_adv'] == np.array([[0, -1.5, 3e38], [1e-45, np.inf, 0.1]], np.float32)).all()
assert a['label'].tolist() == [0, -1, 2**63 - 1, -2**63]
)"));
}

TEST(Npz, ReadsWhatNumpyWrites) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "file.npz").string();
  if (!numpy_runs("np.savez('" + file + "', a=np.arange(6, dtype=np.int64).reshape(2, 3), b=np.float32([0.5]))")) {
    GTEST_SKIP() << "no NumPy here";
  }
  const NpzArrays expected = {{"a", {{2, 3}, std::vector<std::int64_t>{0, 1, 2, 3, 4, 5}}},
                              {"b", {{1}, std::vector<float>{0.5F}}}};
  EXPECT_EQ(read_npz(file), expected);
  ASSERT_TRUE(numpy_runs("np.savez_compressed('" + file + "', a=np.arange(6, dtype=np.int64).reshape(2, 3))"));
  EXPECT_EQ(read_npz(file).at("a"), expected.at("a"));
}

TEST(Npz, RefusesNumpyArraysOfOtherKinds) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "file.npz").string();
  if (!numpy_runs("np.savez('" + file + "', doubles=np.zeros(3))")) {
    GTEST_SKIP() << "no NumPy here";
  }
  expect_misuse([&] { read_npz(file); }, {file, "doubles", "'<f8'", "'<f4'"});
  ASSERT_TRUE(numpy_runs("np.savez('" + file + "', turned=np.zeros((2, 3), np.float32, order='F'))"));
  expect_misuse([&] { read_npz(file); }, {file, "turned", "Fortran"});
}

TEST(Npz, RefusesValuesThatDoNotFitTheShape) {
  const TemporaryFolder folder;
  expect_misuse(
      [&] {
        write_npz(folder.path() / "file.npz", {{"x", {{2, 2}, std::vector<float>(3)}}});
      },
      {"'x'", "4 values", "got 3"});
}

TEST(Npz, RefusesWhatIsNoArchive) {
  expect_misuse([] { parse(""); }, {"file.npz"});
  expect_misuse([] { parse("these bytes are no archive"); }, {"file.npz"});
  expect_misuse([] { read_npz("/no/such/file.npz"); }, {"/no/such/file.npz"});
}

TEST(Npz, RefusesEveryTruncation) {
  const TemporaryFolder folder;
  write_npz(folder.path() / "file.npz", example());
  const std::string bytes = read_file(folder.path() / "file.npz");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THROW(parse(bytes.substr(0, length)), Misuse) << "of " << length << " bytes";
  }
}

TEST(Npz, DamageIsRefusedOrWithoutEffectNeverACrash) {
  const TemporaryFolder folder;
  write_npz(folder.path() / "file.npz", example());
  const std::string bytes = read_file(folder.path() / "file.npz");
  int refused = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    try {
      parse(damaged);
    } catch (const Misuse&) {
      ++refused;
    }
  }
  // Times, attributes and unused fields may change freely; at least the compressed data is under a checksum.
  EXPECT_GT(refused, static_cast<int>(bytes.size()) / 3);
}

}  // namespace
}  // namespace vaeguard
