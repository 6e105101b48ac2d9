// The kernels that can be chosen by name, and which options each of them reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/registry.h"
#include "vaeguard/mcmc/any_kernel.h"

namespace vaeguard::mcmc {

/// All that a kernel may be told; each reads some of it, and its defaults suit the kernels that read it.
struct KernelOptions {
  int leapfrog_steps = 12;   // of a transition; of `dynamic` the most that it goes one way
  double jitter = 0.2;       // of the step, as a share, in every transition
  double persistence = 0.9;  // the share of its momentum that a transition keeps

  friend bool operator==(const KernelOptions&, const KernelOptions&) = default;
};

struct KernelEntry {
  std::string_view name;
  std::string_view title;
  std::string_view description;
  std::vector<std::string_view> reads;  // keys of KernelOptions
  /// Throws Misuse for an option out of bounds. What the kernel costs is its gradients_per_step().
  AnyKernel (*make)(const KernelOptions& options);
  /// A good mean acceptance to adapt its step size to.
  double target_acceptance;
  /// Whether chains may have lengths of their own, Parameters::leapfrog_steps.
  bool takes_lengths = false;
};

const Registry<KernelEntry>& kernels();

/// Why the kernel does not read the option, "the kernel mala has no option jitter"; empty if it does.
std::string why_unread(const KernelEntry& entry, std::string_view key);

/// The kernel of that name. Throws Misuse for an unknown name, and for an option that is not at its default although
/// the kernel does not read it: setting it would have no effect.
AnyKernel make_kernel(std::string_view name, const KernelOptions& options = {});

}  // namespace vaeguard::mcmc
