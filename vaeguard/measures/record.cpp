// The names of the kinds of cells.
#include "vaeguard/measures/record.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "vaeguard/base/text.h"

namespace vaeguard::measures {
namespace {

constexpr std::array kWords = {std::pair{CellKind::scenario, std::string_view("scenario")},
                               std::pair{CellKind::model, std::string_view("model")},
                               std::pair{CellKind::inception, std::string_view("inception")},
                               std::pair{CellKind::smallest, std::string_view("smallest")},
                               std::pair{CellKind::distortion, std::string_view("distortion")}};

}  // namespace

std::string_view name(CellKind kind) {
  return std::ranges::find(kWords, kind, &decltype(kWords)::value_type::first)->second;
}

CellKind cell_kind(std::string_view name) {
  const auto found = std::ranges::find(kWords, name, &decltype(kWords)::value_type::second);
  if (found == kWords.end()) {
    std::vector<std::string> known;
    std::ranges::transform(kWords, std::back_inserter(known),
                           [](const auto& word) { return std::string(word.second); });
    unknown_name("measures.record", "kind of cell", std::string(name), known);
  }
  return found->first;
}

}  // namespace vaeguard::measures
