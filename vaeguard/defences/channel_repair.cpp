// Encoder and pixel law in turns, over chunks of images.
#include "vaeguard/defences/channel_repair.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>
#include <utility>

#include "vaeguard/base/parallel.h"
#include "vaeguard/defences/attack_direction.h"
#include "vaeguard/defences/observation_model.h"

namespace vaeguard::defences {
namespace {

constexpr std::string_view kPlace = "defences.channel_repair";
constexpr std::int64_t kImagesAtOnce = 32;
// Passes before which the radius is looked for again; the shares are estimated anew at every pass.
constexpr int kSearches[] = {0, 2, 5};
constexpr int kDirectedPasses = 2;

bool left_alone(const energy::Channel& channel) { return channel.untouched > 0.5; }

// The images of one chunk while they are repaired.
class Repair {
 public:
  Repair(const models::Vae& vae, const energy::ChannelModel& model, const ChannelFit& fit, const Matrix& images)
      : vae_(vae),
        model_(model),
        fit_(fit),
        images_(images),
        tape_(vae.generative().make_tape()),
        expected_(images.rows(), images.columns()),
        channels_(static_cast<std::size_t>(images.rows())) {}

  void run(const energy::ChannelModel& histogram, int passes) {
    outputs_ = Matrix(images_.rows(), images_.columns());
    expect(histogram, true);
    for (int pass = 0; pass < passes; ++pass) {
      vae_.generative().forward(encoding_.mean, outputs_, {}, *tape_);
      expect(model_, std::ranges::find(kSearches, pass) != std::end(kSearches));
    }
    if (fit_.directed) {
      find_directions(passes > 0 ? model_ : histogram);
      for (int pass = 0; pass < kDirectedPasses; ++pass) {
        vae_.generative().forward(encoding_.mean, outputs_, {}, *tape_);
        expect(model_, false);
      }
    }
  }

  void write(std::int64_t first, Repaired& result) const {
    result.images.assign(first, expected_);
    result.encoding.mean.assign(first, encoding_.mean);
    result.encoding.log_variance.assign(first, encoding_.log_variance);
    std::ranges::copy(channels_, result.channels.begin() + first);
  }

 private:
  void expect(const energy::ChannelModel& model, bool search) {
    for (std::int64_t b = 0; b < images_.rows(); ++b) {
      energy::Channel& channel = channels_[static_cast<std::size_t>(b)];
      std::vector<float> up = std::move(channel.up);  // no fit knows of it
      if (fit_.radius.given > 0.0) {
        channel = model.fit_shares(images_.row(b), outputs_.row(b), fit_.radius.given);
      } else if (search) {
        channel = model.fit(images_.row(b), outputs_.row(b), fit_.radius.largest);
      } else {
        channel = model.fit_shares(images_.row(b), outputs_.row(b), channel.radius);
      }
      channel.up = std::move(up);
      model.expected_image(images_.row(b), outputs_.row(b), channel, expected_.row(b));
    }
    encoding_ = vae_.encode(expected_);
  }

  // From the repaired image's code to the attacked one's, in deviations of the former.
  [[nodiscard]] Matrix shifts_of_codes(const Matrix& images) const {
    Matrix shifts = vae_.encode(images).mean;
    for (std::size_t i = 0; i < shifts.values().size(); ++i) {
      const float deviation = std::exp(0.5F * encoding_.log_variance.values()[i]);
      shifts.data()[i] = (shifts.data()[i] - encoding_.mean.values()[i]) / deviation;
    }
    return shifts;
  }

  // `model` is that of the last expectation.
  void find_directions(const energy::ChannelModel& model) {
    Matrix inside = images_;  // the range, as the channel reads them
    std::ranges::transform(inside.flat(), inside.flat().begin(), [](float x) { return std::clamp(x, 0.0F, 1.0F); });
    const Matrix shifts = shifts_of_codes(inside);
    for (std::int64_t b = 0; b < images_.rows(); ++b) {
      energy::Channel& channel = channels_[static_cast<std::size_t>(b)];
      if (!left_alone(channel)) {
        channel.up = attack_direction(vae_, {inside.row(b), expected_.row(b), shifts.row(b)},
                                      model.extreme_moves(images_.row(b), outputs_.row(b), channel));
      }
    }
  }

  const models::Vae& vae_;
  const energy::ChannelModel& model_;
  const ChannelFit& fit_;
  const Matrix& images_;
  std::unique_ptr<networks::Tape> tape_;
  Matrix outputs_;
  Matrix expected_;
  models::Encoding encoding_;
  std::vector<energy::Channel> channels_;
};

}  // namespace

const OptionSchema<ChannelFit>& channel_fit_schema() {
  static const auto schema =
      OptionSchema<ChannelFit>()
          .part(&ChannelFit::radius, radius_schema())
          .boolean("directed", &ChannelFit::directed, "which way the attack moved each pixel is estimated, too");
  return schema;
}

std::vector<double> Repaired::radii(const Radius& radius) const {
  std::vector<double> result;
  for (const energy::Channel& channel : channels) {
    const double found = left_alone(channel) ? 0.0 : channel.radius;
    result.push_back(radius.given > 0.0 ? radius.given : found);
  }
  return result;
}

std::vector<double> Repaired::touched() const {
  std::vector<double> result;
  std::ranges::transform(channels, std::back_inserter(result),
                         [](const energy::Channel& channel) { return 1.0 - channel.untouched; });
  return result;
}

Repaired repair(const models::Vae& vae, const Matrix& images, const ChannelFit& fit, int passes, int threads) {
  channel_fit_schema().check(kPlace, fit);
  const auto model = std::make_shared<const energy::ChannelModel>(*pixel_law_of(vae, kPlace));
  check_shape(kPlace, "images", images, -1, vae.image().size());
  check_finite(kPlace, "images", images);
  const energy::ChannelModel histogram(models::histogram_alone(model->law()));
  const Matrix latents(images.rows(), vae.latent_size());
  Repaired result{Matrix(images.rows(), images.columns()),
                  {latents, latents},
                  std::vector<energy::Channel>(static_cast<std::size_t>(images.rows())),
                  model};
  parallel_chunks(images.rows(), row_chunk(images.rows(), kImagesAtOnce, threads), threads,
                  [&](std::int64_t first, std::int64_t count) {
                    const Matrix chunk = images.slice(first, count);
                    Repair work(vae, *model, fit, chunk);
                    work.run(histogram, passes);
                    work.write(first, result);
                  });
  return result;
}

}  // namespace vaeguard::defences
