// The loop of projected steepest ascent, its step schedules and its momentum.
#include "vaeguard/attacks/pgd.h"

#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "vaeguard/attacks/best.h"
#include "vaeguard/attacks/entry.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/scalar_field.h"

namespace vaeguard::attacks {
namespace {

double decay(const PgdOptions& options, std::int64_t iteration) {
  const double progress = static_cast<double>(iteration) / static_cast<double>(options.iterations);
  switch (options.schedule) {
    case Schedule::cosine:
      return 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
    case Schedule::linear:
      return 1.0 - progress;
    case Schedule::constant:
      return 1.0;
  }
  misuse("attacks.pgd", "unknown schedule {}", static_cast<int>(options.schedule));
}

/// velocity <- momentum velocity + gradient / |gradient|_1; pixels without a number count as 0.
void accelerate(double momentum, std::span<const float> gradient, std::span<float> velocity) {
  double sum = 0.0;
  for (const float g : gradient) {
    sum += std::isfinite(g) ? std::abs(static_cast<double>(g)) : 0.0;
  }
  for (std::size_t j = 0; j < velocity.size(); ++j) {
    const double fresh = sum > 0.0 && std::isfinite(gradient[j]) ? gradient[j] / sum : 0.0;
    velocity[j] = static_cast<float>(momentum * velocity[j] + fresh);
  }
}

}  // namespace

const OptionSchema<PgdOptions>& pgd_schema() {
  static const auto schema = loop_schema<PgdOptions>()
                                 .choice("schedule", &PgdOptions::schedule,
                                         {{"cosine", Schedule::cosine, "to 0 along half a cosine"},
                                          {"linear", Schedule::linear, "to 0 along a line"},
                                          {"constant", Schedule::constant, "it stays"}},
                                         "of the step")
                                 .number("momentum", &PgdOptions::momentum, at_least(0.0),
                                         "of the gradient, each scaled to sum 1; 0 for none");
  return schema;
}

void validate(const PgdOptions& options) { pgd_schema().check("attacks.pgd", options); }

PgdOptions mi_fgsm_options() { return {.first_step = 0.04, .schedule = Schedule::constant, .momentum = 1.0}; }

Pgd::Pgd(const PgdOptions& options, std::string_view name) : options_(options), name_(name) { validate(options); }

Matrix random_starts(const Search& search) {
  const Matrix& references = search.references();
  Matrix points(references.rows(), references.columns());
  for (std::int64_t i = 0; i < points.rows(); ++i) {
    search.threat(i).random_point(search.keys()[static_cast<std::size_t>(i)].fold("start"), references.row(i),
                                  points.row(i));
  }
  return points;
}

Matrix Pgd::maximise(Search& search) const {
  const Matrix& references = search.references();
  Matrix points = random_starts(search);
  Best best(points);
  std::vector<std::int64_t> rows = consecutive(0, points.rows());
  Matrix gradients;
  Matrix velocity(options_.momentum > 0.0 ? points.rows() : 0, points.columns());
  std::vector<double> values;
  std::vector<float> direction(static_cast<std::size_t>(points.columns()));
  for (std::int64_t iteration = 0; iteration < options_.iterations && !rows.empty(); ++iteration) {
    search.evaluate(rows, points, values, &gradients);
    best.observe(rows, points, values);
    rows = best.unfinished(options_.enough);
    for (const std::int64_t i : rows) {
      const Threat& threat = search.threat(i);
      const auto step = static_cast<float>(threat.radius * options_.first_step * decay(options_, iteration));
      if (options_.momentum > 0.0) {
        accelerate(options_.momentum, gradients.row(i), velocity.row(i));
      }
      threat.steepest_direction_from(points.row(i), options_.momentum > 0.0 ? velocity.row(i) : gradients.row(i),
                                     direction);
      for (std::int64_t j = 0; j < points.columns(); ++j) {
        points(i, j) += step * direction[static_cast<std::size_t>(j)];
      }
      threat.project(references.row(i), points.row(i));
    }
  }
  search.evaluate(rows, points, values, nullptr);
  best.observe(rows, points, values);
  return std::move(best).take();
}

namespace {

OptimiserEntry entry(OptimiserEntry words, const PgdOptions& defaults) {
  const std::string_view name = words.name;
  return optimiser_entry<PgdOptions>(
      std::move(words), [defaults](std::string_view) { return defaults; }, pgd_schema(),
      [name](const PgdOptions& options) { return std::make_unique<Pgd>(options, name); });
}

}  // namespace

OptimiserEntries pgd_entries() {
  return {entry({.name = "sign_pgd",
                 .title = "Sign-PGD",
                 .description = "Projected sign ascent from a random start with a decaying step; the best iterate is "
                                "kept. It is pgd in the norm linf.",
                 .linf_only = true},
                {}),
          entry({.name = "pgd",
                 .title = "PGD",
                 .description = "Projected steepest ascent from a random start with a decaying step; the best iterate "
                                "is kept."},
                {}),
          entry({.name = "mi_fgsm",
                 .title = "MI-FGSM",
                 .description = "Projected steepest ascent with momentum and a constant step; the best iterate is "
                                "kept."},
                mi_fgsm_options())};
}

}  // namespace vaeguard::attacks
