// Optimisers that walk down energies: Adam for a chunk of images at once, L-BFGS for one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/random.h"
#include "vaeguard/base/scalar_field.h"

namespace vaeguard::defences {

struct AdamOptions {
  int gradients = 60;
  double learning_rate = 0.15;  // the first; it falls to 0 on half a cosine
};

/// Adam (Kingma and Ba 2015) with a shorter memory of squares, since there are few steps, on these functions
/// of `energy` from `points` [n, D], in place. A gradient that is not a number counts as 0.
void descend_adam(const ScalarField& energy, std::span<const std::int64_t> functions, const AdamOptions& options,
                  Matrix& points);

/// For energies with several modes: Adam from `starts` codes of each function, row b of `points` [n, D] itself and that
/// row with N(0, I) noise of keys[b] added; of all ends the lowest, in place. One start is descend_adam.
void descend_adam_from_several(const ScalarField& energy, std::span<const std::int64_t> functions,
                               const AdamOptions& options, int starts, std::span<const Key> keys, Matrix& points);

/// What that spends on one function; more than one start cost an energy each, counted as a gradient.
inline int gradients_from_several(int gradients, int starts) {
  return starts > 1 ? starts * (gradients + 1) : gradients;
}

/// Rows of `others` [n, D] take the place of those of `points`, and their energies that of `lowest` [n], where they are
/// lower or the old one is NaN.
void keep_lowest(const ScalarField& energy, std::span<const std::int64_t> functions, const Matrix& others,
                 Matrix& points, std::vector<double>& lowest);

/// L-BFGS (base/lbfgs.h) on one function from `point` [D], in place, until an iteration has reached `gradients` or
/// the gradient's norm fell below 1e-5 of the point's. Returns the gradients spent, a few more than asked where a line
/// search took them.
int descend_lbfgs(const ScalarField& energy, std::int64_t function, int gradients, std::span<float> point);

}  // namespace vaeguard::defences
