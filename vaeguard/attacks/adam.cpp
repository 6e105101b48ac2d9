// The moments of each pixel's gradient and the projected step.
#include "vaeguard/attacks/adam.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "vaeguard/attacks/best.h"
#include "vaeguard/attacks/entry.h"
#include "vaeguard/attacks/pgd.h"
#include "vaeguard/base/adam.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/scalar_field.h"

namespace vaeguard::attacks {
namespace {

constexpr double kFloor = 1e-12;     // of the root mean square
constexpr double kSteepest = 1e100;  // its square is still finite

struct Moments {
  double mean = 0.0;
  double square = 0.0;
};

}  // namespace

const OptionSchema<AdamOptions>& adam_schema() {
  static const auto schema =
      loop_schema<AdamOptions>()
          .number("mean_decay", &AdamOptions::mean_decay, from_to_below(0.0, 1.0), "of the gradients' mean")
          .number("square_decay", &AdamOptions::square_decay, from_to_below(0.0, 1.0), "of their squares' mean");
  return schema;
}

void validate(const AdamOptions& options) { adam_schema().check("attacks.adam", options); }

Adam::Adam(const AdamOptions& options) : options_(options) { validate(options); }

Matrix Adam::maximise(Search& search) const {
  Matrix points = random_starts(search);
  Best best(points);
  std::vector<std::int64_t> rows = consecutive(0, points.rows());
  std::vector<Moments> moments(points.values().size());
  Matrix gradients;
  std::vector<double> values;
  for (std::int64_t iteration = 0; iteration < options_.iterations && !rows.empty(); ++iteration) {
    search.evaluate(rows, points, values, &gradients);
    best.observe(rows, points, values);
    rows = best.unfinished(options_.enough);
    for (const std::int64_t i : rows) {
      const auto reference = search.references().row(i);
      const AdamStep<double, AdamForm::differences> move(
          {.mean = options_.mean_decay, .square = options_.square_decay, .floor = kFloor}, iteration + 1,
          half_cosine(search.threat(i).pixel_share(reference) * options_.first_step, iteration, options_.iterations));
      Moments* moment = moments.data() + i * points.columns();
      for (std::int64_t j = 0; j < points.columns(); ++j, ++moment) {
        const double g = std::isnan(gradients(i, j)) ? 0.0 : std::clamp<double>(gradients(i, j), -kSteepest, kSteepest);
        points(i, j) = static_cast<float>(points(i, j) + move(g, moment->mean, moment->square));
      }
      search.threat(i).project(reference, points.row(i));
    }
  }
  search.evaluate(rows, points, values, nullptr);
  best.observe(rows, points, values);
  return std::move(best).take();
}

OptimiserEntries adam_entries() {
  return {optimiser_entry<AdamOptions>(
      {.name = "adam", .title = "Adam", .description = "Adam, projected after each step; the best iterate is kept."},
      [](std::string_view) { return AdamOptions{}; }, adam_schema(),
      [](const AdamOptions& options) { return std::make_unique<Adam>(options); })};
}

}  // namespace vaeguard::attacks
