// The kernels that can be chosen by name, and which options each of them reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/registry.h"
#include "vaeguard/mcmc/any_kernel.h"

namespace vaeguard::mcmc {

/// The options of all kernels; each kernel reads some of them, and the defaults suit the kernels that read them.
struct KernelOptions {
  int leapfrog_steps = 12;   // per transition; for `dynamic` the most in one direction
  double jitter = 0.2;       // relative jitter of the step size in every transition
  double persistence = 0.9;  // the share of its momentum that a transition keeps
  double shortest = 0.0;     // trajectory of `dynamic`, as a share of the way to its turn

  friend bool operator==(const KernelOptions&, const KernelOptions&) = default;
};

struct KernelEntry {
  std::string_view name;
  std::string_view title;
  std::string_view description;
  std::vector<std::string_view> reads;  // keys of KernelOptions
  /// Throws Misuse for an option out of bounds. The cost of a kernel is its gradients_per_step().
  AnyKernel (*make)(const KernelOptions& options);
  /// A good mean acceptance to adapt its step size to.
  double target_acceptance;
  /// Whether each chain may have a trajectory length of its own, Parameters::leapfrog_steps.
  bool takes_lengths = false;
};

const Registry<KernelEntry>& kernels();

/// Why the kernel does not read the option, "the kernel mala has no option jitter"; empty if it does.
std::string why_unread(const KernelEntry& entry, std::string_view key);

/// The kernel of that name. Throws Misuse for an unknown name, and for an option that differs from its default although
/// the kernel does not read it: setting it would have no effect.
AnyKernel make_kernel(std::string_view name, const KernelOptions& options = {});

}  // namespace vaeguard::mcmc
