// The names and shapes of the arrays in an inference file.
#include "vaeguard/runs/inference_file.h"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <numeric>
#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::runs {
namespace {

// The per-chain statistics by name.
constexpr std::pair<const char*, std::vector<double> defences::Inference::*> kStatistics[] = {
    {"acceptance", &defences::Inference::acceptance},
    {"step_size", &defences::Inference::step_size},
    {"divergences", &defences::Inference::divergences},
    {"energy_drop", &defences::Inference::energy_drop},
    {"radius", &defences::Inference::radius},
    {"rhat", &defences::Inference::rhat},
    {"bulk_ess", &defences::Inference::bulk_ess},
    {"tail_ess", &defences::Inference::tail_ess},
    {"relative_mcse", &defences::Inference::relative_mcse},
    {"e_bfmi", &defences::Inference::e_bfmi},
    {"touched", &defences::Inference::touched},
    {"noise", &defences::Inference::noise},
    {"spent", &defences::Inference::spent},
    {"transitions", &defences::Inference::transitions},
    {"kept", &defences::Inference::kept}};

std::vector<double> numbers_from(const std::map<std::string, NpzArray>& arrays, const std::string& name,
                                 std::string_view place) {
  const Matrix row = rows_from(arrays, name, place);
  return {row.values().begin(), row.values().end()};
}

using Divergences = std::vector<std::vector<mcmc::Divergence>>;

constexpr std::pair<const char*, std::vector<float> mcmc::Divergence::*> kPlaces[] = {
    {"divergence_position", &mcmc::Divergence::position},
    {"divergence_momentum", &mcmc::Divergence::momentum},
    {"divergence_end", &mcmc::Divergence::end}};

void add_divergences(NpzArrays& arrays, const Divergences& of_images) {
  std::vector<std::int64_t> image, chain, transition;
  std::vector<float> step_size, energy_error;
  std::map<std::string, std::vector<float>> places;
  for (std::size_t b = 0; b < of_images.size(); ++b) {
    for (const mcmc::Divergence& one : of_images[b]) {
      image.push_back(static_cast<std::int64_t>(b));
      chain.push_back(one.chain);
      transition.push_back(one.transition);
      step_size.push_back(static_cast<float>(one.step_size));
      energy_error.push_back(static_cast<float>(one.energy_error));
      for (const auto& [name, member] : kPlaces) {
        places[name].insert(places[name].end(), (one.*member).begin(), (one.*member).end());
      }
    }
  }
  const auto count = std::ssize(image);
  if (count == 0) {
    return;
  }
  arrays.emplace("divergence_image", NpzArray{{count}, std::move(image)});
  arrays.emplace("divergence_chain", NpzArray{{count}, std::move(chain)});
  arrays.emplace("divergence_transition", NpzArray{{count}, std::move(transition)});
  arrays.emplace("divergence_step_size", NpzArray{{count}, std::move(step_size)});
  arrays.emplace("divergence_energy_error", NpzArray{{count}, std::move(energy_error)});
  for (auto& [name, values] : places) {
    const std::int64_t dimension = std::ssize(values) / count;
    arrays.emplace(name, NpzArray{{count, dimension}, std::move(values)});
  }
}

// The values of `count` rows.
template <typename Value>
const std::vector<Value>& values_of(const NpzArrays& arrays, const std::string& name, std::size_t count,
                                    std::string_view place) {
  const auto* values = find_values<Value>(arrays, name);
  if (values == nullptr) {
    misuse(place, "the array '{}' is missing, or of another type", name);
  }
  const std::int64_t rows = arrays.at(name).shape.empty() ? 0 : arrays.at(name).shape.front();
  if (rows != static_cast<std::int64_t>(count)) {
    misuse(place, "the array '{}' must have {} rows, one for each divergence, got {}", name, count, rows);
  }
  return *values;
}

Divergences divergences_from(const NpzArrays& arrays, std::size_t images, std::string_view place) {
  Divergences of_images(images);
  if (!arrays.contains("divergence_image")) {
    return of_images;
  }
  const auto* image = find_values<std::int64_t>(arrays, "divergence_image");
  const std::size_t count = image == nullptr ? 0 : image->size();
  const auto& chain = values_of<std::int64_t>(arrays, "divergence_chain", count, place);
  const auto& transition = values_of<std::int64_t>(arrays, "divergence_transition", count, place);
  const auto& step_size = values_of<float>(arrays, "divergence_step_size", count, place);
  const auto& energy_error = values_of<float>(arrays, "divergence_energy_error", count, place);
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t b = (*image)[i];
    if (b < 0 || b >= static_cast<std::int64_t>(images)) {
      misuse(place, "the array 'divergence_image' must name one of {} images, got {}", images, b);
    }
    mcmc::Divergence one{.chain = chain[i],
                         .transition = static_cast<int>(transition[i]),
                         .step_size = step_size[i],
                         .energy_error = energy_error[i],
                         .position = {},
                         .momentum = {},
                         .end = {}};
    for (const auto& [name, member] : kPlaces) {
      const auto& values = values_of<float>(arrays, name, count, place);
      const std::size_t dimension = values.size() / count;
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(dimension * i);
      one.*member = {begin, begin + static_cast<std::ptrdiff_t>(dimension)};
    }
    of_images[static_cast<std::size_t>(b)].push_back(std::move(one));
  }
  return of_images;
}

void append_rows(Matrix& whole, const Matrix& part) {
  std::vector<float> values = whole.values();
  values.insert(values.end(), part.values().begin(), part.values().end());
  whole = Matrix(whole.rows() + part.rows(), part.columns(), std::move(values));
}

}  // namespace

NpzArray to_array(const Matrix& matrix) { return {{matrix.rows(), matrix.columns()}, matrix.values()}; }

NpzArray to_array(const Matrix& images, ImageShape shape) {
  return {{images.rows(), shape.channels, shape.height, shape.width}, images.values()};
}

NpzArray to_array(const std::vector<double>& values) {
  return {{1, static_cast<std::int64_t>(values.size())}, std::vector<float>(values.begin(), values.end())};
}

Matrix rows_from(const std::map<std::string, NpzArray>& arrays, const std::string& name, std::string_view place) {
  const auto found = arrays.find(name);
  if (found == arrays.end()) {
    misuse(place, "the array '{}' is missing", name);
  }
  const auto* values = std::get_if<std::vector<float>>(&found->second.values);
  const std::vector<std::int64_t>& shape = found->second.shape;
  if (values == nullptr || shape.size() < 2) {
    misuse(place, "the array '{}' must be a float32 matrix or images, got {} dimensions{}", name, shape.size(),
           values == nullptr ? " of integers" : "");
  }
  const std::int64_t columns = std::accumulate(shape.begin() + 1, shape.end(), std::int64_t{1}, std::multiplies<>{});
  return {shape[0], columns, *values};
}

void add_chains(NpzArrays& arrays, const defences::Inference& inference) {
  if (!inference.variance.empty()) {
    arrays.emplace("z_variance", to_array(inference.variance));
  }
  add_divergences(arrays, inference.first_divergences);
}

void save_inference(const std::filesystem::path& file, const defences::Inference& inference, double seconds) {
  std::map<std::string, NpzArray> arrays{
      {"draw", to_array(inference.draw)},
      {"mean", to_array(inference.mean)},
      {"mean_reconstruction", to_array(inference.mean_reconstruction)},
      {"reencoded", to_array(inference.reencoded)},
      {"draws", to_array(inference.draws)},
      {"cost", to_array(std::vector<double>{inference.gradients, seconds})},
      {"chains", to_array(std::vector<double>{static_cast<double>(inference.chains), inference.exact ? 1.0 : 0.0})}};
  for (const auto& [name, values] : kStatistics) {
    arrays.emplace(name, to_array(inference.*values));
  }
  add_chains(arrays, inference);
  std::vector<double> snapshot_gradients;
  for (std::size_t i = 0; i < inference.snapshots.size(); ++i) {
    snapshot_gradients.push_back(inference.snapshots[i].gradients);
    arrays.emplace(fmt::format("snapshot_latent_{}", i), to_array(inference.snapshots[i].latent));
    arrays.emplace(fmt::format("snapshot_mean_{}", i), to_array(inference.snapshots[i].mean));
    arrays.emplace(fmt::format("snapshot_reconstruction_{}", i), to_array(inference.snapshots[i].mean_reconstruction));
  }
  arrays.emplace("snapshot_gradients", to_array(snapshot_gradients));
  write_npz(file, arrays);
}

defences::Inference load_inference(const std::filesystem::path& file, double& seconds) {
  const auto arrays = read_npz(file);
  const std::string place = file.string();
  defences::Inference inference;
  inference.draw = rows_from(arrays, "draw", place);
  inference.mean = rows_from(arrays, "mean", place);
  inference.mean_reconstruction = rows_from(arrays, "mean_reconstruction", place);
  inference.reencoded = rows_from(arrays, "reencoded", place);
  inference.draws = rows_from(arrays, "draws", place);
  const auto cost = numbers_from(arrays, "cost", place);
  if (cost.size() != 2) {
    misuse(place, "the array 'cost' must hold gradients and seconds, got {} values", cost.size());
  }
  inference.gradients = cost[0];
  seconds = cost[1];
  const auto chains = numbers_from(arrays, "chains", place);
  if (chains.size() != 2) {
    misuse(place, "the array 'chains' must hold their number and whether they are exact, got {} values", chains.size());
  }
  inference.chains = static_cast<std::int64_t>(chains[0]);
  inference.exact = chains[1] != 0.0;
  for (const auto& [name, values] : kStatistics) {
    inference.*values = numbers_from(arrays, name, place);
  }
  if (inference.chains > 0) {
    inference.variance = rows_from(arrays, "z_variance", place);
    inference.first_divergences = divergences_from(arrays, inference.divergences.size(), place);
  }
  const auto snapshot_gradients = numbers_from(arrays, "snapshot_gradients", place);
  for (std::size_t i = 0; i < snapshot_gradients.size(); ++i) {
    inference.snapshots.push_back({snapshot_gradients[i],
                                   rows_from(arrays, fmt::format("snapshot_latent_{}", i), place),
                                   rows_from(arrays, fmt::format("snapshot_mean_{}", i), place),
                                   rows_from(arrays, fmt::format("snapshot_reconstruction_{}", i), place)});
  }
  return inference;
}

void append(defences::Inference& whole, const defences::Inference& part) {
  if (whole.draw.empty()) {
    whole = part;
    return;
  }
  const auto rows = static_cast<double>(whole.draw.rows());
  const auto added = static_cast<double>(part.draw.rows());
  const auto joined = [&](double a, double b) { return a == b ? a : (a * rows + b * added) / (rows + added); };
  whole.gradients = joined(whole.gradients, part.gradients);
  append_rows(whole.draw, part.draw);
  append_rows(whole.mean, part.mean);
  append_rows(whole.mean_reconstruction, part.mean_reconstruction);
  append_rows(whole.reencoded, part.reencoded);
  append_rows(whole.draws, part.draws);
  append_rows(whole.variance, part.variance);
  whole.first_divergences.insert(whole.first_divergences.end(), part.first_divergences.begin(),
                                 part.first_divergences.end());
  for (std::size_t i = 0; i < whole.snapshots.size(); ++i) {
    whole.snapshots[i].gradients = joined(whole.snapshots[i].gradients, part.snapshots[i].gradients);
    append_rows(whole.snapshots[i].latent, part.snapshots[i].latent);
    append_rows(whole.snapshots[i].mean, part.snapshots[i].mean);
    append_rows(whole.snapshots[i].mean_reconstruction, part.snapshots[i].mean_reconstruction);
  }
  for (const auto& [name, values] : kStatistics) {
    auto& to = whole.*values;
    const auto& from = part.*values;
    to.insert(to.end(), from.begin(), from.end());
  }
}

}  // namespace vaeguard::runs
