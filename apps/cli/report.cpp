// vaeguard report DIR: tables, figures and the page of a run, made again from its records.
#include <fmt/format.h>

#include "apps/cli/report_folder.h"
#include "apps/cli/verbs.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/plans/plan.h"
#include "vaeguard/reports/report.h"
#include "vaeguard/runs/store.h"

namespace vaeguard::cli {

void write_folder_report(const std::filesystem::path& folder) {
  const auto database = folder / "results.sqlite";
  if (!exists(database)) {
    misuse("report", "{} must be the folder of a run; it has no results.sqlite", folder.string());
  }
  auto records = runs::Store(database, runs::Store::Access::read).read();
  reports::RunRecords run;
  run.measurements = std::move(records.measurements);
  run.items = std::move(records.items);
  run.curves = std::move(records.curves);
  run.notes = std::move(records.notes);
  run.plan_text = read_file(folder / "plan.toml");
  run.name = plans::parse_plan(run.plan_text, (folder / "plan.toml").string()).name;
  run.environment_json = read_file(folder / "environment.json");
  run.arrays_folder = folder / "arrays";
  reports::write_report(run, folder, cache_folder("VAEGUARD_ASSETS", "assets"));
}

void add_report(CLI::App& program, Common& /*common*/) {
  auto* app = program.add_subcommand("report", "Make report.html, tables/ and figures/ of a run again");
  auto folder = std::make_shared<std::string>();
  app->add_option("folder", *folder, "Folder of the run")->required();
  app->footer("Example: vaeguard report runs/quickstart");
  app->callback([folder] {
    write_folder_report(*folder);
    fmt::print("{}\n", (std::filesystem::path(*folder) / "report.html").string());
  });
}

}  // namespace vaeguard::cli
