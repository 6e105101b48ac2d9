// Cells whose codes overflowed: numbers that are none are recorded as such and stop nothing.
#include "vaeguard/measures/measure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "vaeguard/base/random.h"

namespace vaeguard::measures {
namespace {

double value_of(const CellRecords& records, std::string_view metric) {
  const auto found = std::ranges::find_if(records.measurements, [&](const Measurement& measurement) {
    return measurement.metric == metric && measurement.estimate == "mean" && measurement.restarts == "mean";
  });
  return found == records.measurements.end() ? 0.0 : found->value;
}

TEST(Measure, ACodeThatIsNoNumberMakesScoresUnknownAndEndsNoRun) {
  constexpr std::int64_t kRows = 4;
  using networks::Operation;
  models::VaeWeights weights{.architecture = "linear",
                             .encoder = {.inputs = {{1, 16, 16}}},
                             .decoder = {.inputs = {{3, 1, 1}}},
                             .likelihood = {}};
  weights.encoder.add(Operation::convolution, {.channels = 6, .kernel = 16});
  weights.decoder.add(Operation::transposed_convolution, {.channels = 1, .kernel = 16});
  fill_uniform(Key(5), -0.1F, 0.1F, weights.encoder.parameters);
  fill_uniform(Key(6), -0.1F, 0.1F, weights.decoder.parameters);
  models::LinearClassifier classifier{Matrix(4, 3), std::vector<float>(4)};
  fill_normal(Key(2), classifier.weight.flat());
  const Subject subject{models::Vae(weights), classifier};
  data::Images images{.pixels = Matrix(kRows, 256), .labels = {0, 1, 2, 3}};
  fill_uniform(Key(3), 0.0F, 1.0F, images.pixels.flat());
  const References references = make_references(subject, images, {0, 1, 2, 3}, Key(4), 1);
  Outcome outcome;
  outcome.attacked = encode_attacked(subject.vae, images.pixels, 1);
  outcome.inference.draw = outcome.inference.mean = references.encoding.mean;
  outcome.inference.mean(1, 0) = std::numeric_limits<float>::infinity();
  outcome.inference.mean_reconstruction = subject.vae.decode(outcome.inference.mean, 1);
  Measurement prototype;
  prototype.cell = "overflow";
  prototype.defence = "map";
  const CellRecords records = measure(subject, references, outcome, {}, prototype, 1);
  for (const char* metric : {"brier_score", "negative_log_score", "calibration_error"}) {
    EXPECT_TRUE(std::isnan(value_of(records, metric))) << metric << " " << value_of(records, metric);
  }
  EXPECT_EQ(std::ranges::count_if(
                records.items, [](const Item& item) { return item.metric == "brier_score" && std::isnan(item.value); }),
            1);
  const auto agrees = std::ranges::find_if(records.items, [](const Item& item) {
    return item.metric == "agreement" && item.estimate == "mean" && item.reference == 1;
  });
  ASSERT_NE(agrees, records.items.end());
  EXPECT_EQ(agrees->value, 0.0);
}

}  // namespace
}  // namespace vaeguard::measures
