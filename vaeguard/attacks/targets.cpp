// The smallest keyed number among references of other classes.
#include "vaeguard/attacks/targets.h"

#include <limits>

#include "vaeguard/base/error.h"

namespace vaeguard::attacks {

std::vector<std::int64_t> choose_targets(std::span<const std::int64_t> classes, std::span<const std::int64_t> positions,
                                         Key key) {
  if (!classes.empty() && classes.size() != positions.size()) {
    misuse("attacks.targets", "each reference needs a class and a position, got {} and {}", classes.size(),
           positions.size());
  }
  const auto alike = [&](std::size_t one, std::size_t other) {
    return classes.empty() ? one == other : classes[one] == classes[other];
  };
  std::vector<std::int64_t> targets(positions.size(), -1);
  for (std::size_t own = 0; own < positions.size(); ++own) {
    const Key own_key = key.fold(static_cast<std::uint64_t>(positions[own]));
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t other = 0; other < positions.size(); ++other) {
      const std::uint64_t number = own_key.fold(static_cast<std::uint64_t>(positions[other])).value();
      if (!alike(own, other) && (targets[own] < 0 || number < least)) {
        least = number;
        targets[own] = static_cast<std::int64_t>(other);
      }
    }
    if (targets[own] < 0 && classes.empty()) {
      misuse("attacks.targets", "a targeted attack needs at least two references, got one");
    }
    if (targets[own] < 0) {
      misuse("attacks.targets", "a targeted attack needs references of two classes, all {} are of class {}",
             classes.size(), classes[own]);
    }
  }
  return targets;
}

}  // namespace vaeguard::attacks
