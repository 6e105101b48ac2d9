// Reads the encoder's map and the codes of the cells from a run's arrays.
#include "vaeguard/reports/latent_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "vaeguard/base/error.h"
#include "vaeguard/base/npz.h"
#include "vaeguard/reports/cell_arrays.h"
#include "vaeguard/reports/histogram.h"
#include "vaeguard/reports/html.h"
#include "vaeguard/reports/scenario.h"
#include "vaeguard/reports/words.h"

namespace vaeguard::reports {
namespace {

constexpr std::int64_t kPlane = 2;

// The rows of an array [n, 2].
std::vector<PlanePoint> points(const NpzArrays& arrays, const std::string& name, const std::filesystem::path& file) {
  const auto* values = find_values<float>(arrays, name);
  const auto shape = values == nullptr ? std::vector<std::int64_t>{} : arrays.at(name).shape;
  if (shape.size() != 2 || shape[1] != kPlane) {
    misuse("reports.latent_map", "{} must have an array '{}' of two columns of numbers", file.string(), name);
  }
  std::vector<PlanePoint> result;
  for (std::size_t i = 0; i < values->size(); i += kPlane) {
    result.push_back({(*values)[i], (*values)[i + 1]});
  }
  return result;
}

std::vector<std::int64_t> whole_numbers(const NpzArrays& arrays, const std::string& name, std::size_t count,
                                        const std::filesystem::path& file) {
  const auto* values = find_values<std::int64_t>(arrays, name);
  if (values == nullptr || values->size() != count) {
    misuse("reports.latent_map", "{} must have an array '{}' of {} whole numbers", file.string(), name, count);
  }
  return *values;
}

// Images without classes are all of one.
std::vector<std::int64_t> labels_of(const NpzArrays& arrays, std::size_t count, const std::filesystem::path& file) {
  return arrays.contains("label") ? whole_numbers(arrays, "label", count, file) : std::vector<std::int64_t>(count, 0);
}

std::vector<MapDot> read_map(const std::filesystem::path& file) {
  const NpzArrays arrays = read_npz(file);
  const auto at = points(arrays, "z", file);
  const auto labels = labels_of(arrays, at.size(), file);
  std::vector<MapDot> map;
  for (std::size_t i = 0; i < at.size(); ++i) {
    map.push_back({at[i], labels[i]});
  }
  return map;
}

struct LabelledPath {
  CodePath codes;
  std::int64_t label = 0;
};

// Of every reference, its first restart.
std::vector<LabelledPath> read_paths(const NpzArrays& arrays, const std::filesystem::path& file) {
  const auto reference = points(arrays, "z_ref", file);
  const auto attacked = points(arrays, "z_adv", file);
  const auto defended = points(arrays, "z_defended", file);
  const auto index = whole_numbers(arrays, "index", reference.size(), file);
  const auto labels = labels_of(arrays, reference.size(), file);
  if (attacked.size() != reference.size() || defended.size() != reference.size()) {
    misuse("reports.latent_map", "{} has {} codes of references, {} attacked and {} defended ones", file.string(),
           reference.size(), attacked.size(), defended.size());
  }
  std::vector<LabelledPath> paths;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    if (i == 0 || index[i] != index[i - 1]) {
      paths.push_back({{reference[i], attacked[i], defended[i]}, labels[i]});
    }
  }
  return paths;
}

double median_distance(const std::vector<LabelledPath>& paths, PlanePoint CodePath::*code) {
  std::vector<double> distances;
  for (const auto& [codes, label] : paths) {
    distances.push_back(std::hypot((codes.*code).x - codes.reference.x, (codes.*code).y - codes.reference.y));
  }
  return quantile(distances, 0.5);
}

// More paths would hide one another.
std::vector<CodePath> first_of_each_class(const std::vector<LabelledPath>& paths) {
  std::set<std::int64_t> seen;
  std::vector<CodePath> chosen;
  for (const auto& [codes, label] : paths) {
    if (seen.insert(label).second) {
      chosen.push_back(codes);
    }
  }
  return chosen;
}

Chart chart_of(const Scenario& scenario, const Cell& cell, const std::vector<MapDot>& map,
               const std::vector<LabelledPath>& paths) {
  const std::vector<CodePath> shown = first_of_each_class(paths);
  Chart chart = map_chart("map-" + safe_name(cell.name), defence_words(cell.defence), map, shown);
  chart.group = scenario.title();
  chart.note = fmt::format(
      "{} of {} references, the first of each class and its first restart. Median distance to the reference's code "
      "over all {}: attacked {}, defended {}.",
      shown.size(), paths.size(), paths.size(), number_words(median_distance(paths, &CodePath::attacked), 2),
      number_words(median_distance(paths, &CodePath::defended), 2));
  chart.description += " " + chart.note;
  return chart;
}

}  // namespace

std::vector<Chart> latent_map_charts(const RunRecords& records) {
  std::vector<Chart> charts;
  for (const Scenario& scenario : scenarios(records)) {
    const auto map_file =
        records.arrays_folder / ((scenario.one_of_several_models ? scenario.model + "-" : "") + "latent_map.npz");
    if (scenario.clean() || records.arrays_folder.empty() || !exists(map_file)) {
      continue;
    }
    const std::vector<MapDot> map = read_map(map_file);
    for (const Cell& cell : scenario.cells) {
      const auto file = records.arrays_folder / (cell.name + ".npz");
      if (cell.defence == "none") {
        continue;
      }
      if (const NpzArrays arrays = cell_arrays(records, scenario, cell); !arrays.empty()) {
        charts.push_back(chart_of(scenario, cell, map, read_paths(arrays, file)));
      }
    }
  }
  return charts;
}

}  // namespace vaeguard::reports
