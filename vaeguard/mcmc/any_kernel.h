// Any kernel as a value, for choosing one at run time.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include "vaeguard/mcmc/kernel.h"

namespace vaeguard::mcmc {

/// Itself a Kernel. Copies share the kernel that they hold, which is immutable.
class AnyKernel {
 public:
  template <typename K>
  requires(!std::same_as<K, AnyKernel> && Kernel<K>) AnyKernel(K kernel)  // NOLINT(google-explicit-constructor)
      : exact(kernel.exact), held_(std::make_shared<const Held<K>>(std::move(kernel))) {}

  [[nodiscard]] Info step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                          State& state) const {
    return held_->step(keys, target, parameters, state);
  }
  [[nodiscard]] int gradients_per_step() const { return held_->gradients_per_step(); }

  bool exact;

 private:
  struct Interface {
    virtual ~Interface() = default;
    [[nodiscard]] virtual Info step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                                    State& state) const = 0;
    [[nodiscard]] virtual int gradients_per_step() const = 0;
  };
  template <typename K>
  struct Held : Interface {
    explicit Held(K of) : kernel(std::move(of)) {}
    [[nodiscard]] Info step(std::span<const Key> keys, const Target& target, const Parameters& parameters,
                            State& state) const override {
      return kernel.step(keys, target, parameters, state);
    }
    [[nodiscard]] int gradients_per_step() const override { return kernel.gradients_per_step(); }
    K kernel;
  };

  std::shared_ptr<const Interface> held_;
};

static_assert(Kernel<AnyKernel>);

}  // namespace vaeguard::mcmc
