// From four IDX files to training, validation and test images.
#include "vaeguard/data/idx_dataset.h"

#include <fmt/ranges.h>

#include <numeric>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/data/checksum.h"
#include "vaeguard/data/gzip.h"
#include "vaeguard/data/idx_file.h"
#include "vaeguard/data/split.h"

namespace vaeguard::data {
namespace {

namespace fs = std::filesystem;

fs::path plain_or_compressed(const fs::path& folder, std::string_view name) {
  const fs::path plain = folder / name;
  const fs::path compressed = folder / (std::string(name) + ".gz");
  return !fs::exists(plain) && fs::exists(compressed) ? compressed : plain;
}

}  // namespace

IdxFiles read_idx_files(const fs::path& folder, std::string_view advice) {
  std::vector<std::string> missing;
  for (const std::string_view name : kIdxFileNames) {
    if (!fs::exists(plain_or_compressed(folder, name))) {
      missing.emplace_back(name);
    }
  }
  if (!missing.empty()) {
    misuse("data.idx_dataset", "{} must hold four IDX files, missing: {}. {}", folder.string(),
           fmt::join(missing, ", "), advice);
  }
  IdxFiles files{{}, folder.string()};
  for (std::size_t i = 0; i < kIdxFileNames.size(); ++i) {
    const fs::path path = plain_or_compressed(folder, kIdxFileNames[i]);
    files.contents[i] = read_file(path);
    if (is_gzip(files.contents[i])) {
      files.contents[i] = gunzip(files.contents[i], path.string());
    }
  }
  return files;
}

void check_digests(const IdxFiles& files, const PublishedDigests& published, std::string_view advice) {
  for (std::size_t i = 0; i < files.contents.size(); ++i) {
    const std::string found = md5(files.contents[i]);
    if (found != published[i]) {
      misuse("data.idx_dataset", "{} must have the published MD5 digest {}, found {}. {}",
             (fs::path(files.origin) / kIdxFileNames[i]).string(), published[i], found, advice);
    }
  }
}

Dataset make_dataset(const IdxFiles& files, const IdxDatasetOptions& options) {
  const auto array = [&](std::size_t i, int rank) {
    return parse_idx(files.contents[i], (fs::path(files.origin) / kIdxFileNames[i]).string(), rank);
  };
  const IdxArray train_images = array(0, 3);
  const IdxArray train_labels = array(1, 1);
  const IdxArray test_images = array(2, 3);
  const IdxArray test_labels = array(3, 1);
  const std::int64_t height = train_images.dimensions[1];
  const std::int64_t width = train_images.dimensions[2];
  if (test_images.dimensions[1] != height || test_images.dimensions[2] != width) {
    misuse("data.idx_dataset", "{} must have test images of {} x {} pixels like the training images, got {} x {}",
           files.origin, height, width, test_images.dimensions[1], test_images.dimensions[2]);
  }
  std::string digests;
  for (const std::string& content : files.contents) {
    digests += md5(content) + "\n";
  }
  const Split split = split_validation(train_images.dimensions[0], options.validation, options.split_key);
  std::vector<std::int64_t> all(static_cast<std::size_t>(test_images.dimensions[0]));
  std::iota(all.begin(), all.end(), 0);
  const std::string training_file = files.origin + " (training files)";
  return Dataset{
      .name = options.name,
      .shape = {1, height, width},
      .classes = options.classes,
      .digest = sha256(digests),
      .train = select_images(train_images, train_labels, options.classes, split.train, training_file),
      .validation = select_images(train_images, train_labels, options.classes, split.validation, training_file),
      .test = select_images(test_images, test_labels, options.classes, all, files.origin + " (test files)")};
}

}  // namespace vaeguard::data
