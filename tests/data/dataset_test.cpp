// Every registered data set, MNIST's digests, the synthetic set and where data sets are sought.
#include "vaeguard/data/dataset.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "tests/data/write_idx.h"
#include "tests/expect_misuse.h"
#include "tests/temporary_folder.h"
#include "vaeguard/base/file.h"
#include "vaeguard/data/checksum.h"
#include "vaeguard/data/data_folder.h"
#include "vaeguard/data/fashion_mnist.h"
#include "vaeguard/data/idx_dataset.h"
#include "vaeguard/data/idx_file.h"
#include "vaeguard/data/mnist.h"
#include "vaeguard/data/registry.h"
#include "vaeguard/data/synthetic.h"

namespace vaeguard::data {
namespace {

constexpr SyntheticOptions kSmall{.train = 60, .validation = 20, .test = 30};

void expect_lawful(const Images& images, const Dataset& dataset) {
  EXPECT_GT(images.pixels.rows(), 0);
  EXPECT_EQ(images.pixels.columns(), dataset.shape.size());
  EXPECT_EQ(images.pixels.rows(), static_cast<std::int64_t>(images.labels.size()));
  EXPECT_TRUE(std::ranges::all_of(images.pixels.values(), [](float value) { return value >= 0.0F && value <= 1.0F; }));
  EXPECT_TRUE(std::ranges::all_of(images.labels, [&](std::int64_t y) { return y >= 0 && y < dataset.classes; }));
  EXPECT_EQ(static_cast<std::int64_t>(std::set(images.labels.begin(), images.labels.end()).size()), dataset.classes);
}

class RegisteredDataset : public testing::TestWithParam<std::string> {};

TEST_P(RegisteredDataset, ObeysItsInterface) {
  const auto folder = data_folder();
  if (!std::filesystem::exists(folder / datasets().find(GetParam()).folder)) {
    GTEST_SKIP() << GetParam() << " is not in " << folder;
  }
  const Dataset dataset = load_dataset(GetParam(), folder);
  EXPECT_EQ(dataset.name, GetParam());
  EXPECT_EQ(dataset.digest.size(), 64U);
  EXPECT_FALSE(datasets().find(GetParam()).description.empty());
  expect_lawful(dataset.train, dataset);
  expect_lawful(dataset.validation, dataset);
  expect_lawful(dataset.test, dataset);
}

INSTANTIATE_TEST_SUITE_P(All, RegisteredDataset, testing::ValuesIn(datasets().names()),
                         [](const auto& one) { return one.param; });

TEST(Registry, SuggestsTheNearestName) {
  expect_misuse([] { load_dataset("mnits", "/"); }, {"unknown dataset 'mnits'", "did you mean 'mnist'?", "synthetic"});
}

TEST(Mnist, HasThePublishedSizes) {
  const auto folder = data_folder() / "mnist";
  if (!std::filesystem::exists(folder)) {
    GTEST_SKIP() << "MNIST is not in " << folder;
  }
  const Dataset mnist = load_mnist(folder);
  EXPECT_EQ(mnist.train.pixels.rows(), 55'000);
  EXPECT_EQ(mnist.validation.pixels.rows(), 5'000);
  EXPECT_EQ(mnist.test.pixels.rows(), 10'000);
  EXPECT_EQ(mnist.shape, (ImageShape{1, 28, 28}));
  // The test file begins 7 2 1 0 4 1 4 9.
  EXPECT_EQ(std::vector(mnist.test.labels.begin(), mnist.test.labels.begin() + 8),
            (std::vector<std::int64_t>{7, 2, 1, 0, 4, 1, 4, 9}));
}

TEST(Mnist, SaysWhatIsMissingAndHowToGetIt) {
  const TemporaryFolder folder;
  expect_misuse([&] { load_mnist(folder.path() / "mnist"); },
                {(folder.path() / "mnist").string(), "train-images-idx3-ubyte", "tools/get-data"});
  write_synthetic_idx(folder.path(), kSmall, Key(1));
  std::filesystem::remove(folder.path() / kIdxFileNames[3]);
  expect_misuse([&] { load_mnist(folder.path()); }, {"missing: t10k-labels-idx1-ubyte."});
}

TEST(Mnist, RefusesFilesWithAnotherDigest) {
  const TemporaryFolder folder;
  write_synthetic_idx(folder.path(), kSmall, Key(1));
  expect_misuse([&] { load_mnist(folder.path()); },
                {"train-images-idx3-ubyte", "MD5 digest 6bbc9ace898e44ae57da46a324031adb",
                 "found " + md5(read_file(folder.path() / kIdxFileNames[0]))});
}

TEST(Mnist, KeepsItsValidationImages) {
  // Trained models rely on it: the first images of the training file that are put aside.
  const auto folder = data_folder() / "mnist";
  if (!std::filesystem::exists(folder)) {
    GTEST_SKIP() << "MNIST is not in " << folder;
  }
  const Dataset mnist = load_mnist(folder);
  EXPECT_EQ(std::vector(mnist.validation.labels.begin(), mnist.validation.labels.begin() + 12),
            (std::vector<std::int64_t>{1, 1, 4, 8, 6, 7, 0, 1, 3, 2, 0, 2}));
}

TEST(FashionMnist, HasThePublishedSizes) {
  if (!std::filesystem::exists(kFashionMnistPackageFolder)) {
    GTEST_SKIP() << "Fashion-MNIST is not in " << kFashionMnistPackageFolder;
  }
  const Dataset fashion = load_fashion_mnist("/nowhere");
  EXPECT_EQ(fashion.name, "fashion_mnist");
  EXPECT_EQ(fashion.train.pixels.rows(), 55'000);
  EXPECT_EQ(fashion.validation.pixels.rows(), 5'000);
  EXPECT_EQ(fashion.test.pixels.rows(), 10'000);
  // The test file begins with an ankle boot, a pullover and two trousers.
  EXPECT_EQ(std::vector(fashion.test.labels.begin(), fashion.test.labels.begin() + 4),
            (std::vector<std::int64_t>{9, 2, 1, 1}));
}

TEST(FashionMnist, RefusesTheFilesOfAnotherSet) {
  const TemporaryFolder folder;
  write_synthetic_idx(folder.path(), kSmall, Key(1));
  expect_misuse([&] { load_fashion_mnist(folder.path()); },
                {"train-images-idx3-ubyte", "MD5 digest f4a8712d7a061bf5bd6d2ca38dc4d50a", "get-data fashion_mnist"});
}

TEST(Synthetic, HasTheSizesAskedFor) {
  const Dataset dataset = synthetic({.train = 60, .validation = 20, .test = 30, .side = 16}, Key(1));
  EXPECT_EQ(dataset.train.pixels.rows(), 60);
  EXPECT_EQ(dataset.validation.pixels.rows(), 20);
  EXPECT_EQ(dataset.test.pixels.rows(), 30);
  EXPECT_EQ(dataset.shape, (ImageShape{1, 16, 16}));
}

TEST(Synthetic, DependsOnTheKeyAlone) {
  EXPECT_EQ(synthetic(kSmall, Key(1)).digest, synthetic(kSmall, Key(1)).digest);
  EXPECT_NE(synthetic(kSmall, Key(1)).digest, synthetic(kSmall, Key(2)).digest);
}

TEST(Synthetic, BytesAreTheSameOnEveryMachine) {
  EXPECT_EQ(synthetic(kSmall, Key(1)).digest, "e5adf6dffc665e41a2a2a13a88ffb91cccf107a99b05f4d00b6c432b652763a4");
}

TEST(Synthetic, FilesGiveTheSameImages) {
  const TemporaryFolder folder;
  write_synthetic_idx(folder.path(), kSmall, Key(1));
  const Dataset read = read_synthetic_idx(folder.path(), kSmall, Key(1));
  const Dataset drawn = synthetic(kSmall, Key(1));
  EXPECT_EQ(read.digest, drawn.digest);
  EXPECT_EQ(read.train.pixels, drawn.train.pixels);
  EXPECT_EQ(read.validation.labels, drawn.validation.labels);
  EXPECT_EQ(read.test.pixels, drawn.test.pixels);
}

TEST(Synthetic, CompressedFilesGiveTheSameImages) {
  const TemporaryFolder folder;
  write_synthetic_idx(folder.path(), kSmall, Key(1));
  const auto plain = folder.path() / kIdxFileNames[0];
  write_idx(plain.string() + ".gz", read_idx(plain, 3));
  std::filesystem::remove(plain);
  EXPECT_EQ(read_synthetic_idx(folder.path(), kSmall, Key(1)).digest, synthetic(kSmall, Key(1)).digest);
}

TEST(Synthetic, ImagesOfOneClassAreAlikeButNotEqual) {
  const Dataset dataset = synthetic(kSmall, Key(1));
  const auto distance = [&](std::int64_t i, std::int64_t j) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < dataset.shape.size(); ++k) {
      sum += std::abs(dataset.train.pixels(i, k) - dataset.train.pixels(j, k));
    }
    return sum;
  };
  double within = 0.0;
  double across = 0.0;
  int pairs_within = 0;
  int pairs_across = 0;
  for (std::int64_t i = 0; i < dataset.train.pixels.rows(); ++i) {
    for (std::int64_t j = 0; j < i; ++j) {
      const bool same =
          dataset.train.labels[static_cast<std::size_t>(i)] == dataset.train.labels[static_cast<std::size_t>(j)];
      EXPECT_GT(distance(i, j), 0.0);
      (same ? within : across) += distance(i, j);
      ++(same ? pairs_within : pairs_across);
    }
  }
  EXPECT_LT(within / pairs_within, 0.9 * across / pairs_across);
}

TEST(Synthetic, RefusesImpossibleOptions) {
  expect_misuse([] { synthetic({.train = 0}, Key(1)); }, {"at least 1", "got 0"});
  expect_misuse([] { synthetic({.side = 4}, Key(1)); }, {"side must be 8 to 256", "got 4"});
}

TEST(IdxDataset, RefusesTestImagesOfAnotherSize) {
  const TemporaryFolder folder;
  write_synthetic_idx(folder.path(), kSmall, Key(1));
  write_idx(folder.path() / kIdxFileNames[2], {{1, 2, 2}, {1, 2, 3, 4}});
  expect_misuse([&] { read_synthetic_idx(folder.path(), kSmall, Key(1)); }, {"28 x 28", "got 2 x 2"});
}

TEST(Gather, CopiesPixelsAndLabelsTogether) {
  const Images images{Matrix(3, 2, {0.0F, 0.1F, 0.2F, 0.3F, 0.4F, 0.5F}), {7, 8, 9}};
  const std::vector<std::int64_t> indices = {2, 0};
  const Images chosen = gather(images, indices);
  EXPECT_EQ(chosen.pixels, Matrix(2, 2, {0.4F, 0.5F, 0.0F, 0.1F}));
  EXPECT_THAT(chosen.labels, testing::ElementsAre(9, 7));
  expect_misuse([&] { gather({Matrix(3, 2), {1}}, indices); }, {"got 3 and 1"});
  EXPECT_TRUE(gather({images.pixels, {}}, indices).labels.empty());
}

TEST(DataFolder, OptionWinsOverEnvironment) {
  const char* set = std::getenv("VAEGUARD_DATA");
  const std::string before = set == nullptr ? "" : set;
  ::setenv("VAEGUARD_DATA", "/from/environment", 1);
  EXPECT_EQ(data_folder("/from/option"), "/from/option");
  EXPECT_EQ(data_folder(), "/from/environment");
  before.empty() ? ::unsetenv("VAEGUARD_DATA") : ::setenv("VAEGUARD_DATA", before.c_str(), 1);
}

TEST(Checksum, GivesThePublishedDigests) {
  // RFC 1321 and FIPS 180-4.
  EXPECT_EQ(md5("abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(md5(""), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST(Checksum, FilesAndBytesAgree) {
  const TemporaryFolder folder;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1} << 20U, (std::size_t{1} << 20U) + 1}) {
    const std::string bytes(size, 'b');
    write_file_atomically(folder.path() / "file", bytes);
    EXPECT_EQ(sha256_of_file(folder.path() / "file"), sha256(bytes));
  }
  expect_misuse([&] { sha256_of_file(folder.path() / "none"); }, {"none"});
}

}  // namespace
}  // namespace vaeguard::data
