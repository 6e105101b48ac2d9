// Symmetric KL divergence and Euclidean distance of latent codes, row by row in double.
#include "vaeguard/metrics/latent.h"

#include <cmath>

namespace vaeguard::metrics {

std::vector<double> symmetric_kl(const Matrix& mean_p, const Matrix& logvar_p, const Matrix& mean_q,
                                 const Matrix& logvar_q) {
  check_shape("metrics.symmetric_kl", "logvar_p", logvar_p, mean_p.rows(), mean_p.columns());
  check_shape("metrics.symmetric_kl", "mean_q", mean_q, mean_p.rows(), mean_p.columns());
  check_shape("metrics.symmetric_kl", "logvar_q", logvar_q, mean_p.rows(), mean_p.columns());
  std::vector<double> result(static_cast<std::size_t>(mean_p.rows()));
  for (std::int64_t i = 0; i < mean_p.rows(); ++i) {
    double sum = 0.0;
    for (std::int64_t j = 0; j < mean_p.columns(); ++j) {
      const double lv_p = logvar_p(i, j);
      const double lv_q = logvar_q(i, j);
      const double shift = static_cast<double>(mean_p(i, j)) - static_cast<double>(mean_q(i, j));
      // (exp(D) + exp(-D)) / 4 - 1/2 = sinh(D/2)^2, which keeps its digits where the encodings are close.
      const double spread = std::sinh(0.5 * (lv_p - lv_q));
      sum += spread * spread + 0.25 * shift * shift * (std::exp(-lv_p) + std::exp(-lv_q));
    }
    result[static_cast<std::size_t>(i)] = sum;
  }
  return result;
}

std::vector<double> latent_distance(const Matrix& a, const Matrix& b) {
  check_shape("metrics.latent_distance", "b", b, a.rows(), a.columns());
  std::vector<double> result(static_cast<std::size_t>(a.rows()));
  for (std::int64_t i = 0; i < a.rows(); ++i) {
    double sum = 0.0;
    for (std::int64_t j = 0; j < a.columns(); ++j) {
      const double difference = static_cast<double>(a(i, j)) - static_cast<double>(b(i, j));
      sum += difference * difference;
    }
    result[static_cast<std::size_t>(i)] = std::sqrt(sum);
  }
  return result;
}

}  // namespace vaeguard::metrics
