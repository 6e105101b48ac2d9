// The records of a run in SQLite: a cell's rows appear all at once or not at all, and are read in the plan's order.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/measures/record.h"

struct sqlite3;

namespace vaeguard::runs {

/// `results.sqlite` of a run. Throws Failure with SQLite's message, Misuse where the file is no such database.
class Store {
 public:
  enum class Access { read, write };
  Store(const std::filesystem::path& file, Access access);
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  [[nodiscard]] bool finished(std::string_view cell) const;
  /// The same. Throws Misuse where the cell was computed from something else than this digest (cell.h) stands for.
  [[nodiscard]] bool finished(std::string_view cell, std::string_view digest) const;
  /// Replaces the cell's rows and marks it finished, in one transaction.
  void write(std::string_view cell, std::string_view digest, const measures::CellRecords& records);
  /// The order in which `read` gives the cells, whichever is finished when; cells that are not named come last.
  void arrange(const std::vector<std::string>& cells);
  /// The items of one cell, estimate and metric, in their order; empty where there are none.
  [[nodiscard]] std::vector<measures::Item> items(std::string_view cell, std::string_view estimate,
                                                  std::string_view metric) const;
  /// Everything, in the order of `arrange`.
  [[nodiscard]] measures::CellRecords read() const;

 private:
  struct Database;
  // All of `work` on the database, or nothing of it.
  void transact(const std::function<void(sqlite3*)>& work);
  std::unique_ptr<Database> database_;
};

/// The table `measurements` as CSV: a header line, then a line each with full precision.
std::string measurements_csv(const std::vector<measures::Measurement>& measurements);

}  // namespace vaeguard::runs
