// Data sets from plans.
#include "vaeguard/plans/dataset_plan.h"

#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/base/text.h"
#include "vaeguard/data/registry.h"
#include "vaeguard/plans/record_name.h"
#include "vaeguard/plans/toml.h"

namespace vaeguard::plans {
namespace {

data::ImageFolderOptions read_pictures(OptionReader& reader, const std::string& name,
                                       const std::filesystem::path& base) {
  data::ImageFolderOptions options;
  options.name = name;
  options.folder = reader.text("folder");
  if (options.folder.is_relative()) {
    options.folder = base / options.folder;
  }
  const std::int64_t size = reader.integer("size", at_least(1), options.shape.height);
  options.shape = {reader.integer("channels", at_least(1), options.shape.channels),
                   reader.integer("height", at_least(1), size), reader.integer("width", at_least(1), size)};
  if (reader.has("crop")) {
    const std::vector<double> crop = reader.numbers("crop");
    if (crop.size() != 4) {
      misuse(reader.place(), "crop must be [x, y, width, height] in pixels, got {} numbers", crop.size());
    }
    const auto whole = [&](std::size_t i) { return static_cast<std::int64_t>(crop[i]); };
    options.crop = data::Box{whole(0), whole(1), whole(2), whole(3)};
  }
  options.validation = reader.number("validation", any_number(), options.validation);
  options.test = reader.number("test", any_number(), options.test);
  options.most = reader.integer("most", at_least(0), options.most);
  validate(options);
  return options;
}

data::SyntheticOptions read_shapes(OptionReader& reader) {
  data::SyntheticOptions options;
  options.train = reader.integer("train", at_least(1), options.train);
  options.validation = reader.integer("validation", at_least(1), options.validation);
  options.test = reader.integer("test", at_least(1), options.test);
  options.side = reader.integer("size", at_least(1), options.side);
  options.validate();
  return options;
}

}  // namespace

DatasetPlan read_dataset(OptionReader& plan, const std::filesystem::path& folder) {
  DatasetPlan result;
  if (!plan.has("dataset") || plan.is_text("dataset")) {
    result.name = plan.text("dataset", result.name);
    static_cast<void>(data::datasets().find(result.name, plan.place()));
    return result;
  }
  OptionReader reader = plan.table("dataset");
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
    static_cast<void>(data::datasets().find(name_or_file));
    return {.name = name_or_file, .pictures = {}};
  }
  const Value table = parse_toml(read_file(file), name_or_file);
  OptionReader reader(table, name_or_file);
  if (!reader.has("dataset")) {
    misuse(name_or_file, "the table [dataset] is missing; write [dataset] above the keys of the data set");
  }
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
