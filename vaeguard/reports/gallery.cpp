// Chooses and collects the images of a gallery from the arrays of a run.
#include "vaeguard/reports/gallery.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "vaeguard/base/error.h"
#include "vaeguard/base/npz.h"
#include "vaeguard/reports/cell_arrays.h"
#include "vaeguard/reports/words.h"

namespace vaeguard::reports {
namespace {

std::vector<std::int64_t> whole_numbers(const NpzArrays& arrays, const std::string& name) {
  const auto* values = find_values<std::int64_t>(arrays, name);
  return values == nullptr ? std::vector<std::int64_t>{} : *values;
}

/// Of [N, C, H, W].
ImageShape image_shape(const NpzArray& array) {
  if (array.shape.size() != 4) {
    misuse("reports.gallery", "images must be [N, C, H, W], got {} dimensions", array.shape.size());
  }
  return {array.shape[1], array.shape[2], array.shape[3]};
}

/// The position of the first restart of each reference, by its index in the data set.
std::vector<std::int64_t> first_restarts(const std::vector<std::int64_t>& index, std::int64_t count) {
  std::vector<std::int64_t> positions;
  std::set<std::int64_t> seen;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t reference = index.empty() ? i : index[static_cast<std::size_t>(i)];
    if (seen.insert(reference).second) {
      positions.push_back(i);
    }
  }
  return positions;
}

/// The first row of each of these references; empty unless all are there.
std::vector<std::int64_t> rows_of(const std::vector<std::int64_t>& references, const std::vector<std::int64_t>& index) {
  std::vector<std::int64_t> rows;
  for (const std::int64_t reference : references) {
    const auto found = std::ranges::find(index, reference);
    if (found == index.end()) {
      return {};
    }
    rows.push_back(found - index.begin());
  }
  return rows;
}

/// At most `most` of `positions`, evenly spaced.
std::vector<std::int64_t> spaced(const std::vector<std::int64_t>& positions, std::int64_t most) {
  const auto count = static_cast<std::int64_t>(positions.size());
  const std::int64_t shown = std::min(most, count);
  std::vector<std::int64_t> chosen;
  for (std::int64_t i = 0; i < shown; ++i) {
    chosen.push_back(positions[static_cast<std::size_t>(i * count / shown)]);
  }
  return chosen;
}

/// One of each label in turn until `most` are taken, sorted by label.
std::vector<std::int64_t> one_of_each(const std::vector<std::int64_t>& positions,
                                      const std::vector<std::int64_t>& label, std::int64_t most) {
  std::map<std::int64_t, std::vector<std::int64_t>> by_label;
  for (const std::int64_t position : positions) {
    by_label[label[static_cast<std::size_t>(position)]].push_back(position);
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> chosen;
  for (std::size_t turn = 0; static_cast<std::int64_t>(chosen.size()) < most && turn < positions.size(); ++turn) {
    for (const auto& [value, members] : by_label) {
      if (turn < members.size() && static_cast<std::int64_t>(chosen.size()) < most) {
        chosen.emplace_back(value, members[turn]);
      }
    }
  }
  std::ranges::sort(chosen);
  std::vector<std::int64_t> result;
  for (const auto& [value, position] : chosen) {
    result.push_back(position);
  }
  return result;
}

/// The chosen images of an array, or no rows if it is absent or shorter than the others.
Matrix chosen_images(const NpzArrays& arrays, const std::string& name, const std::vector<std::int64_t>& positions,
                     std::int64_t size) {
  const std::vector<float>* values = find_values<float>(arrays, name);
  Matrix images;
  if (values == nullptr) {
    return images;
  }
  const std::int64_t last = positions.empty() ? -1 : *std::ranges::max_element(positions);
  if (static_cast<std::int64_t>(values->size()) < (last + 1) * size) {
    return images;
  }
  images = Matrix(static_cast<std::int64_t>(positions.size()), size);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    std::copy_n(values->begin() + positions[i] * size, size, images.row(static_cast<std::int64_t>(i)).begin());
  }
  return images;
}

}  // namespace

Gallery gallery(const RunRecords& records, const Scenario& scenario, std::int64_t most) {
  Gallery result;
  std::vector<std::int64_t> positions;   // rows of the current cell
  std::vector<std::int64_t> references;  // their references, as indices of the data set; empty if these were not kept
  const auto add = [&](const NpzArrays& arrays, const std::string& name, const std::string& label) {
    Matrix images = chosen_images(arrays, name, positions, result.shape.size());
    if (!images.empty()) {
      result.rows.push_back({label, std::move(images)});
    }
  };
  bool first = true;
  for (const Cell& cell : scenario.cells) {
    const NpzArrays arrays = cell_arrays(records, scenario, cell);
    if (arrays.empty()) {
      continue;
    }
    if (!first && !references.empty()) {
      positions = rows_of(references, whole_numbers(arrays, "index"));  // a defence may have fewer restarts
    }
    if (const auto* reference = find_values<float>(arrays, "x_ref"); first && reference != nullptr) {
      result.shape = image_shape(arrays.at("x_ref"));
      const auto count = static_cast<std::int64_t>(reference->size()) / result.shape.size();
      const auto index = whole_numbers(arrays, "index");
      const auto label = whole_numbers(arrays, "label");
      const auto usable = [&](const std::vector<std::int64_t>& values) {
        return static_cast<std::int64_t>(values.size()) == count;
      };
      const auto candidates = first_restarts(usable(index) ? index : std::vector<std::int64_t>{}, count);
      positions = usable(label) ? one_of_each(candidates, label, most) : spaced(candidates, most);
      for (const std::int64_t position : positions) {
        if (usable(index)) {
          references.push_back(index[static_cast<std::size_t>(position)]);
        }
      }
      result.choice =
          fmt::format("{} of {} references, {}{}.", positions.size(), candidates.size(),
                      usable(label) ? "one of each class in turn" : "evenly spaced",
                      static_cast<std::int64_t>(candidates.size()) < count ? ", first restart of each" : "");
      add(arrays, "x_ref", "Reference");
      add(arrays, "rec_ref", "its reconstruction");
      if (!scenario.clean()) {
        add(arrays, "x_adv", "Attacked");
        add(arrays, "rec_adv", "its reconstruction");
      }
      first = false;
    }
    if (!first && cell.defence != "none") {
      add(arrays, "rec_defended", fmt::format("Defended: {}", defence_words(cell.defence)));
    }
  }
  return result;
}

}  // namespace vaeguard::reports
