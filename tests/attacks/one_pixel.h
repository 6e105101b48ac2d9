// A field of one pixel whose values and slopes a test chooses, and which remembers where it was asked.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "vaeguard/base/scalar_field.h"

namespace vaeguard::attacks {

class OnePixel : public ScalarField {
 public:
  using Function = std::function<std::pair<double, float>(float)>;
  explicit OnePixel(Function function) : function_(std::move(function)) {}
  [[nodiscard]] std::int64_t size() const override { return 1; }
  [[nodiscard]] std::int64_t dimension() const override { return 1; }
  void evaluate(std::span<const std::int64_t>, const Matrix& points, std::span<double> values,
                Matrix* gradients) const override {
    const auto [value, gradient] = function_(points(0, 0));
    values[0] = value;
    asked_.push_back(points(0, 0));
    if (gradients != nullptr) {
      *gradients = Matrix(1, 1, gradient);
    }
  }
  mutable std::vector<float> asked_;

 private:
  Function function_;
};

}  // namespace vaeguard::attacks
