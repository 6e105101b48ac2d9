// The records of a run in SQLite: a cell's rows appear all at once or not at all, and are read in plan order.
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

/// `results.sqlite` of a run. Throws Failure with SQLite's message, Misuse if the file is not such a database.
class Store {
 public:
  enum class Access { read, write };
  Store(const std::filesystem::path& file, Access access);
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  [[nodiscard]] bool finished(std::string_view cell) const;
  /// The same. Throws Misuse if the finished cell has another digest (cell.h): it was computed from something else.
  [[nodiscard]] bool finished(std::string_view cell, std::string_view digest) const;
  /// Replaces the cell's rows and marks it finished, in one transaction.
  void write(std::string_view cell, std::string_view digest, const measures::CellRecords& records);
  /// Sets the order in which `read` gives the cells, whenever each was finished; cells that are not named come last.
  void arrange(const std::vector<std::string>& cells);
  /// The items of one cell, estimate and metric, in their order; empty if there are none.
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

/// The table `measurements` as CSV: a header line, then one line per measurement with full precision.
std::string measurements_csv(const std::vector<measures::Measurement>& measurements);

}  // namespace vaeguard::runs
