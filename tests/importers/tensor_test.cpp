// Constants: index arithmetic, and what stays open because it is the batch's.
#include "vaeguard/importers/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/expect_misuse.h"

namespace vaeguard::importers {
namespace {

using Reals = std::vector<float>;

TEST(Tensor, IsTransposedTakenAndConcatenated) {
  const Tensor tensor = Tensor::of({2, 3}, Reals{1, 2, 3, 4, 5, 6});
  EXPECT_EQ(transposed(tensor, Extents{1, 0}), Tensor::of({3, 2}, Reals{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(taken(tensor, 1, Extents{-1, 0}), Tensor::of({2, 2}, Reals{3, 1, 6, 4}));
  const std::vector<Tensor> parts{tensor, Tensor::of({2, 1}, Reals{7, 8})};
  EXPECT_EQ(concatenated(parts, 1), Tensor::of({2, 4}, Reals{1, 2, 3, 7, 4, 5, 6, 8}));
}

TEST(Tensor, IsRepeatedAlongAxesOfExtentOne) {
  EXPECT_EQ(broadcast(Tensor::of({2, 1}, Reals{1, 2}), {2, 2, 2}),
            Tensor::of({2, 2, 2}, Reals{1, 1, 2, 2, 1, 1, 2, 2}));
  expect_misuse([] { broadcast(Tensor::of({2}, Reals{1, 2}), {3}); }, {"[2] cannot be repeated to [3]"});
  EXPECT_EQ(common_shape({3, 1}, {2, 1, 4}), (Extents{2, 3, 4}));
}

TEST(Tensor, ArithmeticKeepsIntegersAndLeavesTheBatchOpen) {
  const Tensor shape = Tensor::of({2}, Extents{kBatch, 6});
  EXPECT_EQ(combined(Tensor::of({}, Extents{7}), Tensor::of({}, Extents{2}), Arithmetic::divide),
            Tensor::of({}, Extents{3}));
  EXPECT_EQ(combined(Tensor::of({2}, Extents{3, 4}), Tensor::of({}, Reals{0.5F}), Arithmetic::multiply),
            Tensor::of({2}, Reals{1.5F, 2}));
  expect_misuse([&] { combined(shape, Tensor::of({}, Extents{2}), Arithmetic::multiply); }, {"size of the batch"});
  expect_misuse([&] { static_cast<void>(shape.reals()); }, {"size of the batch"});
  EXPECT_EQ(text(shape.integers()), "[N, 6]");
}

TEST(Tensor, ShapesThatAreTooLargeOrNegativeAreRefused) {
  expect_misuse([] { count({1 << 30, 1 << 30, 1 << 30}); }, {"at most 2^40"});
  expect_misuse([] { count({2, -1}); }, {"got [2, -1]"});
  expect_misuse([] { count({0, 1 << 30, 1 << 30}); }, {"at most 2^40"});
  EXPECT_EQ(count({}), 1);
  EXPECT_EQ(count({3, 0, 2}), 0);
}

// A file of a few bytes must not ask for more memory than there is.
TEST(Tensor, ConstantsThatGrowWithoutBoundAreRefused) {
  const Tensor row = Tensor::of({1, 1 << 12}, Reals(1 << 12, 1.0F));
  expect_misuse([&] { taken(row, 0, Extents(1 << 17, 0)); }, {"at most 2^28 values, got [131072, 4096]"});
  expect_misuse([&] { broadcast(row, {1 << 17, 1 << 12}); }, {"at most 2^28 values"});
}

}  // namespace
}  // namespace vaeguard::importers
