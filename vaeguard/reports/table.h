// One table model, written as HTML, Markdown, LaTeX and CSV.
#pragma once

#include <limits>
#include <string>
#include <vector>

namespace vaeguard::reports {

/// Whether a number's interval lies entirely on the better or on the worse side of its baseline.
enum class Mark { none, better, worse };

struct TableCell {
  std::string text = {};      // for display: "Encoder attack", "0.88"; "–" for not measured
  std::string interval = {};  // "[0.86, 0.90]", may be empty
  Mark mark = Mark::none;
  std::string raw = {};  // for CSV: the name in records or the full number; `text` if empty
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

struct TableColumn {
  std::string title = {};
  std::string key = {};          // the column's name in CSV
  bool number = true;            // aligned right
  bool heads_rows = false;       // repeated values are merged vertically; such columns come first
  bool has_interval = false;     // CSV gets key_low and key_high too
  std::string explanation = {};  // shown on hover
};

struct Table {
  std::string caption = {};
  std::vector<TableColumn> columns = {};
  std::vector<std::vector<TableCell>> rows = {};  // each as long as `columns`
};

/// A <table>; all text is escaped. It does not scroll by itself: wrap it in an element that does.
std::string to_html(const Table& table);
std::string to_markdown(const Table& table);
/// A tabular of the booktabs package inside a table environment.
std::string to_latex(const Table& table);
/// RFC 4180 with a header line; missing numbers are empty, not-a-number is "nan".
std::string to_csv(const Table& table);

}  // namespace vaeguard::reports
