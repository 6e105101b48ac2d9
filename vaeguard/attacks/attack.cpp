// The driver of every attack: checks, chunks over threads, projection, and evaluation at the projected points.
#include "vaeguard/attacks/attack.h"

#include <algorithm>
#include <string>
#include <utility>

#include "vaeguard/attacks/best.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/base/scalar_field.h"

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

Search::Search(const ScalarField& objective, std::vector<std::int64_t> functions, Matrix references,
               std::vector<Threat> threats, std::vector<Key> keys, Shared& shared)
    : objective_(&objective),
      functions_(std::move(functions)),
      references_(std::move(references)),
      threats_(std::move(threats)),
      keys_(std::move(keys)),
      shared_(&shared) {}

Matrix Search::held(std::span<const std::int64_t> rows, const Matrix& points) const {
  Matrix some = points.gather(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    threat(rows[i]).hold(references_.row(rows[i]), some.row(static_cast<std::int64_t>(i)));
  }
  return some;
}

void Search::no_gradient_where_held(std::int64_t row, std::span<float> gradient) const {
  const std::span<const float> reference = references_.row(row);
  for (std::size_t j = 0; j < gradient.size(); ++j) {
    gradient[j] = threat(row).holds(reference[j]) ? 0.0F : gradient[j];
  }
}

void Search::evaluate(const Matrix& points, std::vector<double>& values, Matrix* gradients) {
  evaluate(consecutive(0, references_.rows()), points, values, gradients);
}

void Search::evaluate(std::span<const std::int64_t> rows, const Matrix& points, std::vector<double>& values,
                      Matrix* gradients) {
  check_shape("attacks.search", "points", points, references_.rows(), references_.columns());
  shared_->progress.pause_for_interruption();
  values.resize(static_cast<std::size_t>(points.rows()));
  if (gradients != nullptr && (gradients->rows() != points.rows() || gradients->columns() != points.columns())) {
    gradients->resize(points.rows(), points.columns());
  }
  std::vector<std::int64_t> functions;
  for (const std::int64_t row : rows) {
    functions.push_back(functions_[static_cast<std::size_t>(row)]);
  }
  const bool holding = !threats_.empty() && threats_.front().pixels.mask != Mask::none;
  if (std::ssize(rows) == points.rows() && !holding) {
    objective_->evaluate(functions, points, values, gradients);
  } else if (!rows.empty()) {
    std::vector<double> some_values(rows.size());
    Matrix some_gradients;
    objective_->evaluate(functions, held(rows, points), some_values, gradients == nullptr ? nullptr : &some_gradients);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      values[static_cast<std::size_t>(rows[i])] = some_values[i];
      if (gradients != nullptr) {
        std::ranges::copy(some_gradients.row(static_cast<std::int64_t>(i)), gradients->row(rows[i]).begin());
        no_gradient_where_held(rows[i], gradients->row(rows[i]));
      }
    }
  }
  if (gradients != nullptr) {
    shared_->gradients += std::ssize(rows);
  }
}

double Search::evaluate_one(std::int64_t row, const Matrix& point, Matrix* gradient) {
  check_shape("attacks.search", "point", point, 1, references_.columns());
  shared_->progress.pause_for_interruption();
  double value = 0.0;
  Matrix held = point;
  threat(row).hold(references_.row(row), held.row(0));
  objective_->evaluate({&functions_[static_cast<std::size_t>(row)], 1}, held, {&value, 1}, gradient);
  if (gradient != nullptr) {
    no_gradient_where_held(row, gradient->row(0));
    ++shared_->gradients;
  }
  return value;
}

Search Search::part(std::span<const std::int64_t> rows, const ScalarField* objective, std::uint64_t number) const {
  std::vector<std::int64_t> functions;
  std::vector<Threat> threats;
  std::vector<Key> keys;
  for (const std::int64_t row : rows) {
    functions.push_back(functions_[static_cast<std::size_t>(row)]);
    threats.push_back(threat(row));
    keys.push_back(keys_[static_cast<std::size_t>(row)].fold("part").fold(number));
  }
  return {objective == nullptr ? *objective_ : *objective,
          std::move(functions),
          references_.gather(rows),
          std::move(threats),
          std::move(keys),
          *shared_};
}

AttackResult Attack::operator()(const ScalarField& objective, const Matrix& references, const Threat& threat,
                                std::span<const Key> keys, const Execution& execution) const {
  check_inputs(objective, references, threat, keys);
  AttackResult result{.adversarial = Matrix(references.rows(), references.columns()),
                      .objective = std::vector<double>(static_cast<std::size_t>(references.rows()))};
  Search::Shared shared{.progress = Progress(*execution.observer, "attack", references.rows())};
  parallel_chunks(references.rows(), row_chunk(references.rows(), kChunk, execution.threads), execution.threads,
                  [&](std::int64_t first, std::int64_t count) {
                    const auto begin = static_cast<std::size_t>(first);
                    const auto rows = static_cast<std::size_t>(count);
                    const auto some = keys.subspan(begin, rows);
                    std::vector<Threat> threats(rows, threat);
                    for (std::size_t i = 0; i < rows; ++i) {
                      threats[i].pixel_key = some[i].fold("pixels");
                    }
                    Search search(objective, consecutive(first, count), references.slice(first, count),
                                  std::move(threats), {some.begin(), some.end()}, shared);
                    Matrix points = maximise(search);
                    check_shape(name(), "the optimiser's points", points, count, references.columns());
                    for (std::int64_t i = 0; i < count; ++i) {
                      search.threat(i).project(references.row(first + i), points.row(i));
                    }
                    std::vector<double> values;
                    search.evaluate(points, values, nullptr);
                    result.adversarial.assign(first, points);
                    std::ranges::copy(values, result.objective.begin() + first);
                    shared.progress.advance(count, name());
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
