// Makes the parts of a report from records and writes them: page, tables, figures.
#include "vaeguard/reports/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "vaeguard/base/file.h"
#include "vaeguard/reports/distortion_report.h"
#include "vaeguard/reports/html.h"
#include "vaeguard/reports/image_grid.h"
#include "vaeguard/reports/latent_map.h"
#include "vaeguard/reports/page.h"
#include "vaeguard/reports/paper_table.h"
#include "vaeguard/reports/run_charts.h"
#include "vaeguard/reports/scenario.h"
#include "vaeguard/reports/smallest_table.h"
#include "vaeguard/reports/summary_table.h"

namespace vaeguard::reports {
namespace {

// Columns of all galleries together: the page stays one file of less than 20 MB, however many models it has.
constexpr std::int64_t kColumns = 800;

std::int64_t columns_each(std::size_t galleries) {
  return std::clamp<std::int64_t>(kColumns / std::max<std::int64_t>(1, static_cast<std::int64_t>(galleries)), 2, 12);
}

void write_table(const Table& table, const std::filesystem::path& stem) {
  const auto write = [&](const char* ending, const std::string& text) {
    write_file_atomically(stem.string() + ending, text);
  };
  write(".md", to_markdown(table));
  write(".tex", to_latex(table));
  write(".csv", to_csv(table));
}

void write_figure(const std::string& title, const Gallery& gallery, const std::filesystem::path& path) {
  std::vector<Matrix> images;
  std::string description = title + ". Rows from top:";
  for (const GalleryRow& row : gallery.rows) {
    images.push_back(row.images);
    description += fmt::format("{} {}", images.size() == 1 ? "" : ",", row.label);
  }
  write_file_atomically(path, encode_png(image_grid(images, gallery.shape, 3, 2), description + "."));
}

}  // namespace

void write_report(const RunRecords& records, const std::filesystem::path& run_folder,
                  const std::filesystem::path& assets_folder) {
  PageContent content;
  for (const std::string& protocol : protocols(records)) {
    content.summaries.emplace_back(protocol, summary_table(records, protocol));
    write_table(content.summaries.back().second, run_folder / "tables" / ("summary-" + safe_name(protocol)));
  }
  content.paper = paper_table(records);
  content.attacks = attack_table(records);
  content.smallest = smallest_table(records);
  content.model = model_table(records);
  std::set<std::string> names;
  const std::vector<Scenario> all = scenarios(records);
  for (const Scenario& scenario : all) {
    content.galleries.emplace_back(scenario.title(), gallery(records, scenario, columns_each(all.size())));
    const auto& [title, pictures] = content.galleries.back();
    std::string name = scenario.name();
    while (!names.insert(name).second) {  // scenarios that differ only in model or attacker
      name += "-again";
    }
    if (!pictures.rows.empty()) {
      write_figure(title, pictures, run_folder / "figures" / ("gallery-" + name + ".png"));
    }
  }
  content.map_charts = latent_map_charts(records);
  content.distortion_charts = distortion_charts(records);
  content.distortion = distortion_table(records);
  content.ratio_charts = posterior_ratio_charts(records);
  content.effort_charts = curve_charts(records);
  std::ranges::move(cost_charts(records), std::back_inserter(content.effort_charts));
  content.chain_charts = chain_charts(records);
  content.chain_table = chain_table(records);
  const auto write_if_any = [&](const std::optional<Table>& table, const char* name) {
    if (table) {
      write_table(*table, run_folder / "tables" / name);
    }
  };
  write_if_any(content.attacks, "attacks");
  write_if_any(content.smallest, "smallest");
  write_if_any(content.distortion, "distortion");
  write_if_any(content.model, "model");
  write_if_any(content.chain_table, "chains");
  write_file_atomically(run_folder / "report.html", render_page(records, content, assets_folder));
}

}  // namespace vaeguard::reports
