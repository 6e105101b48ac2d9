// Samples a posterior of your own with vaeguard's HMC: the brightness of each class of images, given a few of them.
#include <fmt/format.h>

#include <cmath>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "vaeguard/base/scalar_field.h"
#include "vaeguard/data/synthetic.h"
#include "vaeguard/mcmc/hmc.h"
#include "vaeguard/mcmc/warmup.h"

namespace {

using vaeguard::Key;
using vaeguard::Matrix;

/// U(z) = (z - mean)^2 / (2 variance): what images of one class say about their brightness, one function per class.
class Brightness : public vaeguard::ScalarField {
 public:
  Brightness(std::vector<double> means, std::vector<double> variances)
      : means_(std::move(means)), variances_(std::move(variances)) {}

  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(means_.size()); }
  [[nodiscard]] std::int64_t dimension() const override { return 1; }
  [[nodiscard]] const std::vector<double>& means() const { return means_; }
  [[nodiscard]] const std::vector<double>& variances() const { return variances_; }
  void evaluate(std::span<const std::int64_t> functions, const Matrix& points, std::span<double> values,
                Matrix* gradients) const override {
    if (gradients != nullptr) {
      gradients->resize(points.rows(), 1);
    }
    for (std::int64_t b = 0; b < points.rows(); ++b) {
      const auto function = static_cast<std::size_t>(functions[static_cast<std::size_t>(b)]);
      const double gap = static_cast<double>(points(b, 0)) - means_[function];
      values[static_cast<std::size_t>(b)] = gap * gap / (2.0 * variances_[function]);
      if (gradients != nullptr) {
        (*gradients)(b, 0) = static_cast<float>(gap / variances_[function]);
      }
    }
  }

 private:
  std::vector<double> means_;
  std::vector<double> variances_;
};

Brightness learn(const vaeguard::data::Images& images, std::int64_t classes) {
  std::vector<double> sums(static_cast<std::size_t>(classes));
  std::vector<double> squares(sums.size());
  std::vector<double> counts(sums.size());
  for (std::int64_t i = 0; i < images.pixels.rows(); ++i) {
    const auto pixels = images.pixels.row(i);
    const double brightness = std::accumulate(pixels.begin(), pixels.end(), 0.0) / static_cast<double>(pixels.size());
    const auto label = static_cast<std::size_t>(images.labels[static_cast<std::size_t>(i)]);
    sums[label] += brightness;
    squares[label] += brightness * brightness;
    counts[label] += 1.0;
  }
  std::vector<double> means;
  std::vector<double> variances;
  for (std::size_t k = 0; k < sums.size(); ++k) {
    means.push_back(sums[k] / counts[k]);
    variances.push_back((squares[k] / counts[k] - means[k] * means[k]) / counts[k]);
  }
  return {means, variances};
}

}  // namespace

int main() {
  namespace mcmc = vaeguard::mcmc;
  const auto dataset = vaeguard::data::synthetic({.train = 500}, Key(1).fold("images"));
  const Brightness field = learn(dataset.train, dataset.classes);
  const mcmc::Target target{field, vaeguard::consecutive(0, field.size())};

  // One chain per class; each has its own key, step size and accept.
  std::vector<Key> keys;
  for (std::int64_t k = 0; k < dataset.classes; ++k) {
    keys.push_back(Key(1).fold("chain").fold(static_cast<std::uint64_t>(k)));
  }
  const mcmc::Hmc kernel({.leapfrog_steps = 5, .jitter = 0.2});
  // Step sizes are in units of each posterior's width.
  mcmc::Metric metric = mcmc::identity_metric(field.size(), field.dimension());
  for (std::int64_t k = 0; k < field.size(); ++k) {
    metric.inverse_mass(k, 0) = static_cast<float>(field.variances()[static_cast<std::size_t>(k)]);
  }
  mcmc::State start = mcmc::make_state(target, Matrix(field.size(), field.dimension()));
  mcmc::Tuned tuned =
      mcmc::warm_up(kernel, keys, target, std::move(metric), std::move(start), {.transitions = 200}, [](auto&&...) {});
  constexpr int kDraws = 500;
  std::vector<double> means(keys.size());
  mcmc::sample(kernel, keys, target, std::move(tuned), kDraws, [&](int, const mcmc::State& state, const mcmc::Info&) {
    for (std::size_t k = 0; k < means.size(); ++k) {
      means[k] += static_cast<double>(state.position(static_cast<std::int64_t>(k), 0)) / kDraws;
    }
  });
  for (std::size_t k = 0; k < means.size(); ++k) {
    fmt::print("class {}: brightness {:.4f}, exactly {:.4f}\n", k, means[k], field.means()[k]);
  }
}
