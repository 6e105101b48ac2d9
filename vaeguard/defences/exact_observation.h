// The observation model of the paper: the image as it is.
#pragma once

#include "vaeguard/defences/observation_model.h"

namespace vaeguard::defences {

/// What the records in results/ say against defences that take the image as it is.
inline constexpr std::string_view kExactCaution =
    "On coloured digits attacked images can end worse off than undefended: the posterior of the attacked image has "
    "other modes, of other classes.";

/// The ordinary posterior p(z|x) (Kuzina et al. 2022, eq. 9).
struct ExactObservation {
  [[nodiscard]] std::string_view name() const { return "exact"; }
  static const OptionSchema<ExactObservation>& schema();
  void validate() const {}
  [[nodiscard]] PosteriorProblem pose(const models::Vae& vae, const Matrix& images, const Posing& posing) const;
};

}  // namespace vaeguard::defences
