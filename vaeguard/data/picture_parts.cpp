// Picture files found, split, decoded on all threads.
#include "vaeguard/data/picture_parts.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/data/checksum.h"

namespace vaeguard::data {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPlace = "data.image_folder";

Box crop_of(const ImageFolderOptions& options, const Picture& picture) {
  return options.crop ? *options.crop : middle_box(picture.width, picture.height, options.shape);
}

Images read_part(const ImageFolderOptions& options, std::vector<PictureFile> files, bool labelled,
                 std::string& digests) {
  if (options.most > 0 && std::ssize(files) > options.most) {
    std::ranges::sort(files, {}, [](const PictureFile& file) { return file.path.filename(); });
    files.resize(static_cast<std::size_t>(options.most));
  }
  const auto n = std::ssize(files);
  Images images{Matrix(n, options.shape.size()), {}};
  std::vector<std::string> hashes(files.size());
  parallel_chunks(n, 64, options.threads, [&](std::int64_t first, std::int64_t count) {
    for (std::int64_t i = first; i < first + count; ++i) {
      const fs::path& path = files[static_cast<std::size_t>(i)].path;
      const Picture picture = read_picture(path, options.shape.channels);
      fit_picture(picture, crop_of(options, picture), options.shape, path.string(), images.pixels.row(i));
      hashes[static_cast<std::size_t>(i)] = sha256_of_file(path);
    }
  });
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (labelled) {
      images.labels.push_back(files[i].label);
    }
    digests += fmt::format("{} {} {}\n", files[i].path.filename().string(), files[i].label, hashes[i]);
  }
  return images;
}

}  // namespace

bool is_picture(const fs::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

std::vector<fs::path> sorted_entries(const fs::path& folder, bool folders) {
  if (!fs::is_directory(folder)) {
    misuse(kPlace, "{} must be a folder", folder.string());
  }
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (folders ? entry.is_directory() : is_picture(entry.path())) {
      entries.push_back(entry.path());
    }
  }
  std::ranges::sort(entries);
  return entries;
}

std::vector<PictureFile> files_of_class(const fs::path& folder, std::int64_t label) {
  std::vector<PictureFile> files;
  for (const fs::path& path : sorted_entries(folder, false)) {
    files.push_back({path, label});
  }
  if (files.empty()) {
    misuse(kPlace, "{} must hold PNG or JPEG files, found none", folder.string());
  }
  return files;
}

void split(const ImageFolderOptions& options, const std::vector<PictureFile>& all, Key key, PictureParts& parts) {
  const auto n = std::ssize(all);
  const auto share = [&](double part) {
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(part * static_cast<double>(n)));
  };
  const std::int64_t validation = share(options.validation);
  const std::int64_t test = share(options.test);
  if (validation + test >= n) {
    misuse(kPlace, "{} must have more than {} pictures to be split, got {}",
           all.empty() ? "a class" : all[0].path.parent_path().string(), validation + test, n);
  }
  std::vector<std::int64_t> order = permutation(key, n);
  const auto sorted = [&](std::int64_t first, std::int64_t last) {
    std::sort(order.begin() + first, order.begin() + last);
    std::vector<PictureFile> files;
    for (std::int64_t i = first; i < last; ++i) {
      files.push_back(all[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
    }
    return files;
  };
  const std::int64_t train = n - validation - test;
  for (auto&& [part, files] : {std::pair(0, sorted(0, train)), std::pair(1, sorted(train, train + validation)),
                               std::pair(2, sorted(train + validation, n))}) {
    auto& to = parts[static_cast<std::size_t>(part)];
    to.insert(to.end(), files.begin(), files.end());
  }
}

Dataset read_parts(const ImageFolderOptions& options, PictureParts parts, std::int64_t classes) {
  const Box crop = options.crop.value_or(Box{});
  std::string digests = fmt::format("{} x {} x {} from {} x {} at {}, {}\n", options.shape.channels,
                                    options.shape.height, options.shape.width, crop.height, crop.width, crop.x, crop.y);
  Dataset dataset;
  dataset.name = options.name;
  dataset.shape = options.shape;
  dataset.classes = classes;
  dataset.train = read_part(options, std::move(parts[0]), dataset.labelled(), digests);
  dataset.validation = read_part(options, std::move(parts[1]), dataset.labelled(), digests);
  dataset.test = read_part(options, std::move(parts[2]), dataset.labelled(), digests);
  for (const auto& [name, part] :
       {std::pair("train", &dataset.train), {"validation", &dataset.validation}, {"test", &dataset.test}}) {
    if (part->pixels.empty()) {
      misuse(kPlace, "{} must have pictures in the part {}, found none", options.folder.string(), name);
    }
  }
  dataset.digest = sha256(digests);
  return dataset;
}

}  // namespace vaeguard::data
