// The report of a run's folder, for tests that run a model of their own from end to end.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "vaeguard/base/file.h"
#include "vaeguard/reports/report.h"
#include "vaeguard/runs/store.h"

namespace vaeguard {

/// Writes the report, as `vaeguard run` does when all cells are there, and returns its page.
inline std::string run_report(const std::filesystem::path& folder) {
  auto records = runs::Store(folder / "results.sqlite", runs::Store::Access::read).read();
  reports::RunRecords run;
  run.name = "a test";
  run.measurements = std::move(records.measurements);
  run.items = std::move(records.items);
  run.curves = std::move(records.curves);
  run.notes = std::move(records.notes);
  run.plan_text = read_file(folder / "plan.toml");
  run.environment_json = read_file(folder / "environment.json");
  run.arrays_folder = folder / "arrays";
  reports::write_report(run, folder, folder / "no-assets");
  return read_file(folder / "report.html");
}

}  // namespace vaeguard
