// Adam (Kingma and Ba 2015) on one flat vector of parameters.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vaeguard::training {

struct AdamOptions {
  double first_decay = 0.9;
  double second_decay = 0.999;
  double epsilon = 1e-8;

  void validate() const;
};

/// Adam's state: running means of the gradient and of its square, and the number of steps taken.
struct AdamState {
  std::vector<float> first;
  std::vector<float> second;
  std::int64_t steps = 0;
  friend bool operator==(const AdamState&, const AdamState&) = default;
};

class Adam {
 public:
  explicit Adam(std::size_t parameters, AdamOptions options = {});

  /// One descent step: parameters -= rate * m / (sqrt(v) + epsilon), both means corrected for their start at zero.
  /// The result does not depend on the number of threads.
  void step(std::span<float> parameters, std::span<const float> gradient, double rate, int threads = 1);

  [[nodiscard]] const AdamState& state() const { return state_; }
  /// Continues from a saved state with the same number of parameters.
  void set_state(AdamState state);

 private:
  AdamOptions options_;
  AdamState state_;
};

}  // namespace vaeguard::training
