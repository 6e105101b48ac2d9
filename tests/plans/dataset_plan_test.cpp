// Data sets of plans and command lines: names, tables, files, errors.
#include "vaeguard/plans/dataset_plan.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/expect_misuse.h"
#include "vaeguard/plans/toml.h"

namespace vaeguard::plans {
namespace {

DatasetPlan read(std::string_view text) {
  const Value table = parse_toml(text, "test.toml");
  OptionReader reader(table, "test.toml");
  DatasetPlan plan = read_dataset(reader, "plans");
  reader.finish();
  return plan;
}

TEST(DatasetPlan, IsTheNamedSetAndMnistByDefault) {
  EXPECT_EQ(read("").name, "mnist");
  EXPECT_EQ(read("dataset = 'fashion_mnist'").name, "fashion_mnist");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(read("dataset = 'synthetic'").pictures));
  expect_misuse([] { read("dataset = 'mnits'"); }, {"unknown dataset 'mnits'"});
}

TEST(DatasetPlan, ReadsATableOfPictures) {
  const DatasetPlan plan = read(R"([dataset]
    name = "faces"
    folder = "photos"
    layout = "celeba"
    size = 32
    height = 48
    channels = 1
    crop = [1, 2, 30, 40]
    attribute = "Male"
    most = 100)");
  EXPECT_EQ(plan.name, "faces");
  const auto& celeba = std::get<data::CelebaOptions>(plan.pictures);
  EXPECT_EQ(celeba.attribute, "Male");
  EXPECT_EQ(celeba.images.folder, "plans/photos");
  EXPECT_EQ(celeba.images.shape, (ImageShape{1, 48, 32}));
  EXPECT_EQ(celeba.images.crop, (data::Box{1, 2, 30, 40}));
  EXPECT_EQ(celeba.images.most, 100);
}

TEST(DatasetPlan, ReadsASizeOfTheSyntheticSet) {
  const DatasetPlan plan = read("[dataset]\nlayout = 'synthetic'\ntrain = 30\nvalidation = 10\ntest = 20\nsize = 16");
  EXPECT_EQ(plan.name, "synthetic");
  const data::Dataset made = load_dataset(plan, {}, 1);
  EXPECT_EQ(made.train.pixels.rows(), 30);
  EXPECT_EQ(made.validation.pixels.rows(), 10);
  EXPECT_EQ(made.test.pixels.rows(), 20);
  EXPECT_EQ(made.shape, (ImageShape{1, 16, 16}));
  const data::Dataset registered = load_dataset(dataset_plan("synthetic"), {}, 1);
  const data::Dataset fewer = load_dataset(read("[dataset]\nlayout = 'synthetic'\ntrain = 30\ntest = 20"), {}, 1);
  EXPECT_EQ(fewer.test.pixels, registered.test.pixels.slice(0, 20));
  expect_misuse([] { read("[dataset]\nlayout = 'synthetic'\ntrain = 0"); }, {"train", "0"});
  expect_misuse([] { read("[dataset]\nlayout = 'synthetic'\nfolder = 'a'"); }, {"folder"});
}

TEST(DatasetPlan, NamesWhatIsWrongWithATable) {
  expect_misuse([] { read("[dataset]\nname = 'faces'"); }, {"folder"});
  expect_misuse([] { read("[dataset]\nfolder = 'a'\nlayout = 'clases'"); }, {"unknown layout 'clases'", "classes"});
  expect_misuse([] { read("[dataset]\nfolder = 'a'\ncrop = [1, 2]"); }, {"crop must be [x, y, width, height]"});
  expect_misuse([] { read("[dataset]\nfolder = 'a'\nchannels = 2"); }, {"channels must be 1 or 3, got 2"});
  expect_misuse([] { read("[dataset]\nfolder = 'a'\nattribute = 'Male'"); }, {"attribute"});
}

TEST(DatasetPlan, OfACommandLineIsANameOrATomlFile) {
  EXPECT_EQ(dataset_plan("synthetic").name, "synthetic");
  expect_misuse([] { dataset_plan("faces"); }, {"unknown dataset 'faces'"});
  const auto file = std::filesystem::path(testing::TempDir()) / "faces.toml";
  std::ofstream(file) << "[dataset]\nname = 'faces'\nfolder = 'photos'\n";
  const DatasetPlan plan = dataset_plan(file.string());
  EXPECT_EQ(std::get<data::ImageFolderOptions>(plan.pictures).folder, file.parent_path() / "photos");
  std::ofstream(file) << "name = 'faces'\nchannels = 3\n";
  expect_misuse([&] { dataset_plan(file.string()); }, {"faces.toml", "the table [dataset] is missing"});
  std::ofstream(file) << "[dataset\n";
  expect_misuse([&] { dataset_plan(file.string()); }, {"faces.toml, line 1", "no valid TOML"});
}

}  // namespace
}  // namespace vaeguard::plans
