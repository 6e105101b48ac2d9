// A view of rows of floats owned elsewhere: a Matrix, a part of one, another language's array.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "vaeguard/base/matrix.h"

namespace vaeguard {

/// The parameter type of functions that only read a batch [rows, columns]. Copies nothing; valid while the memory is.
class MatrixView {
 public:
  MatrixView() = default;
  /// Row i begins at data + i * stride. Throws Misuse unless rows >= 0 and stride >= columns >= 0.
  MatrixView(const float* data, std::int64_t rows, std::int64_t columns, std::int64_t stride);
  MatrixView(const float* data, std::int64_t rows, std::int64_t columns) : MatrixView(data, rows, columns, columns) {}
  MatrixView(const Matrix& matrix)  // NOLINT(google-explicit-constructor): most callers hold a matrix
      : data_(matrix.data()), rows_(matrix.rows()), columns_(matrix.columns()), stride_(matrix.columns()) {}

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t columns() const { return columns_; }
  [[nodiscard]] std::int64_t stride() const { return stride_; }
  [[nodiscard]] bool empty() const { return rows_ == 0; }

  [[nodiscard]] std::span<const float> row(std::int64_t i) const {
    return {data_ + i * stride_, static_cast<std::size_t>(columns_)};
  }
  float operator()(std::int64_t i, std::int64_t j) const { return data_[i * stride_ + j]; }

  /// Rows first .. first + count, without a copy. Throws Misuse unless the view has them all.
  [[nodiscard]] MatrixView slice(std::int64_t first, std::int64_t count) const;
  /// The same values in a matrix of its own.
  [[nodiscard]] Matrix copy() const;

 private:
  const float* data_ = nullptr;
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  std::int64_t stride_ = 0;
};

/// As for a Matrix (base/matrix.h).
void check_shape(std::string_view place, std::string_view name, const MatrixView& matrix, std::int64_t rows,
                 std::int64_t columns);
void check_finite(std::string_view place, std::string_view name, const MatrixView& matrix);

}  // namespace vaeguard
