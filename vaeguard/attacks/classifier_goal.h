// Goals on the latent classifier: away from its own prediction, or towards a class, under three losses.
#pragma once

#include <string>
#include <vector>

#include "vaeguard/attacks/goal.h"
#include "vaeguard/models/classifier.h"

namespace vaeguard::attacks {

/// For logits l with l_(1) >= l_(2) >= ... in order, the class y to leave and the class t to reach:
///                  away from y                                  towards t
///   cross_entropy  -log softmax(l)_y in nats                    log softmax(l)_t
///   margin         max_{c != y} l_c - l_y                       l_t - max_{c != t} l_c
///   dlr            (max_{c != y} l_c - l_y) / (l_(1) - l_(3))   (l_t - l_y) / (l_(1) - (l_(3) + l_(4)) / 2)
/// A positive margin means that the prediction is no longer y, or is t; a positive dlr says the same for `away`. dlr
/// does not change when logits are scaled or shifted (Croce and Hein 2020, arXiv 2003.01690, eq. 6 and 7).
enum class ClassifierLoss { cross_entropy, margin, dlr };

/// The classes of one reference that an attack leaves or reaches.
struct ClassAim {
  std::int64_t own = 0;      // y, the classifier's own prediction for the clean image
  std::int64_t target = -1;  // t; negative for an attack that only leaves y
};

class ClassifierGoal : public Goal {
 public:
  /// Reads only the code: the mean, or a draw in its place. Throws Misuse if the loss needs more classes: dlr needs 3,
  /// or 4 with a target.
  ClassifierGoal(std::string_view name, ClassifierLoss loss, models::LinearClassifier classifier,
                 std::vector<ClassAim> aims);

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::int64_t size() const override { return std::ssize(aims_); }
  [[nodiscard]] std::int64_t latent_size() const override { return classifier_.latent_size(); }
  double value(std::int64_t reference, std::span<const float> encoder_output, std::span<float> gradient) const override;

 private:
  [[nodiscard]] double cross_entropy(const ClassAim& aim, std::span<const float> code, std::span<float> gradient) const;

  std::string name_;
  ClassifierLoss loss_;
  models::LinearClassifier classifier_;
  std::vector<ClassAim> aims_;  // [references]
};

}  // namespace vaeguard::attacks
