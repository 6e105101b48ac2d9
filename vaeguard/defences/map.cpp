// Adam over chunks of images, and L-BFGS image by image.
#include "vaeguard/defences/map.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/base/progress.h"
#include "vaeguard/defences/channel_observation.h"
#include "vaeguard/defences/descent.h"
#include "vaeguard/defences/entry.h"
#include "vaeguard/defences/exact_observation.h"
#include "vaeguard/defences/gaussian_observation.h"
#include "vaeguard/defences/minimum_observation.h"

namespace vaeguard::defences {
namespace {

constexpr std::int64_t kImagesAtOnce = 16;
// Of libLBFGS, in evaluations.
constexpr int kLongestLineSearch = 40;

double planned_gradients(const MapOptions& options) {
  return options.gradients + (options.starts > 1 ? gradients_from_several(options.start_gradients, options.starts) : 0);
}

class Map : public Defence {
 public:
  explicit Map(const MapOptions& options) : options_(options) { validate(options); }
  [[nodiscard]] std::string_view name() const override { return options_.name; }

  [[nodiscard]] Inference infer(const models::Vae& vae, const Matrix& images, std::span<const Key> keys, int threads,
                                Observer& observer) const override {
    check_keys("defences.map", images, keys);
    const PosteriorProblem problem = options_.observation.pose(vae, images, {.threads = threads});
    Inference result;
    result.mean = vae.encode(problem.images, threads).mean;
    const auto before = values_of(*problem.energy, result.mean, threads);
    std::vector<double> spent(static_cast<std::size_t>(images.rows()), planned_gradients(options_));
    Progress progress(observer, options_.name, images.rows());
    parallel_chunks(images.rows(), row_chunk(images.rows(), kImagesAtOnce, threads), threads,
                    [&](std::int64_t first, std::int64_t count) {
                      progress.pause_for_interruption();
                      descend(*problem.energy, first,
                              keys.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
                              result.mean, spent);
                      progress.advance(count);
                    });
    const auto after = values_of(*problem.energy, result.mean, threads);
    result.draw = result.mean;
    result.mean_reconstruction = vae.decode(result.mean, threads);
    result.gradients = std::accumulate(spent.begin(), spent.end(), 0.0) / static_cast<double>(spent.size());
    std::ranges::transform(before, after, std::back_inserter(result.energy_drop), std::minus<>{});
    if (problem.observation != nullptr) {
      result.reencoded = vae.encode(expected_images(vae, *problem.observation, 0, result.mean, threads), threads).mean;
      result.radius = problem.radii;
      result.touched = problem.touched;
      result.noise = problem.noise;
    }
    return result;
  }

 private:
  void descend(const ScalarField& energy, std::int64_t first, std::span<const Key> keys, Matrix& latents,
               std::vector<double>& spent) const {
    Matrix chunk = latents.slice(first, std::ssize(keys));
    const auto functions = consecutive(first, std::ssize(keys));
    const double rate = options_.learning_rate;
    if (options_.starts > 1) {
      descend_adam_from_several(energy, functions, {options_.start_gradients, rate}, options_.starts, keys, chunk);
    }
    if (options_.optimiser == Optimiser::adam) {
      descend_adam(energy, functions, {options_.gradients, rate}, chunk);
    } else {
      for (std::int64_t b = 0; b < chunk.rows(); ++b) {
        spent[static_cast<std::size_t>(first + b)] +=
            descend_lbfgs(energy, first + b, options_.gradients, chunk.row(b)) - options_.gradients;
      }
    }
    latents.assign(first, chunk);
  }

  MapOptions options_;
};

}  // namespace

const OptionSchema<MapOptions>& map_schema() {
  static const auto schema =
      OptionSchema<MapOptions>()
          .part(&MapOptions::observation, observation_schema())
          .choice("optimiser", &MapOptions::optimiser,
                  {{"adam", Optimiser::adam, "Adam over a chunk of images"},
                   {"lbfgs", Optimiser::lbfgs, "L-BFGS, image by image"}},
                  "how the mode is sought")
          .integer("gradients", &MapOptions::gradients, at_least(1),
                   "steps of Adam; L-BFGS ends with the iteration that reaches so many")
          .integer("starts", &MapOptions::starts, at_least(1),
                   "codes around the given one that Adam tries first; the lowest end goes on")
          .number("learning_rate", &MapOptions::learning_rate, above(0.0),
                  "Adam's first; it falls to 0 on half a cosine")
          .unless([](const MapOptions& options) {
            return options.optimiser == Optimiser::lbfgs && options.starts == 1 ? "L-BFGS finds its own steps" : "";
          })
          .integer("start_gradients", &MapOptions::start_gradients, at_least(1), "of Adam, for each start")
          .unless([](const MapOptions& options) { return options.starts > 1 ? "" : "there is one start"; });
  return schema;
}

MapOptions map_gaussian_options(std::string_view name) {
  return {.name = std::string(name), .gradients = 40, .observation = GaussianObservation{}};
}

void validate(const MapOptions& options) {
  map_schema().check("defences.map", options);
  options.observation.validate();
}

double gradients_per_image(const MapOptions& options) {
  return planned_gradients(options) + (options.optimiser == Optimiser::lbfgs ? kLongestLineSearch : 0);
}

std::unique_ptr<Defence> make_map(const MapOptions& options) { return std::make_unique<Map>(options); }

namespace {

DefenceEntry entry(DefenceEntry words, const MapOptions& defaults) {
  return defence_entry<MapOptions>(std::move(words), defaults, map_schema(), make_map, gradients_per_image);
}

}  // namespace

DefenceEntries map_entries() {
  static const std::string channel_caution = fmt::format(
      "On coloured digits the own codes of some models keep fewer classes than undefended. {}", kChannelCaution);
  MapOptions automatic = map_gaussian_options();
  automatic.observation = GaussianObservation{.scale = {.source = NoiseScale::Source::found}};
  return {
      entry({.name = "map",
             .title = "MAP",
             .description = "The most probable latent code of the given image, by Adam.",
             .caution = kExactCaution},
            {}),
      entry({.name = "map_lbfgs",
             .title = "MAP by L-BFGS",
             .description = "The most probable latent code of the given image, by a quasi-Newton method.",
             .caution = kExactCaution},
            {.optimiser = Optimiser::lbfgs}),
      entry({.name = "map_multistart",
             .title = "Multistart MAP",
             .description = "The most probable latent code that Adam finds from sixteen codes around the given one, "
                            "for posteriors with several modes.",
             .caution = kExactCaution},
            {.starts = 16}),
      entry({.name = "map_robust",
             .title = "Robust MAP",
             .description = "The most probable latent code of the best image within the attacker's radius.",
             .caution = kChannelCaution},
            {.observation = MinimumObservation{}}),
      entry({.name = "map_channel",
             .title = "Channel MAP",
             .description = "The most probable latent code under a model of what the attack did to each pixel.",
             .caution = channel_caution},
            {.observation = ChannelObservation{}}),
      entry({.name = "map_directed",
             .title = "Directed MAP",
             .description = "Channel MAP that also estimates in which direction the attack moved each pixel.",
             .caution = channel_caution},
            {.observation = ChannelObservation{.directed = true}}),
      entry(
          {.name = "map_gaussian",
           .title = "Gaussian MAP",
           .description = "The most probable latent code of the image under Gaussian noise, about the pixel law where "
                          "one was counted."},
          map_gaussian_options()),
      entry(
          {.name = "auto",
           .title = "Automatic",
           .description = "Gaussian MAP that looks for the size of the noise in each image, for all kinds of images."},
          automatic),
      entry({.name = "snap_map",
             .title = "Snap and MAP",
             .description = "Snap, then the most probable latent code of the result.",
             .transform = "snap"},
            {}),
  };
}

}  // namespace vaeguard::defences
