// Logits, probabilities, prediction and cross-entropy of the linear classifier.
#include "vaeguard/models/classifier.h"

#include <algorithm>
#include <cmath>

#include "vaeguard/base/error.h"
#include "vaeguard/base/softmax.h"

namespace vaeguard::models {
namespace {

std::vector<double> row_logits(const LinearClassifier& classifier, std::span<const float> latent) {
  std::vector<double> result(classifier.bias.begin(), classifier.bias.end());
  for (std::int64_t c = 0; c < classifier.classes(); ++c) {
    const std::span<const float> weight = classifier.weight.row(c);
    for (std::size_t d = 0; d < latent.size(); ++d) {
      result[static_cast<std::size_t>(c)] += static_cast<double>(weight[d]) * latent[d];
    }
  }
  return result;
}

}  // namespace

Matrix LinearClassifier::logits(const Matrix& latents) const {
  check_shape("models.classifier", "latents", latents, -1, latent_size());
  Matrix result(latents.rows(), classes());
  for (std::int64_t b = 0; b < latents.rows(); ++b) {
    std::ranges::transform(row_logits(*this, latents.row(b)), result.row(b).begin(),
                           [](double value) { return static_cast<float>(value); });
  }
  return result;
}

Matrix LinearClassifier::probabilities(const Matrix& latents) const {
  check_shape("models.classifier", "latents", latents, -1, latent_size());
  Matrix result(latents.rows(), classes());
  for (std::int64_t b = 0; b < latents.rows(); ++b) {
    std::vector<double> row = row_logits(*this, latents.row(b));
    softmax(std::span(row));
    std::ranges::transform(row, result.row(b).begin(), [](double value) { return static_cast<float>(value); });
  }
  return result;
}

std::vector<std::int64_t> LinearClassifier::predict(const Matrix& latents) const {
  check_shape("models.classifier", "latents", latents, -1, latent_size());
  std::vector<std::int64_t> result(static_cast<std::size_t>(latents.rows()));
  for (std::int64_t b = 0; b < latents.rows(); ++b) {
    const std::vector<double> row = row_logits(*this, latents.row(b));
    const bool known = std::ranges::all_of(row, [](double logit) { return std::isfinite(logit); });
    result[static_cast<std::size_t>(b)] = known ? std::ranges::max_element(row) - row.begin() : kNoClass;
  }
  return result;
}

double LinearClassifier::cross_entropy(std::span<const float> latent, std::int64_t label,
                                       std::span<float> gradient) const {
  if (std::ssize(latent) != latent_size() || label < 0 || label >= classes()) {
    misuse("models.classifier", "expected {} latents and a label below {}, got {} latents and label {}", latent_size(),
           classes(), latent.size(), label);
  }
  std::vector<double> row = row_logits(*this, latent);
  const double label_logit = row[static_cast<std::size_t>(label)];
  const double log_total = softmax(std::span(row));
  if (!gradient.empty()) {
    // d/dz = sum_c (softmax_c - [c = label]) weight_c
    for (std::size_t d = 0; d < latent.size(); ++d) {
      double sum = -static_cast<double>(weight(label, static_cast<std::int64_t>(d)));
      for (std::int64_t c = 0; c < classes(); ++c) {
        sum += row[static_cast<std::size_t>(c)] * weight(c, static_cast<std::int64_t>(d));
      }
      gradient[d] = static_cast<float>(sum);
    }
  }
  return log_total - label_logit;
}

double accuracy(const LinearClassifier& classifier, const Matrix& latents, std::span<const std::int64_t> labels) {
  if (latents.rows() != std::ssize(labels) || labels.empty()) {
    misuse("models.classifier", "accuracy takes one label a row and at least one row, got {} rows and {} labels",
           latents.rows(), labels.size());
  }
  const std::vector<std::int64_t> predictions = classifier.predict(latents);
  std::int64_t hits = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    hits += predictions[i] == labels[i] ? 1 : 0;
  }
  return static_cast<double>(hits) / static_cast<double>(labels.size());
}

}  // namespace vaeguard::models
