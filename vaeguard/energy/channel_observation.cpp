// Energies of pixels observed through a channel, tabulated once for each distinct pixel of an image.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/energy/observation.h"

namespace vaeguard::energy {
namespace {

// The rows of one image: -log of the mixed mass at the nodes, with one more value at each end, so that a cubic through
// four neighbours is one load.
struct Table {
  std::vector<float> values;        // [distinct pixels, nodes + 3]
  std::vector<std::uint32_t> rows;  // [C*H*W], where each pixel's row starts
};

class ChannelObservation : public Observation {
 public:
  ChannelObservation(std::shared_ptr<const ChannelModel> model, Matrix images, std::vector<Channel> channels)
      : model_(std::move(model)), images_(std::move(images)), channels_(std::move(channels)) {
    check_finite("energy.observation", "images", images_);
    if (static_cast<std::int64_t>(channels_.size()) != images_.rows()) {
      misuse("energy.observation", "channels must number {}, one an image, got {}", images_.rows(), channels_.size());
    }
    for (const Channel& channel : channels_) {
      if (!channel.up.empty() && std::ssize(channel.up) != images_.columns()) {
        misuse("energy.observation", "a channel must know the ways of all {} pixels or of none, got {}",
               images_.columns(), channel.up.size());
      }
    }
    for (std::int64_t b = 0; b < images_.rows(); ++b) {
      tables_.push_back(tabulate(b));
    }
  }
  [[nodiscard]] std::int64_t size() const override { return images_.rows(); }

  double negative_log(std::int64_t b, std::span<const float> parameters, std::span<float> gradient) const override {
    double sum = 0.0;
    for_each_pixel(b, parameters, [&](std::size_t i, const float* f, float t, bool inside) {
      sum +=
          f[1] + 0.5F * t *
                     (f[2] - f[0] +
                      t * (2.0F * f[0] - 5.0F * f[1] + 4.0F * f[2] - f[3] + t * (3.0F * (f[1] - f[2]) + f[3] - f[0])));
      if (!gradient.empty()) {
        gradient[i] = slope(f, t, inside);
      }
    });
    return sum;
  }

  void gradient(std::int64_t b, std::span<const float> parameters, std::span<float> gradient) const override {
    for_each_pixel(b, parameters,
                   [&](std::size_t i, const float* f, float t, bool inside) { gradient[i] = slope(f, t, inside); });
  }

  void curvature(std::int64_t b, std::span<const float> parameters, std::span<float> curvature) const override {
    const double per_spacing = 1.0 / model_->law().spacing;
    for_each_pixel(b, parameters, [&](std::size_t i, const float* f, float t, bool inside) {
      const double per_node =
          2.0 * f[0] - 5.0 * f[1] + 4.0 * f[2] - f[3] + 3.0 * t * (3.0 * (f[1] - f[2]) + f[3] - f[0]);
      curvature[i] = inside ? static_cast<float>(per_node * per_spacing * per_spacing) : 0.0F;
    });
  }

  void true_image(std::int64_t b, std::span<const float> parameters, std::span<float> image) const override {
    model_->expected_image(images_.row(b), parameters, channels_[static_cast<std::size_t>(b)], image);
  }

 private:
  [[nodiscard]] Table tabulate(std::int64_t b) const {
    const Channel& channel = channels_[static_cast<std::size_t>(b)];
    const std::int64_t nodes = model_->nodes();
    Table table;
    std::map<std::pair<std::uint64_t, double>, std::uint32_t> known;
    for (std::size_t i = 0; i < images_.row(b).size(); ++i) {
      const float x = images_.row(b)[i];
      const double up = channel.up_at(i);
      const auto [at, fresh] = known.try_emplace({model_->level_key(x, channel.radius), up},
                                                 static_cast<std::uint32_t>(table.values.size()));
      if (fresh) {
        for (std::int64_t k = -1; k < nodes + 2; ++k) {
          const std::int64_t node = std::clamp<std::int64_t>(k, 0, nodes - 1);
          const double mass = mixed(channel, model_->terms(x, channel.radius, node, up).mass);
          table.values.push_back(static_cast<float>(-std::log(mass)));
        }
      }
      table.rows.push_back(at->second);
    }
    return table;
  }

  // visit(i, four values around pixel i's output, its place t in [0, 1] between the middle two, whether it lies within
  // the nodes)
  template <typename Visit>
  void for_each_pixel(std::int64_t b, std::span<const float> parameters, Visit&& visit) const {
    const Table& table = tables_[static_cast<std::size_t>(b)];
    const auto first = static_cast<float>(model_->law().first);
    const auto per_spacing = static_cast<float>(1.0 / model_->law().spacing);
    const auto last = static_cast<float>(model_->nodes() - 1);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const float position = (parameters[i] - first) * per_spacing;
      const float within = std::clamp(position, 0.0F, last);  // NaN propagates into the sum
      const auto node = within >= 0.0F ? static_cast<std::uint32_t>(within) : 0U;
      visit(i, table.values.data() + table.rows[i] + node, within - static_cast<float>(node), within == position);
    }
  }

  [[nodiscard]] float slope(const float* f, float t, bool inside) const {
    const float per_node = 0.5F * (f[2] - f[0] +
                                   t * (2.0F * (2.0F * f[0] - 5.0F * f[1] + 4.0F * f[2] - f[3]) +
                                        3.0F * t * (3.0F * (f[1] - f[2]) + f[3] - f[0])));
    return inside ? per_node * static_cast<float>(1.0 / model_->law().spacing) : 0.0F;
  }

  std::shared_ptr<const ChannelModel> model_;
  Matrix images_;
  std::vector<Channel> channels_;
  std::vector<Table> tables_;  // [B]
};

}  // namespace

std::unique_ptr<Observation> channel_observation(std::shared_ptr<const ChannelModel> model, Matrix images,
                                                 std::vector<Channel> channels) {
  return std::make_unique<ChannelObservation>(std::move(model), std::move(images), std::move(channels));
}

}  // namespace vaeguard::energy
