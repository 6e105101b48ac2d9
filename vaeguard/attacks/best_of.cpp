// Members in turn, judged by one objective.
#include "vaeguard/attacks/best_of.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "vaeguard/attacks/best.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/scalar_field.h"

namespace vaeguard::attacks {

BestOf::BestOf(std::string_view name, std::vector<BestOfMember> members, double enough)
    : name_(name), members_(std::move(members)), enough_(enough) {
  const bool whole = std::ranges::all_of(members_, [](const BestOfMember& member) { return member.attack != nullptr; });
  if (members_.empty() || !whole || std::isnan(enough_)) {
    misuse("attacks.best_of", "{} needs attacks, at least one, and a number for enough, got {} and {}", name_,
           members_.size(), enough_);
  }
}

Matrix BestOf::maximise(Search& search) const {
  Matrix points = search.references();
  Best best(points);
  std::vector<std::int64_t> rows = consecutive(0, points.rows());
  std::vector<double> values;
  for (std::size_t number = 0; number < members_.size() && !rows.empty(); ++number) {
    Search part = search.part(rows, members_[number].objective.get(), number);
    const Matrix found = points_of(*members_[number].attack, part);
    check_shape(name_, "a member's points", found, std::ssize(rows), points.columns());
    for (std::size_t k = 0; k < rows.size(); ++k) {
      std::ranges::copy(found.row(static_cast<std::int64_t>(k)), points.row(rows[k]).begin());
      search.threat(rows[k]).project(search.references().row(rows[k]), points.row(rows[k]));
    }
    search.evaluate(rows, points, values, nullptr);
    best.observe(rows, points, values);
    rows = best.unfinished(enough_);
  }
  return std::move(best).take();
}

}  // namespace vaeguard::attacks
