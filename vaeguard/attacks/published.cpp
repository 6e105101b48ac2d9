// The published loop in float arithmetic, one plateau schedule per image.
#include "vaeguard/attacks/published.h"

#include "vaeguard/attacks/registry.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

/// The plateau rule in relative form. For a negative best, `best (1 - threshold)` lies above it, so a loss that is
/// slightly worse still counts as better; kept, because losses here are negative and the authors' runs behaved so.
class Plateau {
 public:
  explicit Plateau(const PublishedOptions& options) : options_(options), step_(options.step) {}

  [[nodiscard]] double step() const { return step_; }
  void observe(double loss) {
    if (loss < best_ * (1.0 - options_.threshold)) {
      best_ = loss;
      bad_ = 0;
      return;
    }
    if (++bad_ > options_.patience) {
      step_ *= options_.factor;
      bad_ = 0;
    }
  }

 private:
  const PublishedOptions& options_;
  double step_;
  double best_ = std::numeric_limits<double>::infinity();
  std::int64_t bad_ = 0;
};

/// eps <- clamp(x + eps, range) - x, and the point x + eps where the loss is taken.
void clamp_to_range(std::span<const float> x, std::span<float> eps, std::span<float> point) {
  const auto [low, high] = std::ranges::minmax(x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    eps[i] = std::clamp(x[i] + eps[i], low, high) - x[i];
    point[i] = x[i] + eps[i];
  }
}

}  // namespace

const OptionSchema<PublishedOptions>& published_schema() {
  static const auto schema =
      OptionSchema<PublishedOptions>()
          .integer("iterations", &PublishedOptions::iterations, at_least(1), "gradients spent on each image")
          .number("step", &PublishedOptions::step, above(0.0), "the first, times the plain gradient")
          .number("start_deviation", &PublishedOptions::start_deviation, at_least(0.0),
                  "of a pixel at the start; 0 unless said otherwise for goals with a target or a classifier")
          .integer("patience", &PublishedOptions::patience, at_least(0),
                   "iterations without a better loss before the step shrinks")
          .number("factor", &PublishedOptions::factor, between(0.0, 1.0), "by which it shrinks")
          .number("threshold", &PublishedOptions::threshold, from_to_below(0.0, 1.0),
                  "by which share a loss must be better to count");
  return schema;
}

void validate(const PublishedOptions& options) { published_schema().check("attacks.published", options); }

Published::Published(const PublishedOptions& options) : options_(options) { validate(options); }

Matrix Published::maximise(Search& search) const {
  const Matrix& x = search.references();
  if (search.threat(0).norm != Norm::linf) {
    misuse("attacks.published", "the published loop exists for linf only, got {}",
           vaeguard::name(search.threat(0).norm));
  }
  const auto radius = static_cast<float>(search.threat(0).radius);
  Matrix eps(x.rows(), x.columns());
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    fill_normal(search.keys()[static_cast<std::size_t>(i)].fold("start"), eps.row(i));
    std::ranges::for_each(eps.row(i), [&](float& e) { e *= static_cast<float>(options_.start_deviation); });
  }
  std::vector<Plateau> plateaus(static_cast<std::size_t>(x.rows()), Plateau(options_));
  Matrix points(x.rows(), x.columns());
  Matrix gradients;
  std::vector<double> values;
  for (std::int64_t iteration = 0; iteration < options_.iterations; ++iteration) {
    for (std::int64_t i = 0; i < x.rows(); ++i) {
      clamp_to_range(x.row(i), eps.row(i), points.row(i));
    }
    search.evaluate(points, values, &gradients);
    for (std::int64_t i = 0; i < x.rows(); ++i) {
      Plateau& plateau = plateaus[static_cast<std::size_t>(i)];
      const auto step = static_cast<float>(plateau.step());
      for (std::int64_t j = 0; j < x.columns(); ++j) {
        eps(i, j) = std::clamp(eps(i, j) + step * gradients(i, j), -radius, radius);
      }
      plateau.observe(-values[static_cast<std::size_t>(i)]);
    }
  }
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    clamp_to_range(x.row(i), eps.row(i), points.row(i));
  }
  return points;
}

namespace {

// The authors start supervised and classifier attacks at the image itself.
PublishedOptions options_for(std::string_view goal) {
  const GoalEntry* entry = goals().lookup(goal);
  const bool at_image = entry != nullptr && (entry->needs_classifier || entry->targeted);
  return {.start_deviation = at_image ? 0.0 : PublishedOptions{}.start_deviation};
}

}  // namespace

OptimiserEntries published_entries() {
  return {optimiser_entry<PublishedOptions>(
      {.name = "published",
       .title = "Attack as published",
       .description = "The authors' loop: plain gradient ascent, plateau schedule, last iterate kept.",
       .linf_only = true},
      options_for, published_schema(),
      [](const PublishedOptions& options) { return std::make_unique<Published>(options); })};
}

}  // namespace vaeguard::attacks
