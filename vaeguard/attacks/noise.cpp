// One random outermost point of the threat per row.
#include "vaeguard/attacks/noise.h"

#include "vaeguard/attacks/entry.h"

namespace vaeguard::attacks {

Matrix Noise::maximise(Search& search) const {
  const Matrix& references = search.references();
  Matrix points(references.rows(), references.columns());
  for (std::int64_t i = 0; i < points.rows(); ++i) {
    search.threat(i).random_extreme(search.keys()[static_cast<std::size_t>(i)].fold("noise"), references.row(i),
                                    points.row(i));
  }
  return points;
}

namespace {

struct NoiseOptions {};

}  // namespace

OptimiserEntries noise_entries() {
  static const OptionSchema<NoiseOptions> schema;
  return {optimiser_entry<NoiseOptions>(
      {.name = "noise",
       .title = "Random noise",
       .description = "One random outermost point of the ball, which any attack must beat."},
      [](std::string_view) { return NoiseOptions{}; }, schema,
      [](const NoiseOptions& /*options*/) { return std::make_unique<Noise>(); })};
}

}  // namespace vaeguard::attacks
