// The records of a run in SQLite: a cell's rows appear all at once or not at all, whatever happens.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/measures/record.h"

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
  /// Replaces the cell's rows and marks it finished, in one transaction.
  void write(std::string_view cell, const measures::CellRecords& records);
  /// The items of one cell, protocol and metric, in their order; empty where there are none.
  [[nodiscard]] std::vector<measures::Item> items(std::string_view cell, std::string_view protocol,
                                                  std::string_view metric) const;
  /// Everything, in the order of the cells' completion.
  [[nodiscard]] measures::CellRecords read() const;

 private:
  struct Database;
  std::unique_ptr<Database> database_;
};

/// The table `measurements` as CSV: a header line, then a line each with full precision.
std::string measurements_csv(const std::vector<measures::Measurement>& measurements);

}  // namespace vaeguard::runs
