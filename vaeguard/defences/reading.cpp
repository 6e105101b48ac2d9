// Repair by encoder and pixel law, and the energies that robust defences explore.
#include "vaeguard/defences/reading.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/energy/maker.h"
#include "vaeguard/energy/posterior.h"

namespace vaeguard::defences {
namespace {

constexpr std::int64_t kImagesAtOnce = 32;
constexpr int kPasses = 8;  // before a posterior is explored
// Passes before which the radius is looked for again; the shares are estimated anew at every pass.
constexpr int kSearches[] = {0, 2, 5};

// The images of one chunk while they are repaired.
class Repair {
 public:
  Repair(const models::Vae& vae, const energy::ChannelModel& model, const ReadingOptions& options, const Matrix& images)
      : vae_(vae),
        model_(model),
        options_(options),
        images_(images),
        tape_(vae.decoder().make_tape()),
        expected_(images.rows(), images.columns()),
        channels_(static_cast<std::size_t>(images.rows())) {}

  void run(const energy::ChannelModel& histogram, int passes) {
    outputs_ = Matrix(images_.rows(), images_.columns());
    expect(histogram, true);
    for (int pass = 0; pass < passes; ++pass) {
      vae_.decoder().forward(latents_, outputs_, *tape_);
      expect(model_, std::ranges::find(kSearches, pass) != std::end(kSearches));
    }
  }

  void write(std::int64_t first, Repaired& result) const {
    result.images.assign(first, expected_);
    result.latents.assign(first, latents_);
    std::ranges::copy(channels_, result.channels.begin() + first);
  }

 private:
  void expect(const energy::ChannelModel& model, bool search) {
    for (std::int64_t b = 0; b < images_.rows(); ++b) {
      energy::Channel& channel = channels_[static_cast<std::size_t>(b)];
      if (options_.radius > 0.0) {
        channel = model.fit_shares(images_.row(b), outputs_.row(b), options_.radius);
      } else if (search) {
        channel = model.fit(images_.row(b), outputs_.row(b), options_.largest_radius);
      } else {
        channel = model.fit_shares(images_.row(b), outputs_.row(b), channel.radius);
      }
      model.expected_image(images_.row(b), outputs_.row(b), channel, expected_.row(b));
    }
    latents_ = vae_.encode(expected_).mean;
  }

  const models::Vae& vae_;
  const energy::ChannelModel& model_;
  const ReadingOptions& options_;
  const Matrix& images_;
  std::unique_ptr<networks::Tape> tape_;
  Matrix outputs_;
  Matrix expected_;
  Matrix latents_;
  std::vector<energy::Channel> channels_;
};

std::shared_ptr<const energy::ChannelModel> channel_model(const models::Vae& vae) {
  const auto& law = vae.weights().pixel_law;
  if (law == nullptr) {
    misuse("defences.reading",
           "the model must have a pixel law, it has none; `vaeguard train --companions-of CHECKPOINT` counts it");
  }
  return std::make_shared<const energy::ChannelModel>(*law);
}

Repaired repair(const models::Vae& vae, const energy::ChannelModel& model, const Matrix& images,
                const ReadingOptions& options, int passes, int threads) {
  validate(options);
  check_shape("defences.reading", "images", images, -1, vae.image().size());
  check_finite("defences.reading", "images", images);
  const energy::ChannelModel histogram(models::histogram_alone(model.law()));
  Repaired result{Matrix(images.rows(), images.columns()), Matrix(images.rows(), vae.latent_size()),
                  std::vector<energy::Channel>(static_cast<std::size_t>(images.rows()))};
  parallel_chunks(images.rows(), row_chunk(images.rows(), kImagesAtOnce, threads), threads,
                  [&](std::int64_t first, std::int64_t count) {
                    const Matrix chunk = images.slice(first, count);
                    Repair work(vae, model, options, chunk);
                    work.run(histogram, passes);
                    work.write(first, result);
                  });
  return result;
}

// An image that was left alone has no ball.
double radius_of(const energy::Channel& channel, const ReadingOptions& options) {
  return options.radius > 0.0 ? options.radius : channel.untouched > 0.5 ? 0.0 : channel.radius;
}

}  // namespace

void validate(const ReadingOptions& options) {
  if (!std::isfinite(options.radius) || options.radius < 0.0 || options.radius > 1.0) {
    misuse("defences.reading", "radius must be in [0, 1], 0 to find it for each image, got {}", options.radius);
  }
  if (!(options.largest_radius > 0.0 && options.largest_radius <= 1.0)) {
    misuse("defences.reading", "largest_radius must be in (0, 1], got {}", options.largest_radius);
  }
  if (options.norm == energy::BallNorm::l2 && (options.reading != Reading::minimum || options.radius == 0.0)) {
    misuse("defences.reading", "norm l2 needs the reading minimum and a radius");
  }
}

Repaired repair(const models::Vae& vae, const Matrix& images, const ReadingOptions& options, int passes, int threads) {
  return repair(vae, *channel_model(vae), images, options, passes, threads);
}

Problem read_images(const models::Vae& vae, const Matrix& images, const ReadingOptions& options, int threads) {
  validate(options);
  Problem problem{images, nullptr, nullptr, {}, {}};
  if (options.reading == Reading::exact) {
    problem.energy = energy::make_posterior_energy(vae, images);
    return problem;
  }
  check_shape("defences.reading", "images", images, -1, vae.image().size());
  problem.radii.assign(static_cast<std::size_t>(images.rows()), options.radius);
  if (options.reading == Reading::minimum && options.radius > 0.0) {
    problem.observation = energy::minimum_observation(vae.likelihood(), images, options.norm, problem.radii);
  } else {
    auto model = channel_model(vae);
    Repaired repaired = repair(vae, *model, images, options, kPasses, threads);
    std::ranges::transform(repaired.channels, problem.radii.begin(),
                           [&](const energy::Channel& channel) { return radius_of(channel, options); });
    std::ranges::transform(repaired.channels, std::back_inserter(problem.touched),
                           [](const energy::Channel& channel) { return 1.0 - channel.untouched; });
    problem.images = std::move(repaired.images);
    problem.observation = options.reading == Reading::minimum
                              ? energy::minimum_observation(vae.likelihood(), images, options.norm, problem.radii)
                              : energy::channel_observation(std::move(model), images, std::move(repaired.channels));
  }
  problem.energy = std::make_unique<energy::PosteriorEnergy>(vae, problem.observation);
  return problem;
}

Matrix expected_images(const models::Vae& vae, const energy::Observation& observation, std::int64_t first,
                       const Matrix& latents) {
  const Matrix outputs = networks::forward_all(vae.decoder(), latents, 1);
  Matrix images(outputs.rows(), outputs.columns());
  for (std::int64_t b = 0; b < images.rows(); ++b) {
    observation.true_image(first + b, outputs.row(b), images.row(b));
  }
  return images;
}

}  // namespace vaeguard::defences
