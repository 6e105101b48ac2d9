// Views: the same numbers as their memory, strides, slices, and what they refuse.
#include "vaeguard/base/matrix_view.h"

#include <limits>

#include "tests/expect_misuse.h"

namespace vaeguard {
namespace {

// [2, 3] in rows of four.
constexpr float kPadded[] = {1, 2, 3, -1, 4, 5, 6, -1};

TEST(MatrixView, ReadsAMatrixWithoutACopy) {
  const Matrix matrix(2, 2, {1, 2, 3, 4});
  const MatrixView view = matrix;
  EXPECT_EQ(view.row(1).data(), matrix.row(1).data());
  EXPECT_EQ(view(1, 0), 3.0F);
  EXPECT_EQ(view.copy(), matrix);
}

TEST(MatrixView, StepsFromRowToRow) {
  const MatrixView view(kPadded, 2, 3, 4);
  EXPECT_EQ(view(1, 2), 6.0F);
  EXPECT_EQ(view.row(1).size(), 3U);
  EXPECT_EQ(view.copy(), Matrix(2, 3, {1, 2, 3, 4, 5, 6}));
}

TEST(MatrixView, SlicesRows) {
  const MatrixView view(kPadded, 2, 3, 4);
  EXPECT_EQ(view.slice(1, 1).copy(), Matrix(1, 3, {4, 5, 6}));
  EXPECT_TRUE(view.slice(2, 0).empty());
  expect_misuse([&] { (void)view.slice(1, 2); }, {"rows 1 to 3", "of 2 rows"});
}

TEST(MatrixView, RefusesImpossibleShapes) {
  expect_misuse([] { MatrixView(kPadded, -1, 3); }, {"base.matrix_view", "-1"});
  expect_misuse([] { MatrixView(kPadded, 2, 4, 3); }, {"4 and -1"});
}

TEST(MatrixView, IsCheckedLikeAMatrix) {
  const MatrixView view(kPadded, 2, 3, 4);
  EXPECT_NO_THROW(check_shape("here", "images", view, -1, 3));
  expect_misuse([&] { check_shape("here", "images", view, 2, 4); }, {"[here] images must be [2, 4], got [2, 3]"});
  const float wild[] = {0.0F, std::numeric_limits<float>::infinity()};
  expect_misuse([&] { check_finite("here", "images", MatrixView(wild, 1, 2)); }, {"row 0, column 1"});
}

}  // namespace
}  // namespace vaeguard
