// The report as one HTML page: fills the template of page/ with tables, pictures, charts and words.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vaeguard/reports/chart.h"
#include "vaeguard/reports/gallery.h"
#include "vaeguard/reports/run_records.h"
#include "vaeguard/reports/table.h"

namespace vaeguard::reports {

/// The contents of a page, which are also written as files.
struct PageContent {
  std::vector<std::pair<std::string, Table>> summaries;  // (protocol, table), beginning with the one that is shown
  std::optional<Table> paper;                            // printed numbers for comparison
  std::optional<Table> attacks;                          // their strength before any defence
  std::optional<Table> smallest;                         // radii, before any defence
  std::optional<Table> model;
  std::vector<std::pair<std::string, Gallery>> galleries;  // (title, pictures)
  std::vector<Chart> map_charts;                           // of models with two latents
  std::vector<Chart> distortion_charts;
  std::optional<Table> distortion;
  std::vector<Chart> ratio_charts;
  std::vector<Chart> effort_charts;
  std::vector<Chart> chain_charts;
  std::optional<Table> chain_table;
};

/// The whole page. The scripts that draw charts are read from `assets_folder`; if they are missing, the page says how
/// to get them.
std::string render_page(const RunRecords& records, const PageContent& content,
                        const std::filesystem::path& assets_folder);

}  // namespace vaeguard::reports
