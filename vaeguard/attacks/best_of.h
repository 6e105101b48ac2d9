// Several attacks in turn, keeping the best of their points for each image.
#pragma once

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "vaeguard/attacks/attack.h"

namespace vaeguard::attacks {

/// One of several attacks. If `objective` is null, it maximises the objective by which the whole attack is judged.
struct BestOfMember {
  std::shared_ptr<const Attack> attack;
  std::shared_ptr<const ScalarField> objective = nullptr;  // of the same references and restarts
};

/// Runs members in turn with keys of their own, projects their points and judges all of them by the one objective that
/// the attack was called with. Members may maximise other objectives, losses that lead where the judge's gradient does
/// not. Later members skip images whose judged objective exceeds `enough`.
class BestOf : public Attack {
 public:
  BestOf(std::string_view name, std::vector<BestOfMember> members,
         double enough = std::numeric_limits<double>::infinity());
  [[nodiscard]] std::string_view name() const override { return name_; }

 private:
  /// The point with the largest finite objective of each row, or the reference if there is none.
  [[nodiscard]] Matrix maximise(Search& search) const override;

  std::string name_;
  std::vector<BestOfMember> members_;
  double enough_;
};

}  // namespace vaeguard::attacks
