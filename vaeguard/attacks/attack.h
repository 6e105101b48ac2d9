// An attack: a value called with objective, references, threat and keys; authors write one hook, the driver is final.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "vaeguard/attacks/threat.h"
#include "vaeguard/base/matrix.h"
#include "vaeguard/base/observer.h"
#include "vaeguard/base/progress.h"
#include "vaeguard/base/random.h"
#include "vaeguard/base/scalar_field.h"

namespace vaeguard::attacks {

/// B rows, one per reference and restart. P is the number of pixels.
struct AttackResult {
  Matrix adversarial;             // [B, P], every row inside its threat
  std::vector<double> objective;  // [B], evaluated at `adversarial`
  std::int64_t gradients = 0;     // spent by the optimiser, summed over rows
};

/// How to run; does not affect the result.
struct Execution {
  int threads = 1;
  Observer* observer = &silent_observer();
};

/// An optimiser's view: n rows of the batch, and the objective through one counted call.
class Search {
 public:
  /// [n, P], every pixel inside the range of its threat.
  [[nodiscard]] const Matrix& references() const { return references_; }
  /// Of one row. Norm, radius and range are those of all rows.
  [[nodiscard]] const Threat& threat(std::int64_t row) const { return threats_[static_cast<std::size_t>(row)]; }
  /// The random numbers of each row; fold by purpose before use.
  [[nodiscard]] std::span<const Key> keys() const { return keys_; }
  /// The objective at `points` [n, P] -> values [n], and its gradients [n, P] unless null (all resized). Pixels that
  /// the threat holds count as held wherever the points have them, and have gradient 0. A safe point: throws
  /// Interrupted if the observer asks for it.
  void evaluate(const Matrix& points, std::vector<double>& values, Matrix* gradients);
  /// The same for some rows, in ascending order: the others' values and gradients are left unchanged, and cost nothing.
  void evaluate(std::span<const std::int64_t> rows, const Matrix& points, std::vector<double>& values,
                Matrix* gradients);
  /// The objective of one row at `point` [1, P], its gradient [1, P] unless null.
  double evaluate_one(std::int64_t row, const Matrix& point, Matrix* gradient);
  /// A search over some of these rows, in ascending order, with keys of its own; `objective` null for the same one, or
  /// another one of the same references. Its gradients are counted here.
  [[nodiscard]] Search part(std::span<const std::int64_t> rows, const ScalarField* objective,
                            std::uint64_t number) const;

 private:
  friend class Attack;
  struct Shared {
    Progress progress;  // in rows
    std::atomic<std::int64_t> gradients = 0;
  };
  Search(const ScalarField& objective, std::vector<std::int64_t> functions, Matrix references,
         std::vector<Threat> threats, std::vector<Key> keys, Shared& shared);
  /// The points of these rows [rows, P], held pixels where they stay.
  [[nodiscard]] Matrix held(std::span<const std::int64_t> rows, const Matrix& points) const;
  void no_gradient_where_held(std::int64_t row, std::span<float> gradient) const;

  const ScalarField* objective_;
  std::vector<std::int64_t> functions_;  // of the objective, one a row, rising
  Matrix references_;
  std::vector<Threat> threats_;
  std::vector<Key> keys_;
  Shared* shared_;
};

/// Maximises an objective inside a threat.
class Attack {
 public:
  virtual ~Attack() = default;
  /// The optimiser's name in plans: "apgd", "published", "noise".
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// Attacks row b of `references` [B, P] on function b of `objective` with keys[b]. All references x restarts go in
  /// one call. Checks the inputs, runs the optimiser in chunks of rows, projects its points, evaluates the objective at
  /// the projected ones. Row b depends on its reference, function and key only; threat.pixel_key is not read, the row's
  /// random radii and decoys come from its key.
  AttackResult operator()(const ScalarField& objective, const Matrix& references, const Threat& threat,
                          std::span<const Key> keys, const Execution& execution = {}) const;

 protected:
  /// The points of another attack's hook, for attacks that are composed of attacks.
  static Matrix points_of(const Attack& attack, Search& search) { return attack.maximise(search); }

 private:
  /// The author's part: points [n, P], one per row of `search`; the driver projects them. Called from several threads
  /// at once. May return the best point seen or the last one, as its documentation promises.
  virtual Matrix maximise(Search& search) const = 0;
};

/// Keys for references x restarts, the restarts of one reference in consecutive rows. `references` are positions in the
/// data set, so a row's numbers do not depend on which other images are attacked. The radius is not part of the key: a
/// restart draws the same numbers at every radius, so curves over the radius are smooth.
std::vector<Key> attack_keys(Key seed, std::string_view attack, std::span<const std::int64_t> references,
                             std::int64_t restarts);

}  // namespace vaeguard::attacks
