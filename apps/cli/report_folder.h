// The report of a run's folder, made from its records.
#pragma once

#include <filesystem>

namespace vaeguard::cli {

/// Reads results.sqlite, plan and environment in `folder` and writes report.html, tables/ and figures/ there.
void write_folder_report(const std::filesystem::path& folder);

}  // namespace vaeguard::cli
