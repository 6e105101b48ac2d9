// CelebA's lists.
#include "vaeguard/data/celeba.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/data/picture_parts.h"

namespace vaeguard::data {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPlace = "data.celeba";
constexpr std::uint64_t kSplitKey = 0x1d94b6e07a2c5f38;

// Rows of one of CelebA's lists: the first word, and the others.
std::map<std::string, std::vector<std::string>> read_list(const fs::path& file) {
  std::map<std::string, std::vector<std::string>> rows;
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    auto& row = rows[first];
    for (std::string word; words >> word;) {
      row.push_back(word);
    }
  }
  return rows;
}

// The attribute's value, 0 or 1, of each file.
std::map<std::string, std::int64_t> read_attribute(const fs::path& file, const std::string& attribute) {
  std::istringstream lines(read_file(file));
  std::string count;
  std::string head;
  std::getline(lines, count);
  std::getline(lines, head);
  std::istringstream words(head);
  std::vector<std::string> names;
  for (std::string word; words >> word;) {
    names.push_back(word);
  }
  const auto found = std::ranges::find(names, attribute);
  if (found == names.end()) {
    misuse(file.string(), "the second line must name the attribute '{}', it names {}", attribute, names.size());
  }
  const auto column = static_cast<std::size_t>(found - names.begin());
  std::map<std::string, std::int64_t> values;
  for (const auto& [name, row] : read_list(file)) {
    if (row.size() == names.size() && is_picture(name)) {
      values[name] = row[column] == "1" ? 1 : 0;
    }
  }
  return values;
}

PictureParts celeba_parts(const CelebaOptions& options) {
  const fs::path& folder = options.images.folder;
  const fs::path nested = folder / "img_align_celeba";
  std::map<std::string, std::int64_t> labels;
  if (!options.attribute.empty()) {
    labels = read_attribute(folder / "list_attr_celeba.txt", options.attribute);
  }
  std::vector<PictureFile> all;
  for (PictureFile& file : files_of_class(fs::is_directory(nested) ? nested : folder, 0)) {
    const std::string name = file.path.filename().string();
    if (!options.attribute.empty()) {
      if (!labels.contains(name)) {
        misuse(kPlace, "list_attr_celeba.txt must have a row for {}, found none", name);
      }
      file.label = labels[name];
    }
    all.push_back(std::move(file));
  }
  PictureParts parts;
  const fs::path partition = folder / "list_eval_partition.txt";
  if (!fs::exists(partition)) {
    split(options.images, all, Key(kSplitKey), parts);
    return parts;
  }
  const auto rows = read_list(partition);
  for (PictureFile& file : all) {
    const auto row = rows.find(file.path.filename().string());
    const std::string part = row == rows.end() || row->second.empty() ? "nothing" : row->second[0];
    if (part != "0" && part != "1" && part != "2") {
      misuse(partition.string(), "{} must have the part 0, 1 or 2, found {}", file.path.filename().string(), part);
    }
    parts[static_cast<std::size_t>(part[0] - '0')].push_back(std::move(file));
  }
  return parts;
}

}  // namespace

Dataset load_celeba(const CelebaOptions& options) {
  validate(options.images);
  ImageFolderOptions images = options.images;
  PictureParts parts = celeba_parts(options);
  if (!images.crop && !parts[0].empty()) {
    const Picture first = read_picture(parts[0][0].path, images.shape.channels);
    if (first.width == 178 && first.height == 218) {
      images.crop = Box{15, 40, 148, 148};
    } else if (first.width == 89 && first.height == 109) {
      images.crop = Box{7, 20, 74, 74};
    }
  }
  return read_parts(images, std::move(parts), options.attribute.empty() ? 0 : 2);
}

}  // namespace vaeguard::data
