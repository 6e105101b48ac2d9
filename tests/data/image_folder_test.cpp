// Folders of pictures as data sets: parts, classes, order, errors.
#include "vaeguard/data/image_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "tests/data/pictures.h"
#include "tests/expect_misuse.h"

namespace vaeguard::data {
namespace {

using testing::ElementsAre;

/// Pictures 0 .. count - 1 of one class, told apart by their level.
void write_class(const std::filesystem::path& folder, int count, int first_level) {
  for (int i = 0; i < count; ++i) {
    write_picture(folder / fmt::format("{:03}.png", i), flat(4, 4, 1, static_cast<std::uint8_t>(first_level + i)));
  }
}

ImageFolderOptions small(const std::filesystem::path& folder) {
  return {.name = "tiles", .folder = folder, .shape = {1, 2, 2}};
}

std::multiset<int> levels(const Images& images) {
  std::multiset<int> result;
  for (std::int64_t i = 0; i < images.pixels.rows(); ++i) {
    result.insert(static_cast<int>(std::lround(images.pixels(i, 0) * 255.0F)));
  }
  return result;
}

TEST(ImageFolder, SplitsEveryClassIntoPartsThatShareNoPicture) {
  const auto folder = fresh_pictures("classes");
  write_class(folder / "cats", 20, 0);
  write_class(folder / "dogs", 10, 100);
  const Dataset dataset = load_image_folder(small(folder));
  EXPECT_EQ(dataset.name, "tiles");
  EXPECT_EQ(dataset.classes, 2);
  EXPECT_EQ(dataset.train.labels.size(), 14U + 7U);
  EXPECT_EQ(dataset.validation.labels.size(), 2U + 1U);
  EXPECT_EQ(dataset.test.labels.size(), 4U + 2U);
  std::multiset<int> all = levels(dataset.train);
  all.merge(levels(dataset.validation));
  all.merge(levels(dataset.test));
  EXPECT_EQ(all.size(), 30U);
  EXPECT_EQ(std::set<int>(all.begin(), all.end()).size(), 30U);
  for (std::size_t i = 0; i < dataset.test.labels.size(); ++i) {
    EXPECT_EQ(dataset.test.labels[i], dataset.test.pixels(static_cast<std::int64_t>(i), 0) < 0.3F ? 0 : 1);
  }
}

TEST(ImageFolder, GivesTheSameForAnyNumberOfThreadsAndAnotherDigestForOtherPictures) {
  const auto folder = fresh_pictures("threads");
  write_class(folder / "a", 80, 0);
  write_class(folder / "b", 80, 100);
  auto options = small(folder);
  const Dataset one = load_image_folder(options);
  options.threads = 3;
  const Dataset three = load_image_folder(options);
  EXPECT_EQ(one.train.pixels, three.train.pixels);
  EXPECT_EQ(one.digest, three.digest);
  write_picture(folder / "a" / "000.png", flat(4, 4, 1, 99));
  EXPECT_NE(load_image_folder(options).digest, one.digest);
}

TEST(ImageFolder, KeepsThePartsThatTheFolderNames) {
  const auto folder = fresh_pictures("parts");
  write_class(folder / "train" / "a", 3, 0);
  write_class(folder / "train" / "b", 2, 50);
  write_class(folder / "val" / "a", 1, 100);
  write_class(folder / "val" / "b", 1, 150);
  write_class(folder / "test" / "a", 1, 200);
  write_class(folder / "test" / "b", 2, 250);
  const Dataset dataset = load_image_folder(small(folder));
  EXPECT_THAT(dataset.train.labels, ElementsAre(0, 0, 0, 1, 1));
  EXPECT_THAT(levels(dataset.validation), ElementsAre(100, 150));
  EXPECT_THAT(levels(dataset.test), ElementsAre(200, 250, 251));
}

TEST(ImageFolder, TakesTheFirstPicturesOfEachPartWhereFewAreAsked) {
  const auto folder = fresh_pictures("most");
  write_class(folder / "a", 10, 0);
  write_class(folder / "b", 10, 100);
  auto options = small(folder);
  options.most = 2;
  EXPECT_EQ(load_image_folder(options).train.labels.size(), 2U);
}

TEST(ImageFolder, TakesPicturesWithoutClasses) {
  const auto folder = fresh_pictures("unlabelled");
  write_class(folder, 20, 0);
  const Dataset dataset = load_image_folder(small(folder));
  EXPECT_FALSE(dataset.labelled());
  EXPECT_TRUE(dataset.train.labels.empty());
  EXPECT_EQ(dataset.train.pixels.rows(), 14);
  EXPECT_EQ(dataset.validation.pixels.rows(), 2);
  EXPECT_EQ(dataset.test.pixels.rows(), 4);
}

TEST(ImageFolder, TakesPartsWithoutClasses) {
  const auto folder = fresh_pictures("unlabelled-parts");
  write_class(folder / "train", 3, 0);
  write_class(folder / "val", 2, 50);
  write_class(folder / "test", 1, 100);
  const Dataset dataset = load_image_folder(small(folder));
  EXPECT_FALSE(dataset.labelled());
  EXPECT_THAT(levels(dataset.validation), ElementsAre(50, 51));
}

TEST(ImageFolder, ASingleClassIsNoLabel) {
  const auto folder = fresh_pictures("one-class");
  write_class(folder / "all", 10, 0);
  const Dataset dataset = load_image_folder(small(folder));
  EXPECT_FALSE(dataset.labelled());
  EXPECT_TRUE(dataset.test.labels.empty());
  EXPECT_EQ(dataset.test.pixels.rows(), 2);
}

TEST(ImageFolder, KeepsShapesThatAreNotSquare) {
  const auto folder = fresh_pictures("wide");
  for (int i = 0; i < 10; ++i) {
    Levels left_half_white = flat(10, 6, 1, 0);
    for (std::size_t at = 0; at < left_half_white.values.size(); ++at) {
      left_half_white.values[at] = at % 10 < 5 ? 255 : 0;
    }
    write_picture(folder / fmt::format("{}.png", i), left_half_white);
  }
  auto options = small(folder);
  options.shape = {1, 3, 5};
  const Dataset dataset = load_image_folder(options);
  EXPECT_EQ(dataset.shape, (ImageShape{1, 3, 5}));
  for (std::int64_t row = 0; row < 3; ++row) {
    EXPECT_NEAR(dataset.train.pixels(0, row * 5), 1.0F, 1e-6);
    EXPECT_NEAR(dataset.train.pixels(0, row * 5 + 4), 0.0F, 1e-6);
  }
}

TEST(ImageFolder, NamesWhatIsWrong) {
  const auto folder = fresh_pictures("wrong");
  const auto load = [&] { static_cast<void>(load_image_folder(small(folder))); };
  expect_misuse(load, {"must hold PNG or JPEG files, or a folder for each class", "found none"});
  create_directories(folder / "a");
  expect_misuse(load, {"wrong/a must hold PNG or JPEG files, found none"});
  write_class(folder / "a", 2, 0);
  expect_misuse(load, {"must have more than 2 pictures to be split, got 2"});
  write_class(folder / "a", 5, 0);
  std::ofstream(folder / "a" / "009.png") << "no picture";
  expect_misuse(load, {"009.png must be a PNG or JPEG picture"});
  write_class(folder, 1, 0);
  expect_misuse(load, {"found 1 pictures beside a"});
  write_class(folder / "train" / "a", 1, 0);
  expect_misuse(load, {"wrong/validation must have the 1 classes of"});
  write_class(folder / "validation", 1, 0);
  expect_misuse(load, {"wrong/validation must have the 1 classes of"});
  expect_misuse([] { load_image_folder(small("/nowhere")); }, {"/nowhere must be a folder"});
  expect_misuse([] { validate({.shape = {2, 4, 4}}); }, {"channels must be 1 or 3, got 2"});
  expect_misuse([] { validate({.validation = 0.5, .test = 0.5}); }, {"validation and test must be shares"});
}

}  // namespace
}  // namespace vaeguard::data
