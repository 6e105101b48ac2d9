// Theorem 1 and Lemma 1 of Kuzina et al. (2022) as numbers on the linear VAE; docs/design/theorem1.md shows its table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>
#include <iostream>
#include <numbers>
#include <sstream>
#include <string>
#include <vector>

#include "vaeguard/models/linear_vae.h"

namespace vaeguard::models {
namespace {

constexpr std::int64_t kPixels = 6;
constexpr double kCorrelation = 0.8;  // of one step of the kernel with the next
constexpr std::array kRadii{0.05, 0.1, 0.2};
constexpr std::array kSteps{0, 1, 5, 20};
// Checked against a closed form below; the integrand |p - q| has kinks.
constexpr double kQuadratureError = 1e-4;

/// A two-dimensional Gaussian ready to be evaluated many times.
class Density {
 public:
  explicit Density(const Gaussian& g)
      : x_(g.mean[0]),
        y_(g.mean[1]),
        determinant_(g.covariance[0] * g.covariance[3] - g.covariance[1] * g.covariance[2]),
        xx_(g.covariance[3] / determinant_),
        xy_(-g.covariance[1] / determinant_),
        yy_(g.covariance[0] / determinant_) {}

  double operator()(double x, double y) const {
    const double dx = x - x_;
    const double dy = y - y_;
    return std::exp(-0.5 * (xx_ * dx * dx + 2 * xy_ * dx * dy + yy_ * dy * dy)) /
           (2 * std::numbers::pi * std::sqrt(determinant_));
  }

 private:
  double x_, y_, determinant_, xx_, xy_, yy_;
};

/// TV[p, q] = 1/2 integral |p - q|, by the midpoint rule on a box of 7 standard deviations around both.
double total_variation(const Gaussian& p, const Gaussian& q) {
  constexpr int kCells = 500;
  std::array<double, 2> low{};
  std::array<double, 2> width{};
  for (std::size_t d = 0; d < 2; ++d) {
    const double reach_p = 7 * std::sqrt(p.covariance[3 * d]);
    const double reach_q = 7 * std::sqrt(q.covariance[3 * d]);
    low[d] = std::min(p.mean[d] - reach_p, q.mean[d] - reach_q);
    width[d] = (std::max(p.mean[d] + reach_p, q.mean[d] + reach_q) - low[d]) / kCells;
  }
  const Density of_p(p);
  const Density of_q(q);
  double sum = 0.0;
  for (int i = 0; i < kCells; ++i) {
    for (int j = 0; j < kCells; ++j) {
      const double x = low[0] + (i + 0.5) * width[0];
      const double y = low[1] + (j + 0.5) * width[1];
      sum += std::abs(of_p(x, y) - of_q(x, y));
    }
  }
  return 0.5 * sum * width[0] * width[1];
}

/// The model, an encoder that is wrong in mean and variance, and a reference image in the middle of the pixel box.
struct Scene {
  explicit Scene(const LinearEncoderOptions& error) : encoder(vae.weights(error, Key(2))) {}

  LinearVae vae = LinearVae::random(Key(3), kPixels, 2, 0.6, 0.25);
  Vae encoder;
  std::vector<float> reference = std::vector<float>(kPixels, 0.5F);

  /// q(z|x).
  [[nodiscard]] Gaussian encode(const std::vector<float>& image) const {
    const Encoding encoding = encoder.encode(Matrix(1, kPixels, image));
    return {{encoding.mean(0, 0), encoding.mean(0, 1)},
            {std::exp(static_cast<double>(encoding.log_variance(0, 0))), 0, 0,
             std::exp(static_cast<double>(encoding.log_variance(0, 1)))}};
  }

  [[nodiscard]] std::vector<float> corner(int which, double radius) const {
    std::vector<float> image = reference;
    for (std::size_t j = 0; j < image.size(); ++j) {
      image[j] += static_cast<float>((which >> j & 1) != 0 ? radius : -radius);
    }
    return image;
  }

  /// The exact solution of eq. 3: symmetric KL of a linear encoder is a convex quadratic, largest at a corner.
  [[nodiscard]] std::vector<float> attacked(double radius) const {
    std::vector<float> best;
    double largest = -1.0;
    for (int which = 0; which < 1 << kPixels; ++which) {
      const auto image = corner(which, radius);
      const double gap = kl_divergence(encode(image), encode(reference));
      if (gap > largest) {
        largest = gap;
        best = image;
      }
    }
    return best;
  }
};

/// The law after t steps of z' = m + c (z - m) + sqrt(1 - c^2) S^(1/2) N(0, I), which leaves the posterior N(m, S)
/// unchanged: it is HMC with mass S^-1 and the exact flow for the time arccos(c), where every proposal is accepted.
Gaussian after_steps(const Gaussian& start, const Gaussian& posterior, int steps) {
  const double memory = std::pow(kCorrelation, steps);
  Gaussian law = posterior;
  for (std::size_t d = 0; d < 2; ++d) {
    law.mean[d] += memory * (start.mean[d] - posterior.mean[d]);
  }
  for (std::size_t i = 0; i < 4; ++i) {
    law.covariance[i] += memory * memory * (start.covariance[i] - posterior.covariance[i]);
  }
  return law;
}

/// One evaluation of Lemma 2, eq. 6.
struct Bound {
  double left = 0.0;           // TV[q^(t)(z|x_a), q(z|x_r)]
  double mixing = 0.0;         // TV[q^(t)(z|x_a), p(z|x_a)]
  double attack = 0.0;         // sqrt(KL[p(z|x_r) | p(z|x_a)] / 2)
  double approximation = 0.0;  // sqrt(KL[q(z|x_r) | p(z|x_r)] / 2)

  [[nodiscard]] double right() const { return mixing + attack + approximation; }
};

Bound evaluate(const Scene& scene, double radius, int steps) {
  const auto attacked = scene.attacked(radius);
  const Gaussian clean_posterior = scene.vae.posterior(scene.reference);
  const Gaussian posterior = scene.vae.posterior(attacked);
  const Gaussian clean_encoding = scene.encode(scene.reference);
  const Gaussian law = after_steps(scene.encode(attacked), posterior, steps);
  return {total_variation(law, clean_encoding), total_variation(law, posterior),
          std::sqrt(0.5 * kl_divergence(clean_posterior, posterior)),
          std::sqrt(0.5 * kl_divergence(clean_encoding, clean_posterior))};
}

Scene wrong_encoder() { return Scene({.mean_error = 3.0, .log_variance_shift = -0.3}); }

TEST(Theorem1, QuadratureAgreesWithTheClosedFormForEqualCovariances) {
  const std::vector<double> covariance{1.0, 0.5, 0.5, 2.0};
  for (const double shift : {0.1, 1.0, 3.0}) {
    const double distance = shift / std::sqrt(1.0 - 0.25 / 2.0);  // Mahalanobis, of a shift along the first axis
    EXPECT_NEAR(total_variation({{0, 0}, covariance}, {{shift, 0}, covariance}),
                std::erf(distance / (2.0 * std::numbers::sqrt2)), kQuadratureError);
  }
}

TEST(Theorem1, TheKernelLeavesThePosteriorUnchanged) {
  const Scene scene = wrong_encoder();
  const Gaussian posterior = scene.vae.posterior(scene.reference);
  EXPECT_EQ(after_steps(posterior, posterior, 7).covariance, posterior.covariance);
  EXPECT_NEAR(total_variation(after_steps(scene.encode(scene.reference), posterior, 60), posterior), 0.0, 1e-4);
}

TEST(Theorem1, TheBoundHoldsAtEveryRadiusAndStep) {
  const Scene scene = wrong_encoder();
  for (const double radius : {0.0, 0.0078125, 0.0625, 0.125, 0.25, 0.5}) {
    for (const int steps : {0, 1, 2, 5, 20}) {
      const Bound bound = evaluate(scene, radius, steps);
      EXPECT_LE(bound.left, bound.right() + 2 * kQuadratureError) << "radius " << radius << ", steps " << steps;
    }
  }
}

TEST(Theorem1, EveryTermOfTheBoundIsNeeded) {
  // Without one of its terms the inequality fails somewhere, so the test above can fail.
  const Bound unmixed = evaluate(wrong_encoder(), 0.25, 0);
  EXPECT_GT(unmixed.left, unmixed.attack + unmixed.approximation);
  const Bound attacked = evaluate(Scene(LinearEncoderOptions{}), 0.25, 20);
  EXPECT_GT(attacked.left, attacked.mixing + attacked.approximation);
  const Bound clean = evaluate(wrong_encoder(), 0.0, 60);
  EXPECT_GT(clean.left, clean.mixing + clean.attack);
}

TEST(Theorem1, TheFirstTermFallsWithEveryStepAndTheOthersStay) {
  const Scene scene = wrong_encoder();
  Bound last = evaluate(scene, 0.25, 0);
  for (const int steps : {1, 2, 5, 20}) {
    const Bound now = evaluate(scene, 0.25, steps);
    EXPECT_LT(now.mixing, last.mixing);
    EXPECT_EQ(now.attack, last.attack);
    EXPECT_EQ(now.approximation, last.approximation);
    last = now;
  }
}

TEST(Theorem1, SamplingHelpsWhereTheEncoderIsMovedFurtherThanThePosterior) {
  const Scene wrong = wrong_encoder();
  for (const double radius : {0.125, 0.25}) {
    EXPECT_LT(evaluate(wrong, radius, 20).left, evaluate(wrong, radius, 0).left - 0.05);
  }
}

TEST(Lemma1, TheDivergenceOfPosteriorsIsExactlyQuadraticInTheRadius) {
  const Scene scene = wrong_encoder();
  const Gaussian clean = scene.vae.posterior(scene.reference);
  // 1/2 d' F d with the Fisher information F = W S W' / s^4 of the posterior about the image, d the corner's signs.
  for (const int which : {0, 5, 42}) {
    std::array<double, 2> pulled{};  // W' d
    for (std::int64_t j = 0; j < kPixels; ++j) {
      for (std::int64_t d = 0; d < 2; ++d) {
        pulled[static_cast<std::size_t>(d)] += scene.vae.weight()(j, d) * ((which >> j & 1) != 0 ? 1.0 : -1.0);
      }
    }
    const auto& s = clean.covariance;
    const double fisher =
        (s[0] * pulled[0] * pulled[0] + 2 * s[1] * pulled[0] * pulled[1] + s[3] * pulled[1] * pulled[1]) /
        (scene.vae.variance() * scene.vae.variance());
    for (double radius = 0.5; radius > 1e-3; radius /= 2) {  // powers of two: pixels are exact floats
      const double divergence = kl_divergence(clean, scene.vae.posterior(scene.corner(which, radius)));
      EXPECT_NEAR(divergence / (radius * radius) / (0.5 * fisher), 1.0, 1e-6) << "radius " << radius;
    }
  }
}

std::string table() {
  std::ostringstream text;
  text.precision(3);
  text << std::fixed;
  const Scene scene = wrong_encoder();
  for (const double radius : kRadii) {
    for (const int steps : kSteps) {
      const Bound bound = evaluate(scene, radius, steps);
      text << "| " << radius << " | " << steps << " | " << bound.left << " | " << bound.mixing << " | " << bound.attack
           << " | " << bound.approximation << " | " << bound.right() << " |\n";
    }
  }
  return text.str();
}

std::vector<double> numbers(const std::string& row) {
  std::vector<double> result;
  std::istringstream cells(row);
  for (std::string cell; std::getline(cells, cell, '|');) {
    if (cell.find_first_of("0123456789") != std::string::npos) {
      result.push_back(std::stod(cell));
    }
  }
  return result;
}

TEST(Theorem1, TheTableOfItsPageIsWhatComesOut) {
  const std::string computed = table();
  std::cout << computed;
  std::ifstream page(VAEGUARD_SOURCE_DIR "/docs/design/theorem1.md");
  std::vector<std::string> printed;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("| 0.")) {
      printed.push_back(line);
    }
  }
  ASSERT_EQ(printed.size(), kRadii.size() * kSteps.size());
  std::istringstream rows(computed);
  for (const std::string& line : printed) {
    std::string row;
    std::getline(rows, row);
    // One unit of the last printed digit, for other processors' rounding.
    EXPECT_THAT(numbers(line), testing::Pointwise(testing::DoubleNear(1.01e-3), numbers(row))) << line;
  }
}

}  // namespace
}  // namespace vaeguard::models
