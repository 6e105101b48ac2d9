// Repair by encoder and pixel law, and the energies that robust defences explore.
#include "vaeguard/defences/reading.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/defences/attack_direction.h"
#include "vaeguard/energy/maker.h"
#include "vaeguard/energy/posterior.h"

namespace vaeguard::defences {
namespace {

constexpr std::int64_t kImagesAtOnce = 32;
constexpr int kPasses = 8;  // before a posterior is explored
// Passes before which the radius is looked for again; the shares are estimated anew at every pass.
constexpr int kSearches[] = {0, 2, 5};
constexpr int kDirectedPasses = 2;

bool left_alone(const energy::Channel& channel) { return channel.untouched > 0.5; }

// The images of one chunk while they are repaired.
class Repair {
 public:
  Repair(const models::Vae& vae, const energy::ChannelModel& model, const ReadingOptions& options, const Matrix& images)
      : vae_(vae),
        model_(model),
        options_(options),
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
    if (options_.reading == Reading::directed) {
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
      if (options_.radius > 0.0) {
        channel = model.fit_shares(images_.row(b), outputs_.row(b), options_.radius);
      } else if (search) {
        channel = model.fit(images_.row(b), outputs_.row(b), options_.largest_radius);
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
  const ReadingOptions& options_;
  const Matrix& images_;
  std::unique_ptr<networks::Tape> tape_;
  Matrix outputs_;
  Matrix expected_;
  models::Encoding encoding_;
  std::vector<energy::Channel> channels_;
};

std::shared_ptr<const energy::ChannelModel> channel_model(const models::Vae& vae) {
  const auto& law = vae.pixel_law();
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
  const Matrix latents(images.rows(), vae.latent_size());
  Repaired result{Matrix(images.rows(), images.columns()),
                  {latents, latents},
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

// Every value `copies` times in a row.
template <typename T>
std::vector<T> repeated(const std::vector<T>& values, std::int64_t copies) {
  std::vector<T> result;
  for (const T& value : values) {
    result.insert(result.end(), static_cast<std::size_t>(copies), value);
  }
  return result;
}

}  // namespace

std::vector<double> Repaired::radii(const ReadingOptions& options) const {
  std::vector<double> result;
  for (const energy::Channel& channel : channels) {
    const double found = left_alone(channel) ? 0.0 : channel.radius;
    result.push_back(options.radius > 0.0 ? options.radius : found);
  }
  return result;
}

std::vector<double> Repaired::touched() const {
  std::vector<double> result;
  std::ranges::transform(channels, std::back_inserter(result),
                         [](const energy::Channel& channel) { return 1.0 - channel.untouched; });
  return result;
}

void validate(const ReadingOptions& options) {
  if (!std::isfinite(options.radius) || options.radius < 0.0 || options.radius > 1.0) {
    misuse("defences.reading", "radius must be in [0, 1], 0 to find it for each image, got {}", options.radius);
  }
  if (!(options.largest_radius > 0.0 && options.largest_radius <= 1.0)) {
    misuse("defences.reading", "largest_radius must be in (0, 1], got {}", options.largest_radius);
  }
  if (options.of_attack && (options.reading == Reading::exact || options.norm == energy::BallNorm::l2)) {
    misuse("defences.reading", "radius = 'attack' needs the reading minimum, channel or directed and the norm linf");
  }
  if (options.norm == energy::BallNorm::l2 && (options.reading != Reading::minimum || options.radius == 0.0)) {
    misuse("defences.reading", "norm l2 needs the reading minimum and a radius");
  }
}

Repaired repair(const models::Vae& vae, const Matrix& images, const ReadingOptions& options, int passes, int threads) {
  return repair(vae, *channel_model(vae), images, options, passes, threads);
}

Problem read_images(const models::Vae& vae, const Matrix& images, const ReadingOptions& options, int threads,
                    std::int64_t copies) {
  validate(options);
  Problem problem{repeat_rows(images, copies), nullptr, nullptr, {}, {}};
  if (options.reading == Reading::exact) {
    problem.energy = energy::make_posterior_energy(vae, problem.images);
    return problem;
  }
  check_shape("defences.reading", "images", images, -1, vae.image().size());
  problem.radii.assign(static_cast<std::size_t>(problem.images.rows()), options.radius);
  if (options.reading == Reading::minimum && options.radius > 0.0) {
    problem.observation = energy::minimum_observation(vae.likelihood(), problem.images, options.norm, problem.radii);
  } else {
    auto model = channel_model(vae);
    const Repaired repaired = repair(vae, *model, images, options, kPasses, threads);
    problem.radii = repeated(repaired.radii(options), copies);
    problem.touched = repeated(repaired.touched(), copies);
    problem.observation =
        options.reading == Reading::minimum
            ? energy::minimum_observation(vae.likelihood(), problem.images, options.norm, problem.radii)
            : energy::channel_observation(std::move(model), problem.images, repeated(repaired.channels, copies));
    problem.images = repeat_rows(repaired.images, copies);
  }
  problem.energy = std::make_unique<energy::PosteriorEnergy>(vae, problem.observation);
  return problem;
}

Matrix expected_images(const models::Vae& vae, const energy::Observation& observation, std::int64_t first,
                       const Matrix& latents, int threads) {
  const Matrix outputs = models::forward_all(vae.generative(), latents, threads);
  Matrix images(outputs.rows(), outputs.columns());
  parallel_chunks(images.rows(), row_chunk(images.rows(), kImagesAtOnce, threads), threads,
                  [&](std::int64_t begin, std::int64_t count) {
                    for (std::int64_t b = begin; b < begin + count; ++b) {
                      observation.true_image(first + b, outputs.row(b), images.row(b));
                    }
                  });
  return images;
}

}  // namespace vaeguard::defences
