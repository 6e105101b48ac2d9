// Gathers rows of the references' file and the attack's by the numbers that a cell's file has of them.
#include "vaeguard/reports/cell_arrays.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard::reports {
namespace {

using Rows = std::vector<std::int64_t>;

NpzArray gather(const NpzArray& array, const Rows& rows, const std::filesystem::path& file) {
  const std::int64_t count = array.shape.empty() ? 0 : array.shape.front();
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= count) {
      misuse("reports.cell_arrays", "{} must have a row {} in each array, got {} rows", file.string(), row, count);
    }
  }
  NpzArray result{array.shape, {}};
  result.shape.front() = static_cast<std::int64_t>(rows.size());
  std::visit(
      [&](const auto& values) {
        std::remove_cvref_t<decltype(values)> gathered;
        const std::int64_t width = std::ssize(values) / count;
        for (const std::int64_t row : rows) {
          gathered.insert(gathered.end(), values.begin() + row * width, values.begin() + (row + 1) * width);
        }
        result.values = std::move(gathered);
      },
      array.values);
  return result;
}

Rows whole_numbers(const NpzArrays& arrays, const std::string& name, const std::filesystem::path& file) {
  const auto* values = find_values<std::int64_t>(arrays, name);
  if (values == nullptr) {
    misuse("reports.cell_arrays", "{} must have an array '{}' of whole numbers", file.string(), name);
  }
  return *values;
}

}  // namespace

NpzArrays cell_arrays(const RunRecords& records, const Scenario& scenario, const Cell& cell) {
  const std::filesystem::path& folder = records.arrays_folder;
  const auto own = folder / (cell.name + ".npz");
  const std::string prefix = scenario.one_of_several_models ? scenario.model + "-" : "";
  const auto of_references = folder / (prefix + "references.npz");
  if (folder.empty() || !exists(own) || !exists(of_references)) {
    return {};
  }
  NpzArrays result = read_npz(own);
  const Rows reference = whole_numbers(result, "reference", own);
  for (const auto& [name, array] : read_npz(of_references)) {
    result.insert_or_assign(name, gather(array, reference, of_references));
  }
  if (scenario.clean()) {
    for (const auto& [attacked, clean] : {std::pair{"x_adv", "x_ref"}, {"rec_adv", "rec_ref"}, {"z_adv", "z_ref"}}) {
      result.insert_or_assign(attacked, result.at(clean));
    }
    return result;
  }
  const auto of_attack =
      folder / "attacks" / fmt::format("{}{}-{}-{}.npz", prefix, scenario.attack, scenario.norm, scenario.radius);
  if (exists(of_attack)) {
    const NpzArrays attack = read_npz(of_attack);
    const NpzArrays references = read_npz(of_references);
    const auto rows = [&](const NpzArrays& arrays, const char* name) {
      const auto found = arrays.find(name);
      return found == arrays.end() || found->second.shape.empty() ? 0 : found->second.shape.front();
    };
    const std::int64_t count = rows(references, "x_ref");
    const std::int64_t restarts = count > 0 ? rows(attack, "x_adv") / count : 0;
    const Rows restart = whole_numbers(result, "restart", own);
    Rows attacked;
    for (std::size_t i = 0; i < reference.size() && i < restart.size(); ++i) {
      attacked.push_back(reference[i] * restarts + restart[i]);
    }
    for (const char* name : {"x_adv", "rec_adv", "z_adv"}) {
      if (const auto found = attack.find(name); found != attack.end()) {
        result.insert_or_assign(name, gather(found->second, attacked, of_attack));
      }
    }
  }
  return result;
}

}  // namespace vaeguard::reports
