// Losses of logits, their derivatives, and back-propagation through the linear classifier.
#include "vaeguard/attacks/classifier_goal.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

/// A loss and its slope at each logit.
struct Loss {
  double value = 0.0;
  std::vector<double> slopes;  // [classes]
};

std::vector<double> logits(const models::LinearClassifier& classifier, std::span<const float> code) {
  std::vector<double> result(classifier.bias.begin(), classifier.bias.end());
  for (std::int64_t c = 0; c < classifier.classes(); ++c) {
    const auto weight = classifier.weight.row(c);
    for (std::size_t d = 0; d < code.size(); ++d) {
      result[static_cast<std::size_t>(c)] += static_cast<double>(weight[d]) * code[d];
    }
  }
  return result;
}

/// Classes in descending order of their logits, ties in order of class.
std::vector<std::size_t> ranking(const std::vector<double>& logits) {
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  return order;
}

/// l_wins - l_loses: the best other class minus the own one, or, with a target, the target minus the best other class.
Loss margin(const ClassAim& aim, const std::vector<double>& logits, const std::vector<std::size_t>& order) {
  const auto held = static_cast<std::size_t>(aim.target < 0 ? aim.own : aim.target);
  const std::size_t rival = order[0] == held ? order[1] : order[0];
  const std::size_t wins = aim.target < 0 ? rival : held;
  const std::size_t loses = aim.target < 0 ? held : rival;
  Loss loss{logits[wins] - logits[loses], std::vector<double>(logits.size(), 0.0)};
  loss.slopes[wins] += 1.0;
  loss.slopes[loses] -= 1.0;
  return loss;
}

Loss difference_of_logits_ratio(const ClassAim& aim, const std::vector<double>& logits,
                                const std::vector<std::size_t>& order) {
  Loss above;
  std::vector<std::pair<std::size_t, double>> below{{order[0], 1.0}};
  if (aim.target < 0) {
    above = margin(aim, logits, order);
    below.emplace_back(order[2], -1.0);
  } else {
    const auto own = static_cast<std::size_t>(aim.own);
    const auto target = static_cast<std::size_t>(aim.target);
    above = {logits[target] - logits[own], std::vector<double>(logits.size(), 0.0)};
    above.slopes[target] += 1.0;
    above.slopes[own] -= 1.0;
    below.emplace_back(order[2], -0.5);
    below.emplace_back(order[3], -0.5);
  }
  double divisor = 0.0;
  for (const auto& [c, weight] : below) {
    divisor += weight * logits[c];
  }
  Loss ratio{above.value / divisor, above.slopes};
  for (double& slope : ratio.slopes) {
    slope /= divisor;
  }
  for (const auto& [c, weight] : below) {
    ratio.slopes[c] -= ratio.value / divisor * weight;
  }
  return ratio;
}

void check_aim(const ClassAim& aim, std::int64_t classes) {
  if (aim.own < 0 || aim.own >= classes || aim.target >= classes || aim.own == aim.target) {
    misuse("attacks.classifier_goal", "own and target must be two different classes below {}, got {} and {}", classes,
           aim.own, aim.target);
  }
}

}  // namespace

ClassifierGoal::ClassifierGoal(std::string_view name, ClassifierLoss loss, models::LinearClassifier classifier,
                               std::vector<ClassAim> aims)
    : name_(name), loss_(loss), classifier_(std::move(classifier)), aims_(std::move(aims)) {
  for (const ClassAim& aim : aims_) {
    check_aim(aim, classifier_.classes());
    const std::int64_t least = loss_ != ClassifierLoss::dlr ? 2 : (aim.target < 0 ? 3 : 4);
    if (classifier_.classes() < least) {
      misuse("attacks.classifier_goal", "{} needs a classifier of at least {} classes, got {}", name_, least,
             classifier_.classes());
    }
  }
}

double ClassifierGoal::value(std::int64_t reference, std::span<const float> encoder_output,
                             std::span<float> gradient) const {
  const auto latents = static_cast<std::size_t>(classifier_.latent_size());
  const std::span<const float> code = encoder_output.first(latents);
  const ClassAim& aim = aims_[static_cast<std::size_t>(reference)];
  if (!gradient.empty()) {
    std::ranges::fill(gradient.subspan(latents), 0.0F);
  }
  if (loss_ == ClassifierLoss::cross_entropy) {
    return cross_entropy(aim, code, gradient.empty() ? gradient : gradient.first(latents));
  }
  const std::vector<double> values = logits(classifier_, code);
  const std::vector<std::size_t> order = ranking(values);
  const Loss loss =
      loss_ == ClassifierLoss::margin ? margin(aim, values, order) : difference_of_logits_ratio(aim, values, order);
  for (std::size_t d = 0; d < (gradient.empty() ? 0 : latents); ++d) {
    double sum = 0.0;
    for (std::size_t c = 0; c < loss.slopes.size(); ++c) {
      sum += loss.slopes[c] * classifier_.weight(static_cast<std::int64_t>(c), static_cast<std::int64_t>(d));
    }
    gradient[d] = static_cast<float>(sum);
  }
  return loss.value;
}

double ClassifierGoal::cross_entropy(const ClassAim& aim, std::span<const float> code,
                                     std::span<float> gradient) const {
  if (aim.target < 0) {
    return classifier_.cross_entropy(code, aim.own, gradient);
  }
  const double value = classifier_.cross_entropy(code, aim.target, gradient);
  for (float& slope : gradient) {
    slope = -slope;
  }
  return -value;
}

}  // namespace vaeguard::attacks
