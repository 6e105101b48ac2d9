// The safetensors container: round trips, the format's rules, and files damaged in every place.
#include "vaeguard/models/safetensors.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>

#include "tests/temporary_folder.h"
#include "vaeguard/base/error.h"

namespace {
int syncs = 0;
}

// Stands in for the C library's, so that a test can see whether bytes were sent to the disk.
extern "C" int fsync(int descriptor) {
  ++syncs;
  return static_cast<int>(syscall(SYS_fsync, descriptor));
}

namespace vaeguard::models {
namespace {

Safetensors example() {
  Safetensors file;
  file.metadata = {{"format", "example"}, {"note", "quotes \" and \u00e9"}};
  file.tensors["b.matrix"] = Tensor::of({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
  file.tensors["a.scalar"] = Tensor::of({}, std::vector<double>{0.25});
  file.tensors["c.empty"] = Tensor::of({0, 4}, std::vector<float>{});
  return file;
}

std::vector<std::byte> container(std::string_view header, std::size_t data_bytes) {
  std::vector<std::byte> bytes(8 + header.size() + data_bytes);
  const std::uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, 8);
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  return bytes;
}

std::string message_of(std::string_view header, std::size_t data_bytes) {
  try {
    parse_safetensors(container(header, data_bytes), "some.file");
  } catch (const Misuse& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Safetensors, ParsesWhatItSerialised) {
  EXPECT_EQ(parse_safetensors(serialise_safetensors(example()), "memory"), example());
}

TEST(Safetensors, SavesAndLoadsAFileAndLeavesNoTemporary) {
  const TemporaryFolder folder;
  save_safetensors(example(), folder.path() / "a.safetensors");
  save_safetensors(example(), folder.path() / "a.safetensors");
  EXPECT_EQ(load_safetensors(folder.path() / "a.safetensors"), example());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

// Otherwise a power failure soon after the rename leaves an empty file under the old one's name.
TEST(Safetensors, BytesReachTheDiskBeforeTheFileGetsItsName) {
  const TemporaryFolder folder;
  syncs = 0;
  save_safetensors(example(), folder.path() / "a.safetensors");
  EXPECT_EQ(syncs, 1);
}

TEST(Safetensors, DataBeginsAtAMultipleOfEightBytes) {
  const std::vector<std::byte> bytes = serialise_safetensors(example());
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ(length % 8, 0U);
}

TEST(Safetensors, RefusesEveryTruncation) {
  const std::vector<std::byte> bytes = serialise_safetensors(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(parse_safetensors(std::span(bytes).first(size), "cut"), Misuse) << size;
  }
}

TEST(Safetensors, SurvivesEveryChangedByte) {
  const std::vector<std::byte> whole = serialise_safetensors(example());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int value : {0x00, 0x22, 0x39, 0x7b, 0xff}) {
      std::vector<std::byte> bytes = whole;
      bytes[at] = static_cast<std::byte>(value);
      try {
        parse_safetensors(bytes, "changed");
      } catch (const Misuse&) {
        continue;
      }
    }
  }
}

TEST(Safetensors, MessagesNameFileTensorExpectationAndFinding) {
  EXPECT_EQ(message_of(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4),
            "[some.file] tensor 'x': F32 of shape [2] takes 8 bytes, found 4");
  EXPECT_EQ(message_of(R"({"x":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", 8),
            "[some.file] tensor 'x': 'dtype' must be one of the format's types (F32, F64, I64, ...), found 'F33'");
  EXPECT_EQ(message_of(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 7),
            "[some.file] tensor 'x': 'data_offsets' must be [begin, end] within 7 bytes of data, found [0, 8]");
}

TEST(Safetensors, RefusesWhatTheFormatForbids) {
  const auto refused = [](std::string_view header, std::size_t bytes) {
    EXPECT_THAT(message_of(header, bytes), testing::StartsWith("[some.file] ")) << header;
  };
  refused("", 0);
  refused("[]", 0);
  refused("{", 0);
  refused(R"({"__metadata__":{"a":1}})", 0);
  refused(R"({"__metadata__":[]})", 0);
  refused(R"({"x":3})", 0);
  refused(R"({"x":{"dtype":"F32","shape":[1]}})", 4);
  refused(R"({"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4);
  refused(R"({"x":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4);
  refused(R"({"x":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", 4);
  refused(R"({"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0);
  refused(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4);
  refused(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8);  // bytes that belong to nobody
  refused(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8);  // a gap before it
  refused(
      R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
      4);  // an overlap
  refused(
      R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
      4);  // one name twice
  refused(R"({"x":{"dtype":"F32","shape":[[[[1]]]],"data_offsets":[0,4]}})", 4);
}

TEST(Safetensors, ReadingATensorChecksTypeAndShape) {
  const Safetensors file = example();
  EXPECT_THAT(file.floats("b.matrix", std::array<std::int64_t, 2>{2, 3}, "f"), testing::ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(file.doubles("a.scalar", {}, "f"), testing::ElementsAre(0.25));
  EXPECT_THROW(file.floats("b.matrix", std::array<std::int64_t, 2>{3, 2}, "f"), Misuse);
  EXPECT_THROW(file.doubles("b.matrix", std::array<std::int64_t, 2>{2, 3}, "f"), Misuse);
  EXPECT_THROW(file.floats("nothing", {}, "f"), Misuse);
  EXPECT_THROW((void)file.text("nothing", "f"), Misuse);
}

TEST(Safetensors, AMissingFileIsMisuseAndAnUnwritablePlaceAFailure) {
  EXPECT_THROW(load_safetensors("/nonexistent/a.safetensors"), Misuse);
  EXPECT_THROW(save_safetensors(example(), "/proc/nowhere/a.safetensors"), Failure);
}

}  // namespace
}  // namespace vaeguard::models
