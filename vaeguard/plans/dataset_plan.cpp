// Data sets from plans.
#include "vaeguard/plans/dataset_plan.h"

#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/base/text.h"
#include "vaeguard/data/registry.h"
#include "vaeguard/plans/defence_plan.h"

namespace vaeguard::plans {
namespace {

data::ImageFolderOptions read_pictures(TableReader& reader, const std::string& name,
                                       const std::filesystem::path& base) {
  data::ImageFolderOptions options;
  options.name = name;
  options.folder = reader.text("folder");
  if (options.folder.is_relative()) {
    options.folder = base / options.folder;
  }
  const std::int64_t size = reader.integer("size", 1, options.shape.height);
  options.shape = {reader.integer("channels", 1, options.shape.channels), reader.integer("height", 1, size),
                   reader.integer("width", 1, size)};
  if (reader.has("crop")) {
    const std::vector<double> crop = reader.numbers("crop");
    if (crop.size() != 4) {
      misuse(reader.place(), "crop must be [x, y, width, height] in pixels, got {} numbers", crop.size());
    }
    const auto whole = [&](std::size_t i) { return static_cast<std::int64_t>(crop[i]); };
    options.crop = data::Box{whole(0), whole(1), whole(2), whole(3)};
  }
  options.validation = reader.number("validation", options.validation);
  options.test = reader.number("test", options.test);
  options.most = reader.integer("most", 0, options.most);
  validate(options);
  return options;
}

data::SyntheticOptions read_shapes(TableReader& reader) {
  data::SyntheticOptions options;
  options.train = reader.integer("train", 1, options.train);
  options.validation = reader.integer("validation", 1, options.validation);
  options.test = reader.integer("test", 1, options.test);
  options.side = reader.integer("size", 1, options.side);
  options.validate();
  return options;
}

}  // namespace

DatasetPlan read_dataset(TableReader& plan, const std::filesystem::path& folder) {
  DatasetPlan result;
  if (!plan.has("dataset") || plan.is_text("dataset")) {
    result.name = plan.text("dataset", result.name);
    data::dataset_description(result.name);
    return result;
  }
  TableReader reader = plan.table("dataset");
  const std::string layout = reader.text("layout", "classes");
  if (layout == "classes") {
    result.name = record_name(reader, "name", data::ImageFolderOptions{}.name);
    result.pictures = read_pictures(reader, result.name, folder);
  } else if (layout == "celeba") {
    result.name = record_name(reader, "name", data::ImageFolderOptions{}.name);
    result.pictures = data::CelebaOptions{read_pictures(reader, result.name, folder), reader.text("attribute", "")};
  } else if (layout == "synthetic") {
    result.name = record_name(reader, "name", layout);
    result.pictures = read_shapes(reader);
  } else {
    unknown_name(reader.place(), "layout", layout, std::vector<std::string>{"classes", "celeba", "synthetic"});
  }
  reader.finish();
  return result;
}

DatasetPlan dataset_plan(const std::string& name_or_file) {
  const std::filesystem::path file = name_or_file;
  if (file.extension() != ".toml") {
    data::dataset_description(name_or_file);
    return {.name = name_or_file, .pictures = {}};
  }
  const toml::table table = parse_toml(read_file(file), name_or_file);
  TableReader reader(table, name_or_file);
  DatasetPlan plan = read_dataset(reader, file.parent_path());
  reader.finish();
  return plan;
}

data::Dataset load_dataset(const DatasetPlan& plan, const std::filesystem::path& data_folder, int threads) {
  if (const auto* folder = std::get_if<data::ImageFolderOptions>(&plan.pictures)) {
    data::ImageFolderOptions options = *folder;
    options.threads = threads;
    return data::load_image_folder(options);
  }
  if (const auto* celeba = std::get_if<data::CelebaOptions>(&plan.pictures)) {
    data::CelebaOptions options = *celeba;
    options.images.threads = threads;
    return data::load_celeba(options);
  }
  if (const auto* shapes = std::get_if<data::SyntheticOptions>(&plan.pictures)) {
    data::Dataset dataset = data::synthetic(*shapes, data::synthetic_key());
    dataset.name = plan.name;
    return dataset;
  }
  return data::load_dataset(plan.name, data_folder);
}

}  // namespace vaeguard::plans
