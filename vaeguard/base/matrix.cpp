// Shape changes, copies of rows, and checks with their messages.
#include "vaeguard/base/matrix.h"

#include <algorithm>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/matrix_view.h"

namespace vaeguard {

Matrix::Matrix(std::int64_t rows, std::int64_t columns, float fill)
    : rows_(rows), columns_(columns), values_(static_cast<std::size_t>(rows * columns), fill) {}

Matrix::Matrix(std::int64_t rows, std::int64_t columns, std::vector<float> values)
    : rows_(rows), columns_(columns), values_(std::move(values)) {
  if (static_cast<std::int64_t>(values_.size()) != rows * columns) {
    misuse("base.matrix", "a [{}, {}] matrix takes {} values, got {}", rows, columns, rows * columns, values_.size());
  }
}

void Matrix::resize(std::int64_t rows, std::int64_t columns) {
  rows_ = rows;
  columns_ = columns;
  values_.resize(static_cast<std::size_t>(rows * columns));
}

Matrix Matrix::slice(std::int64_t first, std::int64_t count) const {
  if (first < 0 || count < 0 || first + count > rows_) {
    misuse("base.matrix", "rows {} to {} are outside a matrix of {} rows", first, first + count, rows_);
  }
  const auto begin = values_.begin() + first * columns_;
  return {count, columns_, std::vector<float>(begin, begin + count * columns_)};
}

Matrix Matrix::slice_columns(std::int64_t first, std::int64_t count) const {
  Matrix result(rows_, count);
  for (std::int64_t i = 0; i < rows_; ++i) {
    std::copy_n(row(i).begin() + first, count, result.row(i).begin());
  }
  return result;
}

Matrix Matrix::gather(std::span<const std::int64_t> rows) const {
  Matrix result(static_cast<std::int64_t>(rows.size()), columns_);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] < 0 || rows[i] >= rows_) {
      misuse("base.matrix", "row {} is outside a matrix of {} rows", rows[i], rows_);
    }
    std::ranges::copy(row(rows[i]), result.row(static_cast<std::int64_t>(i)).begin());
  }
  return result;
}

void Matrix::assign(std::int64_t first, const Matrix& source) {
  if (source.columns_ != columns_ || first < 0 || first + source.rows_ > rows_) {
    misuse("base.matrix", "cannot write [{}, {}] at row {} of [{}, {}]", source.rows_, source.columns_, first, rows_,
           columns_);
  }
  std::ranges::copy(source.values_, values_.begin() + first * columns_);
}

Matrix repeat_rows(const Matrix& matrix, std::int64_t times) {
  Matrix result(matrix.rows() * times, matrix.columns());
  for (std::int64_t i = 0; i < result.rows(); ++i) {
    std::ranges::copy(matrix.row(i / times), result.row(i).begin());
  }
  return result;
}

Matrix join_columns(const Matrix& left, const Matrix& right) {
  check_shape("base.matrix", "the right side", right, left.rows(), -1);
  Matrix result(left.rows(), left.columns() + right.columns());
  for (std::int64_t i = 0; i < left.rows(); ++i) {
    std::ranges::copy(right.row(i), std::ranges::copy(left.row(i), result.row(i).begin()).out);
  }
  return result;
}

void check_shape(std::string_view place, std::string_view name, const Matrix& matrix, std::int64_t rows,
                 std::int64_t columns) {
  check_shape(place, name, MatrixView(matrix), rows, columns);
}

void check_finite(std::string_view place, std::string_view name, const Matrix& matrix) {
  check_finite(place, name, MatrixView(matrix));
}

}  // namespace vaeguard
