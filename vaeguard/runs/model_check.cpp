// Tries models, and says in words what came out.
#include "vaeguard/runs/model_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/defences/registry.h"
#include "vaeguard/training/evaluation.h"

namespace vaeguard::runs {
namespace {

constexpr std::int64_t kRowsTried = 4;
constexpr std::int64_t kRowsDifferentiated = 2;
// To both sides of a row, relative to its length: far enough for rounding not to matter.
constexpr double kStep = 1e-2;
constexpr int kGradientsOnTheWay = 32;
constexpr double kDerivativeAllowed = 0.02;
constexpr double kRoundingAllowed = 1e-4;

/// A half of the model as a function of rows.
struct Half {
  std::function<Matrix(const Matrix& inputs)> values;
  std::function<Matrix(const Matrix& inputs, const Matrix& output_gradients)> pull;
  std::function<Matrix(const Matrix& inputs, const Matrix& tangents)> push;
};

// Of a model and its forward pass.
template <typename Model, typename Forward>
Half half_of(const Model& model, Forward forward) {
  return {.values =
              [&model, forward](const Matrix& inputs) {
                Matrix result;
                forward(inputs, result, *model.make_tape());
                return result;
              },
          .pull =
              [&model, forward](const Matrix& inputs, const Matrix& output_gradients) {
                Matrix result;
                const auto tape = model.make_tape();
                forward(inputs, result, *tape);
                model.backward(output_gradients, result, *tape);
                return result;
              },
          .push =
              [&model, forward](const Matrix& inputs, const Matrix& tangents) {
                Matrix result;
                const auto tape = model.make_tape();
                forward(inputs, result, *tape);
                model.tangent(tangents, result, *tape);
                return result;
              }};
}

Half encoder_of(const models::Vae& vae) {
  const models::Recognition& q = vae.recognition();
  return half_of(q, [&q, groups = vae.latents().count()](const Matrix& images, Matrix& outputs, networks::Tape& tape) {
    q.forward(images, groups, outputs, tape);
  });
}

Half decoder_of(const models::Vae& vae) {
  const models::Generative& p = vae.generative();
  return half_of(p, [&p](const Matrix& codes, Matrix& parameters, networks::Tape& tape) {
    p.forward(codes, parameters, {}, tape);
  });
}

Matrix normal_like(const Matrix& other, Key key) {
  Matrix result(other.rows(), other.columns());
  fill_normal(key, result.flat());
  return result;
}

double product(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += static_cast<double>(a[i]) * b[i];
  }
  return sum;
}

double length(std::span<const float> row) { return std::sqrt(product(row, row)); }

// Each row made one of length 1.
Matrix unit_rows(Matrix rows) {
  for (std::int64_t b = 0; b < rows.rows(); ++b) {
    const double size = std::max(length(rows.row(b)), 1e-30);
    std::ranges::for_each(rows.row(b), [=](float& value) { value = static_cast<float>(value / size); });
  }
  return rows;
}

// Infinite where there is nothing to compare with.
double relative_error(double found, double expected, double scale) {
  const double error = std::abs(found - expected) / scale;
  return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
}

// Rows moved along unit rows, by so much of the whole step.
Matrix moved(const Matrix& inputs, const Matrix& along, double part) {
  Matrix result = inputs;
  for (std::int64_t b = 0; b < inputs.rows(); ++b) {
    const double step = part * kStep * std::max(length(inputs.row(b)), 1.0);
    std::ranges::transform(inputs.row(b), along.row(b), result.row(b).begin(),
                           [=](float x, float v) { return static_cast<float>(x + step * v); });
  }
  return result;
}

// Of phi = <w, outputs> along its gradient. The difference of two values is the integral of the slope between them,
// kinks of ReLU and all, whose slope at one point alone may be anything.
double gradient_error(const Half& half, const Matrix& inputs) {
  const Matrix weights = normal_like(half.values(inputs), Key(11));
  const Matrix gradients = half.pull(inputs, weights);
  const Matrix along = unit_rows(gradients);
  const Matrix ahead = half.values(moved(inputs, along, 1.0));
  const Matrix behind = half.values(moved(inputs, along, -1.0));
  std::vector<double> slopes(static_cast<std::size_t>(inputs.rows()));
  for (int i = 0; i < kGradientsOnTheWay; ++i) {
    const Matrix here = half.pull(moved(inputs, along, (2.0 * i + 1.0) / kGradientsOnTheWay - 1.0), weights);
    for (std::int64_t b = 0; b < inputs.rows(); ++b) {
      slopes[static_cast<std::size_t>(b)] += product(here.row(b), along.row(b)) / kGradientsOnTheWay;
    }
  }
  double worst = 0.0;
  for (std::int64_t b = 0; b < inputs.rows(); ++b) {
    const double step = kStep * std::max(length(inputs.row(b)), 1.0);
    const double difference =
        (product(weights.row(b), ahead.row(b)) - product(weights.row(b), behind.row(b))) / (2.0 * step);
    worst = std::max(worst, relative_error(difference, slopes[static_cast<std::size_t>(b)], length(gradients.row(b))));
  }
  return worst;
}

// <u, J g> is |g|^2 for the gradient g = J' u.
double tangent_error(const Half& half, const Matrix& inputs) {
  const Matrix u = normal_like(half.values(inputs), Key(12));
  const Matrix gradients = half.pull(inputs, u);
  const Matrix pushed = half.push(inputs, unit_rows(gradients));
  double worst = 0.0;
  for (std::int64_t b = 0; b < inputs.rows(); ++b) {
    const double size = length(gradients.row(b));
    worst = std::max(worst, relative_error(product(u.row(b), pushed.row(b)), size, size));
  }
  return worst;
}

Finding derivative_finding(std::string_view word, double encoder, double decoder, std::string_view truth) {
  const bool right = std::max(encoder, decoder) <= kDerivativeAllowed;
  return {word,
          fmt::format("encoder {:.1g}, decoder {:.1g} off {}, relatively: {}", encoder, decoder, truth,
                      right ? "all right" : fmt::format("wrong, {} is allowed", kDerivativeAllowed)),
          !right};
}

double row_error(const Half& half, const Matrix& inputs) {
  const Matrix together = half.values(inputs);
  double largest = 0.0;
  double error = 0.0;
  for (std::int64_t b = 0; b < inputs.rows(); ++b) {
    const Matrix alone = half.values(inputs.slice(b, 1));
    for (std::int64_t i = 0; i < together.columns(); ++i) {
      largest = std::max(largest, std::abs(static_cast<double>(together(b, i))));
      error = std::max(error, std::abs(static_cast<double>(together(b, i)) - alone(0, i)));
    }
  }
  return error / std::max(largest, 1e-12);
}

Finding row_finding(double error) {
  if (error == 0.0) {
    return {"rows", "a batch gives the same bits as its rows one by one: all right"};
  }
  const bool right = error <= kRoundingAllowed;
  return {"rows",
          fmt::format("a batch differs from its rows one by one by {:.1g}, relatively: {}", error,
                      right ? "rounding, all right" : "wrong, rows must not depend on each other"),
          !right};
}

Finding middle_finding(const models::Vae& vae) {
  const Matrix image = vae.decode(vae.generative().draw(Matrix(1, vae.latent_size(), 0.0F), 1));
  const auto [least, most] = std::ranges::minmax(image.values());
  const auto usual = models::gaussian(1.0).usual_parameters();
  const bool finite = std::isfinite(least) && std::isfinite(most);
  const bool wrong = !finite || least < usual.first || most > usual.last;
  const bool inside = least >= 0.0F && most <= 1.0F;
  return {"prior mean",
          fmt::format("its image has pixels from {:.3g} to {:.3g}: {}", least, most,
                      wrong    ? "wrong, pixels are from 0 to 1 (are they from -1 to 1 in the files, or logits?)"
                      : inside ? "all right"
                               : "a little beyond 0 to 1, as outputs without a last sigmoid are"),
          wrong};
}

// Of a pixel: that of reconstructions, and that of the mean of all images.
std::pair<double, double> squared_errors(const models::Vae& vae, const Matrix& images, int threads) {
  const Matrix reconstructed = vae.decode(vae.encode(images, threads).mean, threads);
  double error = 0.0;
  double spread = 0.0;
  for (std::int64_t i = 0; i < images.columns(); ++i) {
    double mean = 0.0;
    for (std::int64_t b = 0; b < images.rows(); ++b) {
      mean += images(b, i) / static_cast<double>(images.rows());
    }
    for (std::int64_t b = 0; b < images.rows(); ++b) {
      error += std::pow(static_cast<double>(images(b, i)) - reconstructed(b, i), 2);
      spread += std::pow(images(b, i) - mean, 2);
    }
  }
  const auto pixels = static_cast<double>(images.values().size());
  return {error / pixels, spread / pixels};
}

Finding reconstruction_finding(const models::Vae& vae, const Matrix& images, bool pictures, int threads) {
  const auto [error, spread] = squared_errors(vae, images, threads);
  const bool wrong = !std::isfinite(error) || (pictures && error > spread);
  return {"reconstruction",
          fmt::format("squared error {:.4g} a pixel of {} {}, {:.4g} if all got their mean{}", error, images.rows(),
                      pictures ? "pictures" : "images that the model drew", spread,
                      wrong      ? ": wrong (other pixels than it was trained on, or means and log-variances mixed up?)"
                      : pictures ? ": all right"
                                 : ""),
          wrong};
}

Finding bound_finding(const models::Vae& vae, const Matrix& images, int threads) {
  const auto elbo = training::estimate_elbo(vae, images, Key(13), threads);
  return {"ELBO",
          fmt::format("{:.5g} nats an image: -log p(x|z) {:.5g}, KL(q(z|x) || p(z)) {:.4g}", elbo.elbo,
                      elbo.reconstruction, elbo.divergence),
          !std::isfinite(elbo.elbo)};
}

// Asks what has gradients to spend to stop before it does.
class Impatient : public Observer {
 public:
  explicit Impatient(bool stop) : stop_(stop) {}
  [[nodiscard]] bool interrupted() const override { return stop_; }

 private:
  bool stop_;
};

// "[place] text" -> "text"
std::string without_place(const std::string& message) {
  const auto end = message.starts_with("[") ? message.find("] ") : std::string::npos;
  return end == std::string::npos ? message : message.substr(end + 2);
}

}  // namespace

Matrix drawn_images(const models::Vae& vae, std::int64_t n, int threads) {
  Matrix base(n, vae.latent_size());
  fill_normal(Key(14), base.flat());
  Matrix images = vae.decode(vae.generative().draw(base, threads), threads);
  std::ranges::for_each(images.flat(), [](float& pixel) { pixel = std::clamp(pixel, 0.0F, 1.0F); });
  return images;
}

std::vector<Finding> check_model(const models::Vae& vae, const Matrix& images, bool pictures, int threads) {
  check_shape("runs.model_check", "images", images, -1, vae.image().size());
  if (images.rows() < 2) {
    misuse("runs.model_check", "at least 2 images are needed, got {}", images.rows());
  }
  const Half encoder = encoder_of(vae);
  const Half decoder = decoder_of(vae);
  const Matrix some = images.slice(0, std::min(images.rows(), kRowsTried));
  const Matrix codes = normal_like(Matrix(some.rows(), vae.latent_size()), Key(15));
  const Matrix few = some.slice(0, kRowsDifferentiated);
  const Matrix few_codes = codes.slice(0, kRowsDifferentiated);
  return {
      derivative_finding("gradients", gradient_error(encoder, few), gradient_error(decoder, few_codes),
                         "finite differences"),
      derivative_finding("tangents", tangent_error(encoder, few), tangent_error(decoder, few_codes), "the gradients"),
      row_finding(std::max(row_error(encoder, some), row_error(decoder, codes))),
      middle_finding(vae),
      reconstruction_finding(vae, images, pictures, threads),
      bound_finding(vae, images, threads)};
}

std::vector<DefenceNeed> defence_needs(const models::Vae& vae, const Matrix& image, int threads) {
  const std::vector<Key> keys{Key(16)};
  std::vector<DefenceNeed> needs;
  for (const defences::DefenceEntry& entry : defences::defences()) {
    const Value nothing_said;
    OptionReader reader(nothing_said, std::string(entry.name));
    const defences::Prepared prepared = defences::prepare(entry, reader);
    Impatient observer(prepared.gradients > 0.0);
    DefenceNeed need{.defence = entry.name, .missing = {}};
    try {
      static_cast<void>(prepared.make(std::string(entry.name), 0.1)->infer(vae, image, keys, threads, observer));
    } catch (const Interrupted&) {  // it began, so it has all that it needs
    } catch (const Misuse& refusal) {
      need.missing = without_place(refusal.what());
    }
    needs.push_back(std::move(need));
  }
  return needs;
}

}  // namespace vaeguard::runs
