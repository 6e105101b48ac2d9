// Takes a column's words from the lists of columns and metrics.
#include "vaeguard/reports/columns.h"

#include <string>

#include "vaeguard/metrics/columns.h"
#include "vaeguard/reports/words.h"

namespace vaeguard::reports {

TableColumn number_column(std::string_view name) {
  const metrics::ColumnEntry& entry = metrics::columns().find(name);
  return {
      .title = std::string(entry.title), .key = std::string(entry.name), .explanation = std::string(entry.description)};
}

TableColumn word_column(std::string_view name) {
  TableColumn column = number_column(name);
  column.number = false;
  return column;
}

TableColumn head_column(std::string_view name) {
  TableColumn column = word_column(name);
  column.heads_rows = true;
  return column;
}

TableColumn metric_column(std::string_view name) {
  const MetricWords words = metric_words(name);
  return {.title = words.title, .key = words.name, .has_interval = true, .explanation = words.explanation};
}

}  // namespace vaeguard::reports
