// Writes the report of a run: one page, tables and figures.
#pragma once

#include <filesystem>

#include "vaeguard/reports/run_records.h"

namespace vaeguard::reports {

/// Writes run_folder/report.html, one file that needs no network, run_folder/tables/*.{md,tex,csv} and
/// run_folder/figures/*.png. `assets_folder` holds vega.min.js, vega-lite.min.js and vega-embed.min.js; without them
/// the page describes its charts in words. Throws Failure if a file cannot be written.
void write_report(const RunRecords& records, const std::filesystem::path& run_folder,
                  const std::filesystem::path& assets_folder);

}  // namespace vaeguard::reports
