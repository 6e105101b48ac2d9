// CelebA's layout: lists, parts, attribute, crop.
#include "vaeguard/data/celeba.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/data/pictures.h"
#include "tests/expect_misuse.h"

namespace vaeguard::data {
namespace {

using testing::ElementsAre;

/// Faces 000001.jpg .. of 89 x 109, black but for the box that the published crop takes.
void write_faces(const std::filesystem::path& folder, int count) {
  Levels face = flat(89, 109, 3, 0);
  for (int row = 20; row < 94; ++row) {
    for (int column = 7; column < 81; ++column) {
      for (int c = 0; c < 3; ++c) {
        face.values[static_cast<std::size_t>((row * 89 + column) * 3 + c)] = 200;
      }
    }
  }
  for (int i = 1; i <= count; ++i) {
    write_picture(folder / fmt::format("{:06}.png", i), face);
  }
}

CelebaOptions options(const std::filesystem::path& folder) {
  return {.images = {.name = "celeba64", .folder = folder}, .attribute = ""};
}

TEST(Celeba, TakesThePublishedCropWithoutItsSurroundings) {
  const auto folder = fresh_pictures("celeba-crop");
  write_faces(folder, 10);
  const Dataset dataset = load_celeba(options(folder));
  EXPECT_EQ(dataset.shape, (ImageShape{3, 64, 64}));
  EXPECT_FALSE(dataset.labelled());
  EXPECT_EQ(dataset.train.pixels.rows(), 7);
  for (const float value : dataset.train.pixels.values()) {
    ASSERT_NEAR(value, 200.0F / 255.0F, 1e-5);
  }
}

TEST(Celeba, FollowsTheListsOfPartsAndAttributes) {
  const auto folder = fresh_pictures("celeba-lists");
  write_faces(folder / "img_align_celeba", 4);
  std::ofstream(folder / "list_eval_partition.txt") << "000001.png 0\n000002.png 1\n000003.png 2\n000004.png 0\n";
  std::ofstream(folder / "list_attr_celeba.txt")
      << "4\nBald Male\n000001.png -1 1\n000002.png -1 -1\n000003.png 1 1\n000004.png -1 -1\n";
  CelebaOptions male = options(folder);
  male.attribute = "Male";
  const Dataset dataset = load_celeba(male);
  EXPECT_EQ(dataset.classes, 2);
  EXPECT_THAT(dataset.train.labels, ElementsAre(1, 0));
  EXPECT_THAT(dataset.validation.labels, ElementsAre(0));
  EXPECT_THAT(dataset.test.labels, ElementsAre(1));
  male.attribute = "Mail";
  expect_misuse([&] { static_cast<void>(load_celeba(male)); }, {"must name the attribute 'Mail', it names 2"});
}

TEST(Celeba, NamesAFaceThatTheListsForgot) {
  const auto folder = fresh_pictures("celeba-forgotten");
  write_faces(folder, 2);
  std::ofstream(folder / "list_eval_partition.txt") << "000001.png 0\n";
  expect_misuse([&] { static_cast<void>(load_celeba(options(folder))); },
                {"000002.png must have the part 0, 1 or 2, found nothing"});
}

}  // namespace
}  // namespace vaeguard::data
