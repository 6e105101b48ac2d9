// Writes the table model in four formats.
#include "vaeguard/reports/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "vaeguard/reports/html.h"

namespace vaeguard::reports {
namespace {

const std::string& raw_text(const TableCell& cell) { return cell.raw.empty() ? cell.text : cell.raw; }

/// Whether two rows share all row heads down to `column`: a head merges only inside the merged one before it.
bool same_heads(const Table& table, std::size_t row, std::size_t other, std::size_t column) {
  for (std::size_t c = 0; c <= column; ++c) {
    if (!table.columns[c].heads_rows || table.rows[row][c].text != table.rows[other][c].text) {
      return false;
    }
  }
  return true;
}

bool continues_above(const Table& table, std::size_t row, std::size_t column) {
  return row > 0 && same_heads(table, row, row - 1, column);
}

std::size_t rows_spanned(const Table& table, std::size_t row, std::size_t column) {
  std::size_t end = row + 1;
  while (end < table.rows.size() && same_heads(table, row, end, column)) {
    ++end;
  }
  return end - row;
}

/// Whether a row that is not the first differs from the one above in any row head.
bool starts_group(const Table& table, std::size_t row) {
  std::size_t heads = 0;
  while (heads < table.columns.size() && table.columns[heads].heads_rows) {
    ++heads;
  }
  return heads > 0 && row > 0 && !continues_above(table, row, heads - 1);
}

std::string html_cell(const Table& table, std::size_t row, std::size_t column) {
  const TableCell& cell = table.rows[row][column];
  const TableColumn& head = table.columns[column];
  std::string classes = head.number ? "number" : "words";
  classes += column == 0 ? " first" : "";
  if (head.heads_rows) {
    if (continues_above(table, row, column)) {
      return "";
    }
    const std::size_t span = rows_spanned(table, row, column);
    return fmt::format("<th scope=\"{}\" rowspan=\"{}\" class=\"{}\">{}</th>", span > 1 ? "rowgroup" : "row", span,
                       classes, escape_html(cell.text));
  }
  std::string mark;
  if (cell.mark != Mark::none) {
    const bool better = cell.mark == Mark::better;
    classes += better ? " better" : " worse";
    mark = better ? "<span class=\"mark\" aria-label=\"better than undefended\">▲</span>"
                  : "<span class=\"mark\" aria-label=\"worse than undefended\">▼</span>";
  }
  std::string interval;
  if (!cell.interval.empty()) {
    interval = fmt::format(" <span class=\"interval\">{}</span>", escape_html(cell.interval));
  }
  // The value by which the page sorts.
  const std::string value =
      head.number && !cell.raw.empty() ? fmt::format(" data-value=\"{}\"", escape_html(cell.raw)) : "";
  return fmt::format("<td class=\"{}\"{}>{}<span class=\"value\">{}</span>{}</td>", classes, value, mark,
                     escape_html(cell.text), interval);
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string escape_markdown(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (std::string_view("\\|*_`<>[]").find(c) != std::string_view::npos) {
      safe += '\\';
    }
    safe += c == '\n' ? ' ' : c;
  }
  return safe;
}

std::string escape_latex(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\\') {
      safe += "\\textbackslash{}";
    } else if (c == '~' || c == '^') {
      safe += fmt::format("\\{}{{}}", c);
    } else if (std::string_view("&%$#_{}").find(c) != std::string_view::npos) {
      safe += '\\';
      safe += c;
    } else {
      safe += c;
    }
  }
  safe = replace_all(safe, "∞", "$\\infty$");
  return replace_all(safe, "−", "$-$");
}

std::string cell_text(const TableCell& cell, std::string (*escape)(std::string_view), std::string_view bold_start,
                      std::string_view bold_end) {
  std::string text = escape(cell.text);
  if (cell.mark == Mark::better) {
    text = fmt::format("{}{}{}", bold_start, text, bold_end);
  }
  return cell.interval.empty() ? text : fmt::format("{} {}", text, escape(cell.interval));
}

std::string escape_csv(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  return '"' + replace_all(text, "\"", "\"\"") + '"';
}

std::string csv_number(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }

}  // namespace

std::string to_html(const Table& table) {
  std::string html =
      fmt::format("<table>\n<caption><span>{}</span></caption>\n<thead><tr>", escape_html(table.caption));
  for (const TableColumn& column : table.columns) {
    const std::string title =
        column.explanation.empty() ? "" : fmt::format(" title=\"{}\"", escape_html(column.explanation));
    html += fmt::format("<th scope=\"col\"{}{}>{}</th>", column.number ? " class=\"number\"" : "", title,
                        escape_html(column.title));
  }
  html += "</tr></thead>\n<tbody>\n";
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    html += starts_group(table, row) ? "<tr class=\"group\">" : "<tr>";
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
      html += html_cell(table, row, column);
    }
    html += "</tr>\n";
  }
  return html + "</tbody>\n</table>\n";
}

std::string to_markdown(const Table& table) {
  std::string text = escape_markdown(table.caption) + "\n\n|";
  std::string rule = "|";
  for (const TableColumn& column : table.columns) {
    text += fmt::format(" {} |", escape_markdown(column.title));
    rule += column.number ? " ---: |" : " --- |";
  }
  text += "\n" + rule + "\n";
  for (const auto& row : table.rows) {
    text += "|";
    for (const TableCell& cell : row) {
      text += fmt::format(" {} |", cell_text(cell, escape_markdown, "**", "**"));
    }
    text += "\n";
  }
  return text;
}

std::string to_latex(const Table& table) {
  std::string alignment;
  std::string head;
  for (const TableColumn& column : table.columns) {
    alignment += column.number ? 'r' : 'l';
    head += (head.empty() ? "" : " & ") + escape_latex(column.title);
  }
  std::string text = fmt::format(
      "\\begin{{table}}\n\\centering\n\\caption{{{}}}\n\\begin{{tabular}}{{{}}}\n\\toprule\n{} \\\\\n\\midrule\n",
      escape_latex(table.caption), alignment, head);
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    if (starts_group(table, row)) {
      text += "\\addlinespace\n";
    }
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
      const bool merged = table.columns[column].heads_rows && continues_above(table, row, column);
      text += column == 0 ? "" : " & ";
      text += merged ? "" : cell_text(table.rows[row][column], escape_latex, "\\textbf{", "}");
    }
    text += " \\\\\n";
  }
  return text + "\\bottomrule\n\\end{tabular}\n\\end{table}\n";
}

std::string to_csv(const Table& table) {
  std::string text;
  const auto add = [&](const std::string& field, bool first) {
    text += first ? "" : ",";
    text += escape_csv(field);
  };
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    const TableColumn& head = table.columns[column];
    add(head.key, column == 0);
    if (head.has_interval) {
      add(head.key + "_low", false);
      add(head.key + "_high", false);
    }
  }
  text += "\n";
  for (const auto& row : table.rows) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      add(row[column].text == "–" ? "" : raw_text(row[column]), column == 0);
      if (table.columns[column].has_interval) {
        add(csv_number(row[column].low), false);
        add(csv_number(row[column].high), false);
      }
    }
    text += "\n";
  }
  return text;
}

}  // namespace vaeguard::reports
