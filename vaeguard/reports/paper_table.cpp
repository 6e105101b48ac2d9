// The printed numbers, and which of them belong beside a run.
#include "vaeguard/reports/paper_table.h"

#include <array>
#include <set>

namespace vaeguard::reports {
namespace {

/// A row of the paper's Table 2, as printed.
struct PrintedRow {
  const char* dataset;
  std::array<const char*, 7> texts;  // model, MS-SSIM at 0.1 and 0.2, accuracy at 0, 0.1 and 0.2, MSE
};

constexpr std::array<PrintedRow, 8> kPrinted = {{
    {"mnist", {"VAE", "0.70 (0.02)", "0.36 (0.03)", "0.90 (0.04)", "0.08 (0.04)", "0.05 (0.03)", "578.7"}},
    {"mnist", {"VAE + HMC", "0.88 (0.01)", "0.76 (0.02)", "0.76 (0.01)", "0.25 (0.03)", "0.19 (0.03)", "478.1"}},
    {"mnist", {"β-VAE", "0.75 (0.01)", "0.50 (0.03)", "0.90 (0.05)", "0.11 (0.04)", "0.01 (0.01)", "824.2"}},
    {"mnist", {"β-TCVAE", "0.70 (0.02)", "0.46 (0.03)", "0.86 (0.05)", "0.05 (0.03)", "0.03 (0.02)", "828.4"}},
    {"fashion_mnist", {"VAE", "0.59 (0.03)", "0.47 (0.03)", "0.78 (0.06)", "0.00 (0.01)", "0.01 (0.01)", "814.2"}},
    {"fashion_mnist",
     {"VAE + HMC", "0.66 (0.03)", "0.54 (0.03)", "0.56 (0.01)", "0.14 (0.02)", "0.13 (0.02)", "764.2"}},
    {"fashion_mnist", {"β-VAE", "0.52 (0.03)", "0.41 (0.03)", "0.80 (0.05)", "0.00 (0.01)", "0.00 (0.01)", "1021.1"}},
    {"fashion_mnist", {"β-TCVAE", "0.52 (0.03)", "0.42 (0.03)", "0.84 (0.05)", "0.00 (0.01)", "0.02 (0.02)", "980.4"}},
}};

}  // namespace

std::optional<Table> paper_table(const RunRecords& records) {
  std::set<std::string> datasets;
  for (const measures::Measurement& measurement : records.measurements) {
    datasets.insert(measurement.dataset);
  }
  if (datasets.size() != 1) {
    return std::nullopt;
  }
  Table table;
  table.caption =
      "Printed in the paper (Kuzina, Welling and Tomczak 2022, Table 2), standard errors in parentheses; of several "
      "β the best for each column";
  table.columns = {{.title = "Model", .key = "model", .number = false},
                   {.title = "MS-SSIM, radius 0.1", .key = "ms_ssim_kuzina22_0.1"},
                   {.title = "MS-SSIM, radius 0.2", .key = "ms_ssim_kuzina22_0.2"},
                   {.title = "Accuracy, clean", .key = "label_accuracy_0"},
                   {.title = "Adversarial accuracy, 0.1", .key = "agreement_0.1"},
                   {.title = "Adversarial accuracy, 0.2", .key = "agreement_0.2"},
                   {.title = "MSE", .key = "mse255"}};
  for (const PrintedRow& printed : kPrinted) {
    if (*datasets.begin() == printed.dataset) {
      std::vector<TableCell> row;
      for (const char* text : printed.texts) {
        row.push_back({.text = text});
      }
      table.rows.push_back(std::move(row));
    }
  }
  return table.rows.empty() ? std::nullopt : std::optional(table);
}

}  // namespace vaeguard::reports
