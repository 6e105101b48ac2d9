// A batch of points: a row-major float matrix [rows, columns], the currency between all folders.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace vaeguard {

/// Row-major float matrix. A batch of B images of C x H x W pixels is [B, C*H*W], a batch of B latent codes is [B, D].
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::int64_t rows, std::int64_t columns, float fill = 0.0F);
  /// Takes ownership of `values`; throws Misuse unless there are rows * columns of them.
  Matrix(std::int64_t rows, std::int64_t columns, std::vector<float> values);

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t columns() const { return columns_; }
  [[nodiscard]] bool empty() const { return rows_ == 0; }

  float* data() { return values_.data(); }
  [[nodiscard]] const float* data() const { return values_.data(); }
  [[nodiscard]] const std::vector<float>& values() const { return values_; }
  [[nodiscard]] std::span<float> flat() { return values_; }

  std::span<float> row(std::int64_t i) { return {values_.data() + i * columns_, static_cast<std::size_t>(columns_)}; }
  [[nodiscard]] std::span<const float> row(std::int64_t i) const {
    return {values_.data() + i * columns_, static_cast<std::size_t>(columns_)};
  }
  float& operator()(std::int64_t i, std::int64_t j) { return values_[static_cast<std::size_t>(i * columns_ + j)]; }
  float operator()(std::int64_t i, std::int64_t j) const { return values_[static_cast<std::size_t>(i * columns_ + j)]; }

  /// Gives the matrix a new shape; reuses its memory where that suffices. Values are unspecified afterwards.
  void resize(std::int64_t rows, std::int64_t columns);
  /// Copies rows first .. first + count.
  [[nodiscard]] Matrix slice(std::int64_t first, std::int64_t count) const;
  /// Copies columns first .. first + count of every row.
  [[nodiscard]] Matrix slice_columns(std::int64_t first, std::int64_t count) const;
  /// Copies the named rows, in that order.
  [[nodiscard]] Matrix gather(std::span<const std::int64_t> rows) const;
  /// Writes `source` over rows first .. first + source.rows().
  void assign(std::int64_t first, const Matrix& source);

  friend bool operator==(const Matrix&, const Matrix&) = default;

 private:
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  std::vector<float> values_;
};

/// Rows of `matrix` each repeated `times` in a row: r0 r0 r1 r1 ... .
Matrix repeat_rows(const Matrix& matrix, std::int64_t times);

/// The columns of both matrices side by side; they must have the same number of rows.
Matrix join_columns(const Matrix& left, const Matrix& right);

/// Throws Misuse "[place] name must be [rows, columns], got [..]" unless the shape agrees; -1 accepts any number.
void check_shape(std::string_view place, std::string_view name, const Matrix& matrix, std::int64_t rows,
                 std::int64_t columns);
/// Throws Misuse, naming the first row and column that is NaN or infinite.
void check_finite(std::string_view place, std::string_view name, const Matrix& matrix);

}  // namespace vaeguard
