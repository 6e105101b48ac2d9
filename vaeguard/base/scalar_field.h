// The narrow waist: B independent points in, B values and B gradients out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"

namespace vaeguard {

/// B real functions of D variables, one per point: posterior energies, attack goals and test targets all are one.
/// Point b is only ever seen by function b, so any batch of them gives each the same result.
class ScalarField {
 public:
  virtual ~ScalarField() = default;
  /// B, the number of functions.
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// D, the number of variables of each.
  [[nodiscard]] virtual std::int64_t dimension() const = 0;
  /// Evaluates functions first .. first + points.rows() at `points` [n, D]: values [n], and gradients [n, D] unless
  /// null (resized as needed). Values may be infinite or NaN where a function overflows; callers treat that as data.
  /// Safe to call from several threads at once.
  virtual void evaluate(std::int64_t first, const Matrix& points, std::span<double> values,
                        Matrix* gradients) const = 0;
  /// The same gradients that evaluate gives, bit for bit, for callers that need no values.
  virtual void gradients(std::int64_t first, const Matrix& points, Matrix& gradients) const {
    std::vector<double> dropped(static_cast<std::size_t>(points.rows()));
    evaluate(first, points, dropped, &gradients);
  }
};

/// The values of all functions of `field`, function b at row b of `points` [B, D].
std::vector<double> values_of(const ScalarField& field, const Matrix& points, int threads);

}  // namespace vaeguard
