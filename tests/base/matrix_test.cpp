// The batch of points: shapes, copies of rows and the messages of its checks.
#include "vaeguard/base/matrix.h"

#include <limits>

#include "tests/expect_misuse.h"

namespace vaeguard {
namespace {

using testing::ElementsAre;

Matrix counted(std::int64_t rows, std::int64_t columns) {
  Matrix matrix(rows, columns);
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    matrix.data()[i] = static_cast<float>(i);
  }
  return matrix;
}

TEST(Matrix, RowsLieOneAfterAnother) {
  const Matrix matrix = counted(2, 3);
  EXPECT_THAT(matrix.row(1), ElementsAre(3.0F, 4.0F, 5.0F));
  EXPECT_EQ(matrix(1, 2), 5.0F);
  EXPECT_FALSE(matrix.empty());
  EXPECT_TRUE(Matrix().empty());
}

TEST(Matrix, IsFilledWithTheGivenValue) { EXPECT_THAT(Matrix(1, 2, 0.5F).values(), ElementsAre(0.5F, 0.5F)); }

TEST(Matrix, RefusesValuesOfAnotherNumber) {
  expect_misuse([] { Matrix(2, 3, std::vector<float>(5)); }, {"[2, 3]", "6 values", "got 5"});
}

TEST(Matrix, SliceCopiesNeighbouringRows) {
  EXPECT_EQ(counted(4, 2).slice(1, 2), Matrix(2, 2, {2.0F, 3.0F, 4.0F, 5.0F}));
  EXPECT_EQ(counted(4, 2).slice(4, 0).rows(), 0);
}

TEST(Matrix, SliceRefusesRowsOutside) {
  const Matrix matrix = counted(4, 2);
  expect_misuse([&] { (void)matrix.slice(3, 2); }, {"rows 3 to 5", "4 rows"});
  expect_misuse([&] { (void)matrix.slice(-1, 2); }, {"rows -1"});
  expect_misuse([&] { (void)matrix.slice(2, -1); }, {"4 rows"});
}

TEST(Matrix, GatherCopiesRowsInTheOrderAsked) {
  const std::vector<std::int64_t> rows = {2, 0, 2};
  EXPECT_EQ(counted(3, 1).gather(rows), Matrix(3, 1, {2.0F, 0.0F, 2.0F}));
}

TEST(Matrix, GatherRefusesRowsOutside) {
  for (const std::int64_t row : {std::int64_t{-1}, std::int64_t{3}}) {
    const std::vector<std::int64_t> rows = {row};
    expect_misuse([&] { (void)counted(3, 1).gather(rows); }, {"row " + std::to_string(row), "3 rows"});
  }
}

TEST(Matrix, AssignOverwritesOnlyItsRows) {
  Matrix matrix(3, 2);
  matrix.assign(1, Matrix(1, 2, 7.0F));
  EXPECT_EQ(matrix, Matrix(3, 2, {0.0F, 0.0F, 7.0F, 7.0F, 0.0F, 0.0F}));
  expect_misuse([&] { matrix.assign(3, Matrix(1, 2)); }, {"at row 3"});
  expect_misuse([&] { matrix.assign(0, Matrix(1, 3)); }, {"[1, 3]"});
}

TEST(Matrix, RepeatedRowsStandNextToEachOther) {
  EXPECT_EQ(repeat_rows(Matrix(2, 1, {1.0F, 2.0F}), 2), Matrix(4, 1, {1.0F, 1.0F, 2.0F, 2.0F}));
}

TEST(Matrix, CheckOfShapeNamesExpectationAndFinding) {
  check_shape("here", "points", Matrix(2, 3), -1, 3);
  check_shape("here", "points", Matrix(2, 3), 2, -1);
  expect_misuse([] { check_shape("here", "points", Matrix(2, 3), -1, 4); },
                {"[here]", "points must be [any, 4]", "got [2, 3]"});
  expect_misuse([] { check_shape("here", "points", Matrix(2, 3), 1, -1); }, {"must be [1, any]"});
}

TEST(Matrix, CheckOfFiniteValuesNamesTheFirstThatIsNot) {
  Matrix matrix(2, 2);
  check_finite("here", "points", matrix);
  matrix(1, 0) = std::numeric_limits<float>::quiet_NaN();
  expect_misuse([&] { check_finite("here", "points", matrix); }, {"[here]", "nan", "row 1, column 0"});
  matrix(0, 1) = -std::numeric_limits<float>::infinity();
  expect_misuse([&] { check_finite("here", "points", matrix); }, {"-inf", "row 0, column 1"});
}

TEST(Matrix, ColumnsAreTakenApartAndJoined) {
  const Matrix whole(2, 3, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(whole.slice_columns(1, 2), Matrix(2, 2, {2, 3, 5, 6}));
  EXPECT_EQ(join_columns(whole.slice_columns(0, 1), whole.slice_columns(1, 2)), whole);
  expect_misuse([&] { (void)join_columns(whole, Matrix(1, 3)); }, {"[2, ", "[1, 3]"});
}

}  // namespace
}  // namespace vaeguard
