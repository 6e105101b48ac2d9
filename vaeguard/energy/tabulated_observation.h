// Energies of pixels tabulated over the decoder's output; for the sources of this folder only.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "vaeguard/energy/observation.h"
#include "vaeguard/models/pixel_law.h"

namespace vaeguard::energy {

/// Pixels of one image with equal keys have equal energies, whatever the decoder's output.
using PixelKey = std::pair<std::uint64_t, double>;

/// An observation in which the energy of a pixel depends on the decoder's output there alone. Tabulated once for each
/// distinct pixel of an image at the nodes of a pixel law; cubic between them (Catmull and Rom 1974), constant beyond.
class TabulatedObservation : public Observation {
 public:
  [[nodiscard]] std::int64_t size() const override { return images_.rows(); }
  double negative_log(std::int64_t b, std::span<const float> parameters, std::span<float> gradient) const override;
  void gradient(std::int64_t b, std::span<const float> parameters, std::span<float> gradient) const override;
  void curvature(std::int64_t b, std::span<const float> parameters, std::span<float> curvature) const override;

 protected:
  /// Pixel i of image b.
  using KeyOf = std::function<PixelKey(std::int64_t b, std::size_t i)>;
  /// Its energies at all nodes, in nats.
  using FillRow = std::function<void(std::int64_t b, std::size_t i, std::span<double> energies)>;

  /// Images [B, C*H*W] with finite pixels, and the law whose nodes are those of the tables.
  TabulatedObservation(Matrix images, const models::PixelLaw& law);
  /// Fills the tables, which a constructor must do before anything is asked; images on `threads` threads.
  void tabulate(const KeyOf& key_of, const FillRow& fill_row, int threads);
  [[nodiscard]] const Matrix& images() const { return images_; }

 private:
  // The rows of one image, with one more value at each end, so that a cubic through four neighbours is one load.
  struct Table {
    std::vector<float> values;        // [distinct pixels, nodes + 3]
    std::vector<std::uint32_t> rows;  // [C*H*W], where each pixel's row starts
  };
  [[nodiscard]] Table table(std::int64_t b, const KeyOf& key_of, const FillRow& fill_row) const;
  template <typename Visit>
  void for_each_pixel(std::int64_t b, std::span<const float> parameters, Visit&& visit) const;
  [[nodiscard]] float slope(const float* f, float t, bool inside) const;

  Matrix images_;
  double first_;  // output of the first node
  double spacing_;
  std::int64_t nodes_;
  std::vector<Table> tables_;  // [B]
};

}  // namespace vaeguard::energy
