// Frechet distances of prior samples: which images are compared, and that each set of features has its own.
#include "vaeguard/measures/sample_distance.h"

#include <gtest/gtest.h>

#include <cmath>

#include "vaeguard/data/synthetic.h"
#include "vaeguard/models/conv_vae.h"

namespace vaeguard::measures {
namespace {

/// The first two pixels, and the brightness of the whole.
class TwoSets : public metrics::FeatureExtractor {
 public:
  [[nodiscard]] std::vector<metrics::Features> extract(const Matrix& images, const ImageShape& shape, int /*threads*/,
                                                       Observer& /*observer*/) const override {
    EXPECT_EQ(shape.size(), images.columns());
    metrics::Features pixels{"pixels", Matrix(images.rows(), 2)};
    metrics::Features brightness{"brightness", Matrix(images.rows(), 1)};
    for (std::int64_t i = 0; i < images.rows(); ++i) {
      pixels.values(i, 0) = images(i, 0);
      pixels.values(i, 1) = images(i, 1);
      for (const float pixel : images.row(i)) {
        brightness.values(i, 0) += pixel;
      }
    }
    return {pixels, brightness};
  }
};

TEST(SampleDistance, ComparesThePriorsMeanImagesWithTheFirstTestImages) {
  const data::Dataset dataset = data::synthetic({.train = 10, .validation = 10, .test = 40}, Key(3));
  const models::Vae vae(models::conv_vae(dataset.shape, models::usual_likelihood(1), Key(1), 2));
  constexpr std::int64_t kImages = 30;
  const auto extractor = std::make_shared<TwoSets>();
  const SampleDistance distance(extractor, dataset, kImages, 1, silent_observer());
  Measurement prototype;
  prototype.cell = "model";
  const auto found = distance.measure(vae, Key(7), prototype, 2, silent_observer());
  ASSERT_EQ(found.size(), 2U);

  Matrix codes(kImages, 2);
  for (std::int64_t i = 0; i < kImages; ++i) {
    fill_normal(Key(7).fold(static_cast<std::uint64_t>(i)), codes.row(i));
  }
  const auto sets = [&](const Matrix& images) {
    return extractor->extract(images, dataset.shape, 1, silent_observer());
  };
  const auto samples = sets(vae.decode(codes, 1));
  const auto test = sets(dataset.test.pixels.slice(0, kImages));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(found[i].metric, samples[i].metric);
    EXPECT_EQ(found[i].cell, "model");
    EXPECT_EQ(found[i].n, kImages);
    EXPECT_TRUE(std::isnan(found[i].standard_error));
    EXPECT_DOUBLE_EQ(found[i].value, metrics::frechet_distance(metrics::feature_moments(samples[i].values),
                                                               metrics::feature_moments(test[i].values)));
  }
}

TEST(SampleDistance, TakesNoMoreImagesThanThereAre) {
  const data::Dataset dataset = data::synthetic({.train = 10, .validation = 10, .test = 40}, Key(3));
  const models::Vae vae(models::conv_vae(dataset.shape, models::usual_likelihood(1), Key(1), 2));
  const SampleDistance distance(std::make_shared<TwoSets>(), dataset, 1'000'000, 1, silent_observer());
  EXPECT_EQ(distance.measure(vae, Key(7), {}, 1, silent_observer()).at(0).n, dataset.test.pixels.rows());
}

}  // namespace
}  // namespace vaeguard::measures
