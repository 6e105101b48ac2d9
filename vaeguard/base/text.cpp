// Edit distance between words, and the error that names the nearest known one.
#include "vaeguard/base/text.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard {
namespace {

// Optimal string alignment: row i holds the distances from the first i letters of `a` to every prefix of `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    last[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, current);
  }
  return last[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> known) {
  std::size_t fewest = std::max<std::size_t>(1, word.size() / 3);
  const std::string* best = nullptr;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < fewest || (distance == fewest && best == nullptr)) {
      fewest = distance;
      best = &candidate;
    }
  }
  return best == nullptr || word.empty() ? std::string() : *best;
}

void unknown_name(std::string_view place, std::string_view what, std::string_view word,
                  std::span<const std::string> known) {
  const std::string suggestion = nearest(word, known);
  misuse(place, "unknown {} '{}'{} Known: {}", what, word,
         suggestion.empty() ? "." : fmt::format(", did you mean '{}'?", suggestion), fmt::join(known, ", "));
}

}  // namespace vaeguard
