// The kernel that options choose, as its own type; for the sources of this folder only.
#pragma once

#include "vaeguard/base/error.h"
#include "vaeguard/defences/posterior_sampling.h"
#include "vaeguard/mcmc/dynamic_hmc.h"
#include "vaeguard/mcmc/generalised_hmc.h"
#include "vaeguard/mcmc/hmc.h"
#include "vaeguard/mcmc/langevin.h"
#include "vaeguard/mcmc/mala.h"

namespace vaeguard::defences {

/// Returns visit(kernel). What a kernel is or costs is asked of its type, here and nowhere else by its name.
template <typename Visit>
auto with_kernel(const PosteriorSamplingOptions& options, const Visit& visit) {
  switch (options.kernel) {
    case KernelChoice::hmc:
      return visit(mcmc::Hmc({.leapfrog_steps = options.leapfrog_steps, .jitter = options.jitter}));
    case KernelChoice::generalised_hmc:
      return visit(
          mcmc::GeneralisedHmc({.leapfrog_steps = options.leapfrog_steps, .persistence = options.persistence}));
    case KernelChoice::mala:
      return visit(mcmc::Mala());
    case KernelChoice::dynamic:
      return visit(mcmc::DynamicHmc({.max_steps = options.leapfrog_steps}));
    case KernelChoice::langevin:
      return visit(mcmc::Langevin());
  }
  misuse("defences.posterior_sampling", "kernel must be one of the enumeration, got {}",
         static_cast<int>(options.kernel));
}

}  // namespace vaeguard::defences
