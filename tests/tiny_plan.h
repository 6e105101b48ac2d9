// A plan that runs in a second on synthetic data, and its records in a form that two runs can be compared by.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/runs/store.h"

namespace vaeguard {

/// TOML of a plan named tiny, of so few images that sanitized programs run it too, with these [[attack]] and
/// [[defence]] tables.
inline std::string tiny_plan(std::string_view scenarios) {
  return std::string(R"(
name = "tiny"
seed = 3
references = 10
[dataset]
layout = "synthetic"
train = 300
validation = 50
test = 100
[model.training]
epochs = 1
[evaluation]
nll_images = 4
nll_draws = 8
)")
      .append(scenarios);
}

/// Every measurement of the run in `folder` as a line of CSV, without its seconds: no two runs take the same time.
inline std::vector<std::string> records_but_seconds(const std::filesystem::path& folder) {
  using runs::Store;
  std::vector<std::string> result;
  for (auto measurement : Store(folder / "results.sqlite", Store::Access::read).read().measurements) {
    measurement.seconds = 0.0;
    result.push_back(runs::measurements_csv({measurement}));
  }
  return result;
}

}  // namespace vaeguard
