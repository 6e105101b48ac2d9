// Cells that stand apart end in the word for what they are of; names of plans have no dash, so none is mistaken.
#include "vaeguard/measures/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vaeguard::measures {
namespace {

constexpr std::array kEndings = {std::pair{CellKind::model, std::string_view("model")},
                                 std::pair{CellKind::inception, std::string_view("inception")},
                                 std::pair{CellKind::smallest, std::string_view("smallest")},
                                 std::pair{CellKind::distortion, std::string_view("distortion")}};

}  // namespace

CellKind cell_kind(std::string_view cell) {
  const std::string_view last = cell.substr(cell.rfind('-') + 1);  // all of it where there is no dash
  const auto found = std::ranges::find(kEndings, last, &decltype(kEndings)::value_type::second);
  return found == kEndings.end() ? CellKind::scenario : found->first;
}

std::string cell_apart(std::string_view before, CellKind kind) {
  const auto found = std::ranges::find(kEndings, kind, &decltype(kEndings)::value_type::first);
  return fmt::format("{}{}", before, found->second);
}

}  // namespace vaeguard::measures
