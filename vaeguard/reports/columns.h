// Columns of tables with the words of the records' columns and metrics.
#pragma once

#include <string_view>

#include "vaeguard/reports/table.h"

namespace vaeguard::reports {

/// The numbers of a column of the records: "n".
TableColumn number_column(std::string_view name);
/// The words of one: "defence".
TableColumn word_column(std::string_view name);
/// The words of one that heads rows: "model".
TableColumn head_column(std::string_view name);
/// A metric with its interval.
TableColumn metric_column(std::string_view name);

}  // namespace vaeguard::reports
