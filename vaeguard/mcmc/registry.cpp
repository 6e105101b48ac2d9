// All kernels, in the order in which they are shown.
#include "vaeguard/mcmc/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "vaeguard/base/error.h"
#include "vaeguard/mcmc/dynamic_hmc.h"
#include "vaeguard/mcmc/generalised_hmc.h"
#include "vaeguard/mcmc/hmc.h"
#include "vaeguard/mcmc/langevin.h"
#include "vaeguard/mcmc/mala.h"

namespace vaeguard::mcmc {

const Registry<KernelEntry>& kernels() {
  static const Registry<KernelEntry> all(
      "mcmc.registry", "kernel",
      {hmc_entry(), generalised_hmc_entry(), mala_entry(), dynamic_entry(), langevin_entry()});
  return all;
}

std::string why_unread(const KernelEntry& entry, std::string_view key) {
  const bool read = std::ranges::find(entry.reads, key) != entry.reads.end();
  return read ? "" : fmt::format("the kernel {} has no option {}", entry.name, key);
}

AnyKernel make_kernel(std::string_view name, const KernelOptions& options) {
  const KernelEntry& entry = kernels().find(name);
  const auto check = [&](std::string_view key, auto KernelOptions::*option) {
    if (const std::string why = why_unread(entry, key); !why.empty() && options.*option != KernelOptions{}.*option) {
      misuse("mcmc.registry", "{}, got {}", why, options.*option);
    }
  };
  check("leapfrog_steps", &KernelOptions::leapfrog_steps);
  check("jitter", &KernelOptions::jitter);
  check("persistence", &KernelOptions::persistence);
  check("shortest", &KernelOptions::shortest);
  return entry.make(options);
}

}  // namespace vaeguard::mcmc
