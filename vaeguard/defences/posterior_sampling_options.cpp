// Settings of posterior sampling: the presets, what is refused, and what a setting costs.
#include <string_view>

#include "vaeguard/base/error.h"
#include "vaeguard/defences/descent.h"
#include "vaeguard/defences/posterior_sampling.h"

namespace vaeguard::defences {

PosteriorSamplingOptions published_hmc() {
  return {.name = "hmc_published",
          .start = Start::draw,
          .metric = MetricChoice::identity,
          .adaptation = Adaptation::published,
          .warmup = 250,
          .transitions = 500,
          .leapfrog_steps = 20,
          .step_size = 0.1,
          .target_acceptance = 0.9,
          .jitter = 0.0,
          .thin = 10};
}

PosteriorSamplingOptions default_hmc() { return {}; }

PosteriorSamplingOptions short_hmc() {
  PosteriorSamplingOptions options;
  options.name = "hmc_short";
  options.start = Start::map;
  options.start_gradients = 24;
  options.warmup = 5;
  options.transitions = 17;
  options.leapfrog_steps = 5;
  return options;
}

PosteriorSamplingOptions multistart_hmc() {
  PosteriorSamplingOptions options = short_hmc();
  options.name = "hmc_multistart";
  options.start_gradients = 30;
  options.starts = 16;
  return options;
}

PosteriorSamplingOptions default_sampling(std::string_view kernel) {
  PosteriorSamplingOptions options = default_hmc();
  options.name = options.kernel = kernel;
  options.target_acceptance = mcmc::kernels().find(kernel).target_acceptance;
  if (kernel == "dynamic") {
    options.leapfrog_steps = 24;
  } else if (kernel != "hmc") {  // a gradient per transition
    options.leapfrog_steps = kernel == "generalised_hmc" ? 1 : options.leapfrog_steps;
    options.warmup = 240;
    options.transitions = 480;
    options.thin = 12;
  }
  return options;
}

mcmc::AnyKernel kernel_of(const PosteriorSamplingOptions& options) {
  return mcmc::make_kernel(options.kernel, {.leapfrog_steps = options.leapfrog_steps,
                                            .jitter = options.jitter,
                                            .persistence = options.persistence,
                                            .shortest = options.shortest});
}

namespace {

bool descends(Start start) { return start == Start::map || start == Start::lowest; }

// The published loop has no warm-up of its own, and no end but its last transition.
void validate_published(const PosteriorSamplingOptions& options) {
  const auto refuse = [](bool given, std::string_view option) {
    if (given) {
      misuse("defences.posterior_sampling", "{} needs dual averaging: the published loop does not read it", option);
    }
  };
  refuse(options.stop.any(), "a stop");
  refuse(options.first_step_trials > 0, "first_step_trials");
  refuse(options.learn_length, "learn_length");
  refuse(options.metric == MetricChoice::learned, "the metric learned");
}

}  // namespace

void validate(const PosteriorSamplingOptions& options) {
  posterior_sampling_schema().check("defences.posterior_sampling", options);
  static_cast<void>(kernel_of(options));
  if (options.learn_length && !mcmc::kernels().find(options.kernel).takes_lengths) {
    misuse("defences.posterior_sampling", "learn_length needs a kernel that takes lengths, got {}", options.kernel);
  }
  if (options.starts > 1 && !descends(options.start)) {
    misuse("defences.posterior_sampling", "starts = {} needs the start map or lowest: the others are one code",
           options.starts);
  }
  if (options.thin > options.transitions) {
    misuse("defences.posterior_sampling", "thin must be at most transitions = {}, got {}", options.transitions,
           options.thin);
  }
  if (options.adaptation == Adaptation::published) {
    validate_published(options);
  }
  options.observation.validate();
}

double gradients_before_chain(const PosteriorSamplingOptions& options) {
  return 1.0 + (descends(options.start) ? gradients_from_several(options.start_gradients, options.starts) : 0);
}

int gradients_per_transition(const PosteriorSamplingOptions& options) {
  return kernel_of(options).gradients_per_step();
}

double gradients_per_image(const PosteriorSamplingOptions& options) {
  // The state keeps its energy and gradient, so a transition costs its leapfrog steps and no more.
  const double transitions = options.warmup + options.transitions;
  const double learning = options.first_step_trials + (options.learn_length ? 2.0 * options.leapfrog_steps - 1.0 : 0.0);
  return options.chains *
         (gradients_before_chain(options) + learning + transitions * gradients_per_transition(options));
}

}  // namespace vaeguard::defences
