// Evaluating whole fields.
#include "vaeguard/base/scalar_field.h"

#include <numeric>

#include "vaeguard/base/parallel.h"

namespace vaeguard {

std::vector<std::int64_t> consecutive(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), first);
  return indices;
}

std::vector<double> values_of(const ScalarField& field, const Matrix& points, int threads) {
  constexpr std::int64_t kPointsAtOnce = 64;
  std::vector<double> values(static_cast<std::size_t>(points.rows()));
  parallel_chunks(points.rows(), row_chunk(points.rows(), kPointsAtOnce, threads), threads,
                  [&](std::int64_t first, std::int64_t count) {
                    const auto to =
                        std::span(values).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
                    field.evaluate(consecutive(first, count), points.slice(first, count), to, nullptr);
                  });
  return values;
}

}  // namespace vaeguard
