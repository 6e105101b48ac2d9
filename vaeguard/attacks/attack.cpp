// The driver of every attack: checks, chunks over threads, projection, and evaluation at the projected points.
#include "vaeguard/attacks/attack.h"

#include <algorithm>
#include <string>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"

namespace vaeguard::attacks {
namespace {

constexpr std::int64_t kChunk = 64;  // rows

void check_inputs(const ScalarField& objective, const Matrix& references, const Threat& threat,
                  std::span<const Key> keys) {
  validate(threat);
  check_shape("attacks", "references", references, objective.size(), objective.dimension());
  if (static_cast<std::int64_t>(keys.size()) != references.rows()) {
    misuse("attacks", "each of {} rows needs a key, got {} keys", references.rows(), keys.size());
  }
  check_finite("attacks", "references", references);
  for (std::int64_t i = 0; i < references.rows(); ++i) {
    for (const float pixel : references.row(i)) {
      if (pixel < threat.low || pixel > threat.high) {
        misuse("attacks", "pixels must lie in [{}, {}], got {} in row {}", threat.low, threat.high, pixel, i);
      }
    }
  }
}

}  // namespace

Search::Search(const ScalarField& objective, std::int64_t first, Matrix references, const Threat& threat,
               std::span<const Key> keys, Observer& observer, Shared& shared)
    : objective_(objective),
      first_(first),
      references_(std::move(references)),
      threat_(threat),
      keys_(keys),
      observer_(observer),
      shared_(shared) {}

void Search::evaluate(const Matrix& points, std::vector<double>& values, Matrix* gradients) {
  check_shape("attacks.search", "points", points, references_.rows(), references_.columns());
  {
    const std::scoped_lock lock(shared_.mutex);
    if (observer_.interrupted()) {
      throw Interrupted();
    }
  }
  values.resize(static_cast<std::size_t>(points.rows()));
  objective_.evaluate(first_, points, values, gradients);
  if (gradients != nullptr) {
    shared_.gradients += points.rows();
  }
}

AttackResult Attack::operator()(const ScalarField& objective, const Matrix& references, const Threat& threat,
                                std::span<const Key> keys, const Execution& execution) const {
  check_inputs(objective, references, threat, keys);
  AttackResult result{.adversarial = Matrix(references.rows(), references.columns()),
                      .objective = std::vector<double>(static_cast<std::size_t>(references.rows()))};
  Search::Shared shared;
  parallel_chunks(references.rows(), row_chunk(references.rows(), kChunk, execution.threads), execution.threads,
                  [&](std::int64_t first, std::int64_t count) {
                    const auto begin = static_cast<std::size_t>(first);
                    const auto rows = static_cast<std::size_t>(count);
                    Search search(objective, first, references.slice(first, count), threat, keys.subspan(begin, rows),
                                  *execution.observer, shared);
                    Matrix points = maximise(search);
                    check_shape(name(), "the optimiser's points", points, count, references.columns());
                    for (std::int64_t i = 0; i < count; ++i) {
                      threat.project(references.row(first + i), points.row(i));
                    }
                    std::vector<double> values;
                    search.evaluate(points, values, nullptr);
                    result.adversarial.assign(first, points);
                    std::ranges::copy(values, result.objective.begin() + first);
                    const std::scoped_lock lock(shared.mutex);
                    shared.done += count;
                    execution.observer->progress("attack", shared.done, references.rows(), name());
                  });
  result.gradients = shared.gradients;
  return result;
}

std::vector<Key> attack_keys(Key seed, std::string_view attack, std::span<const std::int64_t> references,
                             std::int64_t restarts) {
  std::vector<Key> keys;
  keys.reserve(references.size() * static_cast<std::size_t>(std::max<std::int64_t>(restarts, 0)));
  const Key base = seed.fold("attack").fold(attack);
  for (const std::int64_t reference : references) {
    const Key image = base.fold(static_cast<std::uint64_t>(reference));
    for (std::int64_t restart = 0; restart < restarts; ++restart) {
      keys.push_back(image.fold(static_cast<std::uint64_t>(restart)));
    }
  }
  return keys;
}

}  // namespace vaeguard::attacks
