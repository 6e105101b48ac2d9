// Energies of pixels observed through a channel.
#include <cmath>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/energy/observation.h"
#include "vaeguard/energy/tabulated_observation.h"

namespace vaeguard::energy {
namespace {

class ChannelObservation : public TabulatedObservation {
 public:
  ChannelObservation(std::shared_ptr<const ChannelModel> model, Matrix images, std::vector<Channel> channels)
      : TabulatedObservation(std::move(images), model->law()),
        model_(std::move(model)),
        channels_(std::move(channels)) {
    check_channels();
    tabulate(
        [this](std::int64_t b, std::size_t i) {
          const Channel& channel = of(b);
          return PixelKey{model_->level_key(this->images().row(b)[i], channel.radius), channel.up_at(i)};
        },
        [this](std::int64_t b, std::size_t i, std::span<double> energies) { fill(b, i, energies); }, 1);
  }

  void true_image(std::int64_t b, std::span<const float> parameters, std::span<float> image) const override {
    model_->expected_image(images().row(b), parameters, of(b), image);
  }

 private:
  void check_channels() const {
    if (std::ssize(channels_) != images().rows()) {
      misuse("energy.observation", "channels must number {}, one an image, got {}", images().rows(), channels_.size());
    }
    for (const Channel& channel : channels_) {
      if (!channel.up.empty() && std::ssize(channel.up) != images().columns()) {
        misuse("energy.observation", "a channel must know the ways of all {} pixels or of none, got {}",
               images().columns(), channel.up.size());
      }
    }
  }

  [[nodiscard]] const Channel& of(std::int64_t b) const { return channels_[static_cast<std::size_t>(b)]; }

  // -log of the mixed mass
  void fill(std::int64_t b, std::size_t i, std::span<double> energies) const {
    const Channel& channel = of(b);
    for (std::size_t node = 0; node < energies.size(); ++node) {
      const ChannelTerms terms =
          model_->terms(images().row(b)[i], channel.radius, static_cast<std::int64_t>(node), channel.up_at(i));
      energies[node] = -std::log(mixed(channel, terms.mass));
    }
  }

  std::shared_ptr<const ChannelModel> model_;
  std::vector<Channel> channels_;
};

}  // namespace

std::unique_ptr<Observation> channel_observation(std::shared_ptr<const ChannelModel> model, Matrix images,
                                                 std::vector<Channel> channels) {
  return std::make_unique<ChannelObservation>(std::move(model), std::move(images), std::move(channels));
}

}  // namespace vaeguard::energy
