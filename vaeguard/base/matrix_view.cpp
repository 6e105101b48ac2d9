// Bounds, copies and checks of views.
#include "vaeguard/base/matrix_view.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "vaeguard/base/error.h"

namespace vaeguard {

MatrixView::MatrixView(const float* data, std::int64_t rows, std::int64_t columns, std::int64_t stride)
    : data_(data), rows_(rows), columns_(columns), stride_(stride) {
  if (rows < 0 || columns < 0 || stride < columns) {
    misuse("base.matrix_view", "rows, columns and stride - columns must be at least 0, got {}, {} and {}", rows,
           columns, stride - columns);
  }
}

MatrixView MatrixView::slice(std::int64_t first, std::int64_t count) const {
  if (first < 0 || count < 0 || first + count > rows_) {
    misuse("base.matrix_view", "rows {} to {} are outside a view of {} rows", first, first + count, rows_);
  }
  return {data_ + first * stride_, count, columns_, stride_};
}

Matrix MatrixView::copy() const {
  Matrix result(rows_, columns_);
  for (std::int64_t i = 0; i < rows_; ++i) {
    std::ranges::copy(row(i), result.row(i).begin());
  }
  return result;
}

void check_shape(std::string_view place, std::string_view name, const MatrixView& matrix, std::int64_t rows,
                 std::int64_t columns) {
  const bool rows_agree = rows < 0 || matrix.rows() == rows;
  const bool columns_agree = columns < 0 || matrix.columns() == columns;
  if (!rows_agree || !columns_agree) {
    misuse(place, "{} must be [{}, {}], got [{}, {}]", name, rows < 0 ? "any" : std::to_string(rows),
           columns < 0 ? "any" : std::to_string(columns), matrix.rows(), matrix.columns());
  }
}

void check_finite(std::string_view place, std::string_view name, const MatrixView& matrix) {
  for (std::int64_t i = 0; i < matrix.rows(); ++i) {
    for (std::int64_t j = 0; j < matrix.columns(); ++j) {
      if (!std::isfinite(matrix(i, j))) {
        misuse(place, "{} must be finite, got {} at row {}, column {}", name, matrix(i, j), i, j);
      }
    }
  }
}

}  // namespace vaeguard
