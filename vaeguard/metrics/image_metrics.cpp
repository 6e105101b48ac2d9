// Mean squared error on the 0 to 255 scale, summed in double.
#include "vaeguard/metrics/image_metrics.h"

#include "vaeguard/base/error.h"

namespace vaeguard::metrics {

std::vector<double> mse255(const MatrixView& a, const MatrixView& b) {
  check_shape("metrics.mse255", "b", b, a.rows(), a.columns());
  if (a.columns() == 0 && a.rows() > 0) {
    misuse("metrics.mse255", "images must have at least one pixel, got 0");
  }
  std::vector<double> result(static_cast<std::size_t>(a.rows()));
  for (std::int64_t i = 0; i < a.rows(); ++i) {
    double sum = 0.0;
    for (std::int64_t j = 0; j < a.columns(); ++j) {
      const double difference = 255.0 * (static_cast<double>(a(i, j)) - static_cast<double>(b(i, j)));
      sum += difference * difference;
    }
    result[static_cast<std::size_t>(i)] = sum / static_cast<double>(a.columns());
  }
  return result;
}

}  // namespace vaeguard::metrics
