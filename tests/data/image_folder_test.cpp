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

TEST(ClassFolders, SplitsEveryClassIntoPartsThatShareNoPicture) {
  const auto folder = fresh_pictures("classes");
  write_class(folder / "cats", 20, 0);
  write_class(folder / "dogs", 10, 100);
  const Dataset dataset = load_class_folders(small(folder));
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

TEST(ClassFolders, GivesTheSameForAnyNumberOfThreadsAndAnotherDigestForOtherPictures) {
  const auto folder = fresh_pictures("threads");
  write_class(folder / "a", 80, 0);
  write_class(folder / "b", 80, 100);
  auto options = small(folder);
  const Dataset one = load_class_folders(options);
  options.threads = 3;
  const Dataset three = load_class_folders(options);
  EXPECT_EQ(one.train.pixels, three.train.pixels);
  EXPECT_EQ(one.digest, three.digest);
  write_picture(folder / "a" / "000.png", flat(4, 4, 1, 99));
  EXPECT_NE(load_class_folders(options).digest, one.digest);
}

TEST(ClassFolders, KeepsThePartsThatTheFolderNames) {
  const auto folder = fresh_pictures("parts");
  write_class(folder / "train" / "a", 3, 0);
  write_class(folder / "train" / "b", 2, 50);
  write_class(folder / "val" / "a", 1, 100);
  write_class(folder / "val" / "b", 1, 150);
  write_class(folder / "test" / "a", 1, 200);
  write_class(folder / "test" / "b", 2, 250);
  const Dataset dataset = load_class_folders(small(folder));
  EXPECT_THAT(dataset.train.labels, ElementsAre(0, 0, 0, 1, 1));
  EXPECT_THAT(levels(dataset.validation), ElementsAre(100, 150));
  EXPECT_THAT(levels(dataset.test), ElementsAre(200, 250, 251));
}

TEST(ClassFolders, TakesTheFirstPicturesOfEachPartWhereFewAreAsked) {
  const auto folder = fresh_pictures("most");
  write_class(folder / "a", 10, 0);
  write_class(folder / "b", 10, 100);
  auto options = small(folder);
  options.most = 2;
  EXPECT_EQ(load_class_folders(options).train.labels.size(), 2U);
}

TEST(ClassFolders, NamesWhatIsWrong) {
  const auto folder = fresh_pictures("wrong");
  const auto load = [&] { static_cast<void>(load_class_folders(small(folder))); };
  expect_misuse(load, {"must hold a folder for each class, or for each of train, validation and test, found none"});
  create_directories(folder / "a");
  expect_misuse(load, {"wrong/a must hold PNG or JPEG files, found none"});
  write_class(folder / "a", 2, 0);
  expect_misuse(load, {"must have more than 2 pictures to be split, got 2"});
  write_class(folder / "a", 5, 0);
  std::ofstream(folder / "a" / "009.png") << "no picture";
  expect_misuse(load, {"009.png must be a PNG or JPEG picture"});
  write_class(folder / "train" / "a", 1, 0);
  expect_misuse(load, {"wrong/validation must have the 1 classes of"});
  expect_misuse([] { load_class_folders(small("/nowhere")); }, {"/nowhere must be a folder"});
  expect_misuse([] { validate({.shape = {2, 4, 4}}); }, {"channels must be 1 or 3, got 2"});
  expect_misuse([] { validate({.validation = 0.5, .test = 0.5}); }, {"validation and test must be shares"});
}

}  // namespace
}  // namespace vaeguard::data
