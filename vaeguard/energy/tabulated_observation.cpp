// Tables of pixels, and the cubics through their nodes.
#include "vaeguard/energy/tabulated_observation.h"

#include <algorithm>
#include <map>

#include "vaeguard/base/parallel.h"

namespace vaeguard::energy {

TabulatedObservation::TabulatedObservation(Matrix images, const models::PixelLaw& law)
    : images_(std::move(images)), first_(law.first), spacing_(law.spacing), nodes_(law.nodes()) {
  check_finite("energy.observation", "images", images_);
}

void TabulatedObservation::tabulate(const KeyOf& key_of, const FillRow& fill_row, int threads) {
  tables_.resize(static_cast<std::size_t>(images_.rows()));
  parallel_chunks(images_.rows(), 1, threads, [&](std::int64_t b, std::int64_t /*count*/) {
    tables_[static_cast<std::size_t>(b)] = table(b, key_of, fill_row);
  });
}

TabulatedObservation::Table TabulatedObservation::table(std::int64_t b, const KeyOf& key_of,
                                                        const FillRow& fill_row) const {
  Table result;
  std::map<PixelKey, std::uint32_t> known;
  std::vector<double> energies(static_cast<std::size_t>(nodes_));
  for (std::size_t i = 0; i < images_.row(b).size(); ++i) {
    const auto [at, fresh] = known.try_emplace(key_of(b, i), static_cast<std::uint32_t>(result.values.size()));
    if (fresh) {
      fill_row(b, i, energies);
      for (std::int64_t k = -1; k < nodes_ + 2; ++k) {
        const std::int64_t node = std::clamp<std::int64_t>(k, 0, nodes_ - 1);
        result.values.push_back(static_cast<float>(energies[static_cast<std::size_t>(node)]));
      }
    }
    result.rows.push_back(at->second);
  }
  return result;
}

// visit(i, four values around pixel i's output, its place t in [0, 1] between the middle two, whether it lies within
// the nodes)
template <typename Visit>
void TabulatedObservation::for_each_pixel(std::int64_t b, std::span<const float> parameters, Visit&& visit) const {
  const Table& table = tables_[static_cast<std::size_t>(b)];
  const auto first = static_cast<float>(first_);
  const auto per_spacing = static_cast<float>(1.0 / spacing_);
  const auto last = static_cast<float>(nodes_ - 1);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const float position = (parameters[i] - first) * per_spacing;
    const float within = std::clamp(position, 0.0F, last);  // NaN propagates into the sum
    const auto node = within >= 0.0F ? static_cast<std::uint32_t>(within) : 0U;
    visit(i, table.values.data() + table.rows[i] + node, within - static_cast<float>(node), within == position);
  }
}

float TabulatedObservation::slope(const float* f, float t, bool inside) const {
  const float per_node =
      0.5F *
      (f[2] - f[0] +
       t * (2.0F * (2.0F * f[0] - 5.0F * f[1] + 4.0F * f[2] - f[3]) + 3.0F * t * (3.0F * (f[1] - f[2]) + f[3] - f[0])));
  return inside ? per_node * static_cast<float>(1.0 / spacing_) : 0.0F;
}

double TabulatedObservation::negative_log(std::int64_t b, std::span<const float> parameters,
                                          std::span<float> gradient) const {
  double sum = 0.0;
  for_each_pixel(b, parameters, [&](std::size_t i, const float* f, float t, bool inside) {
    sum += f[1] + 0.5F * t *
                      (f[2] - f[0] +
                       t * (2.0F * f[0] - 5.0F * f[1] + 4.0F * f[2] - f[3] + t * (3.0F * (f[1] - f[2]) + f[3] - f[0])));
    if (!gradient.empty()) {
      gradient[i] = slope(f, t, inside);
    }
  });
  return sum;
}

void TabulatedObservation::gradient(std::int64_t b, std::span<const float> parameters,
                                    std::span<float> gradient) const {
  for_each_pixel(b, parameters,
                 [&](std::size_t i, const float* f, float t, bool inside) { gradient[i] = slope(f, t, inside); });
}

void TabulatedObservation::curvature(std::int64_t b, std::span<const float> parameters,
                                     std::span<float> curvature) const {
  const double per_spacing = 1.0 / spacing_;
  for_each_pixel(b, parameters, [&](std::size_t i, const float* f, float t, bool inside) {
    const double per_node = 2.0 * f[0] - 5.0 * f[1] + 4.0 * f[2] - f[3] + 3.0 * t * (3.0 * (f[1] - f[2]) + f[3] - f[0]);
    curvature[i] = inside ? static_cast<float>(per_node * per_spacing * per_spacing) : 0.0F;
  });
}

}  // namespace vaeguard::energy
