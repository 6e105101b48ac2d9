// The IDX container: round trips, and one clear error for each way in which a file can be wrong.
#include "vaeguard/data/idx_file.h"

#include <numeric>

#include "tests/data/write_idx.h"
#include "tests/expect_misuse.h"
#include "tests/temporary_folder.h"
#include "vaeguard/base/file.h"
#include "vaeguard/data/gzip.h"

namespace vaeguard::data {
namespace {

IdxArray pictures() {
  IdxArray array{{2, 3, 4}, std::vector<std::uint8_t>(24)};
  std::iota(array.values.begin(), array.values.end(), std::uint8_t{231});
  return array;
}

IdxArray classes_of(std::vector<std::uint8_t> labels) {
  return {{static_cast<std::int64_t>(labels.size())}, std::move(labels)};
}

// A file with this header word and these sizes, and `count` values.
std::string file_of(std::uint32_t magic, const std::vector<std::uint32_t>& sizes, std::size_t count) {
  std::string bytes;
  const auto append = [&](std::uint32_t word) {
    for (const int shift : {24, 16, 8, 0}) {
      bytes.push_back(static_cast<char>(word >> shift));
    }
  };
  append(magic);
  for (const std::uint32_t size : sizes) {
    append(size);
  }
  return bytes + std::string(count, 'v');
}

TEST(IdxFile, LayoutIsBigEndian) {
  EXPECT_EQ(encode_idx(classes_of({7, 9})), std::string("\0\0\x08\x01\0\0\0\x02\x07\x09", 10));
}

TEST(IdxFile, ReadsBackWhatWasEncoded) {
  EXPECT_EQ(parse_idx(encode_idx(pictures()), "file", 3), pictures());
  EXPECT_EQ(parse_idx(encode_idx(classes_of({1, 2, 3})), "file", 1), classes_of({1, 2, 3}));
}

TEST(IdxFile, ReadsPlainAndCompressedFiles) {
  const TemporaryFolder folder;
  for (const char* name : {"images", "images.gz"}) {
    write_idx(folder.path() / name, pictures());
    EXPECT_EQ(read_idx(folder.path() / name, 3), pictures());
  }
  EXPECT_FALSE(is_gzip(read_file(folder.path() / "images")));
  EXPECT_TRUE(is_gzip(read_file(folder.path() / "images.gz")));
}

TEST(IdxFile, CompressionIsFoundByContentNotByName) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "images", gzip(encode_idx(pictures())));
  EXPECT_EQ(read_idx(folder.path() / "images", 3), pictures());
}

TEST(IdxFile, RefusesAWrongMagicNumber) {
  expect_misuse(
      [] {
        parse_idx(file_of(0x00000803, {1, 1, 1}, 1), "labels-file", 1);
      },
      {"labels-file", "0x00000801", "found 0x00000803"});
  expect_misuse([] { parse_idx(file_of(0x00000D03, {1, 1, 1}, 4), "floats", 3); }, {"floats", "found 0x00000d03"});
  expect_misuse([] { parse_idx("plain text, not IDX", "notes.txt", 1); }, {"notes.txt", "0x00000801"});
}

TEST(IdxFile, RefusesEveryTruncation) {
  const std::string bytes = encode_idx(pictures());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    expect_misuse([&] { parse_idx(bytes.substr(0, length), "short-file", 3); }, {"short-file is truncated"});
  }
  expect_misuse([&] { parse_idx(bytes.substr(0, 30), "short-file", 3); }, {"24 values", "found 14"});
}

TEST(IdxFile, RefusesTrailingBytes) {
  expect_misuse([] { parse_idx(encode_idx(pictures()) + "more", "long-file", 3); },
                {"long-file has trailing bytes", "24 values", "found 28"});
}

TEST(IdxFile, RefusesImpossibleSizes) {
  expect_misuse([] { parse_idx(file_of(0x00000803, {2, 0, 4}, 0), "file", 3); }, {"dimension 1", "found 0"});
  // The product of these sizes is 2^64: it must not wrap around to nothing.
  expect_misuse(
      [] {
        parse_idx(file_of(0x00000804, {65536, 65536, 65536, 65536}, 0), "file", 4);
      },
      {"file", "impossible size"});
  expect_misuse([] { parse_idx(file_of(0x00000803, {0xFFFFFFFF, 0xFFFFFFFF, 2}, 8), "file", 3); }, {"impossible size"});
}

TEST(IdxFile, RefusesDamagedCompression) {
  const std::string whole = gzip(encode_idx(pictures()));
  for (std::size_t length = 2; length < whole.size(); ++length) {
    expect_misuse([&] { parse_idx(whole.substr(0, length), "file.gz", 3); }, {"file.gz is truncated"});
  }
  std::string damaged = whole;
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1);  // in the checksum
  expect_misuse([&] { parse_idx(damaged, "file.gz", 3); }, {"file.gz", "damage"});
  expect_misuse([&] { parse_idx(whole + "more", "file.gz", 3); }, {"file.gz", "damage"});
}

TEST(IdxFile, CompressionWithinCompressionIsNoWayToDig) {
  std::string bytes = encode_idx(pictures());
  for (int i = 0; i < 3; ++i) {
    bytes = gzip(bytes);
  }
  expect_misuse([&] { parse_idx(bytes, "file.gz", 3); }, {"file.gz", "magic number"});
}

TEST(Gzip, JoinsFilesThatFollowEachOther) {
  EXPECT_EQ(gunzip(gzip("one ") + gzip("two"), "file"), "one two");
  EXPECT_EQ(gunzip(gzip(""), "file"), "");
}

TEST(Gzip, GivesBackLongContent) {
  std::string content(3'000'000, 'a');
  for (std::size_t i = 0; i < content.size(); i += 7) {
    content[i] = static_cast<char>(i * i >> 3U);
  }
  EXPECT_EQ(gunzip(gzip(content), "file"), content);
}

TEST(IdxFile, RefusesToWriteWhatDisagrees) {
  expect_misuse([] { encode_idx({{2, 2}, {1, 2, 3}}); }, {"4 values", "got 3"});
  expect_misuse([] { encode_idx({{}, {}}); }, {"1 to 4 dimensions", "got 0"});
  expect_misuse([] { encode_idx({{-1}, {}}); }, {"got -1"});
}

TEST(SelectImages, ScalesPixelsAndKeepsLabels) {
  const std::vector<std::int64_t> last_and_first = {1, 0};
  const Images images = select_images(pictures(), classes_of({4, 8}), 10, last_and_first, "file");
  EXPECT_EQ(images.pixels.rows(), 2);
  EXPECT_EQ(images.pixels.columns(), 12);
  EXPECT_EQ(images.pixels(1, 0), 231.0F / 255.0F);
  EXPECT_EQ(images.pixels(1, 11), 242.0F / 255.0F);
  EXPECT_EQ(images.pixels(0, 0), 243.0F / 255.0F);
  EXPECT_THAT(images.labels, testing::ElementsAre(8, 4));
}

TEST(SelectImages, RefusesCountsThatDisagree) {
  expect_misuse(
      [] {
        select_images(pictures(), classes_of({4, 8, 1}), 10, {}, "folder");
      },
      {"folder", "2 images and 3 labels"});
}

TEST(SelectImages, RefusesLabelsOfNoClass) {
  expect_misuse(
      [] {
        select_images(pictures(), classes_of({4, 10}), 10, {}, "folder");
      },
      {"folder", "below 10", "found 10 at image 1"});
}

TEST(SelectImages, RefusesImagesOutside) {
  const std::vector<std::int64_t> outside = {2};
  expect_misuse([&] { select_images(pictures(), classes_of({4, 5}), 10, outside, "folder"); }, {"image 2", "2 images"});
}

}  // namespace
}  // namespace vaeguard::data
