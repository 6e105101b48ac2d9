// The baseline that every attack must beat: one random outermost perturbation, without looking at the model.
#pragma once

#include "vaeguard/attacks/attack.h"

namespace vaeguard::attacks {

/// One draw per row, projected. It spends no gradient; for the best of many draws, use restarts.
class Noise : public Attack {
 public:
  [[nodiscard]] std::string_view name() const override { return "noise"; }

 private:
  [[nodiscard]] Matrix maximise(Search& search) const override;
};

}  // namespace vaeguard::attacks
