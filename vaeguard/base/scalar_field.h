// The narrow waist: B independent points in, B values and B gradients out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"

namespace vaeguard {

/// B real functions of D variables each: posterior energies, attack goals and test targets are all scalar fields. Each
/// function sees only its own point, so its result is the same in any batch and any order.
class ScalarField {
 public:
  virtual ~ScalarField() = default;
  /// B, the number of functions.
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// D, the number of variables of each function.
  [[nodiscard]] virtual std::int64_t dimension() const = 0;
  /// Evaluates the functions with these indices [n], in any order and possibly repeated, at `points` [n, D]: values
  /// [n], and gradients [n, D] unless null (resized as needed). Values may be infinite or NaN where a function
  /// overflows; callers treat that as data. Safe to call from several threads at once.
  virtual void evaluate(std::span<const std::int64_t> functions, const Matrix& points, std::span<double> values,
                        Matrix* gradients) const = 0;
  /// The same gradients as evaluate gives, bit for bit, for callers that need no values.
  virtual void gradients(std::span<const std::int64_t> functions, const Matrix& points, Matrix& gradients) const {
    std::vector<double> dropped(functions.size());
    evaluate(functions, points, dropped, &gradients);
  }
};

/// The indices first .. first + count.
std::vector<std::int64_t> consecutive(std::int64_t first, std::int64_t count);

/// The values of all functions of `field`, function b at row b of `points` [B, D].
std::vector<double> values_of(const ScalarField& field, const Matrix& points, int threads);

}  // namespace vaeguard
