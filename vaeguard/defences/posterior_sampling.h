// The paper's defence: Markov chains from the encoder's code towards p(z|x), one for each image.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vaeguard/base/option_schema.h"
#include "vaeguard/defences/defence.h"
#include "vaeguard/defences/observation_model.h"
#include "vaeguard/mcmc/registry.h"

namespace vaeguard::defences {

/// Chains of one chunk run through all transitions without waiting for others; a chunk is one thread's work at a time.
/// The activations of 16 fit into the cache. Chunks are smaller if there are too few images for all threads.
inline constexpr std::int64_t kChainsPerChunk = 16;

/// Where a chain begins; x is the image as the observation model takes it.
enum class Start {
  draw,    // a draw of q(z|x)
  mean,    // the mean of q(z|x)
  prior,   // the prior's centre, 0 if it is standard normal
  map,     // where Adam ends from the mean, or from codes around it (descent.h)
  lowest,  // of all these the code with the lowest energy
};
/// Inverse masses.
enum class MetricChoice {
  identity,  // 1
  encoder,   // the variances of q(z|x)
  learned,   // what an image's chains learn in warm-up, beginning with those
};
/// How step sizes follow acceptance.
enum class Adaptation {
  dual_averaging,  // in warm-up, and frozen before a draw counts
  published,       // by the authors' rule, to the very end
};
/// Which draws Inference::draws has.
enum class KeepDraws {
  of_small_codes,  // those of codes of at most mcmc::kLargestSmallCode dimensions
  always,          // all, for as much memory as they take
  never,           // none
};

/// When the chains of an image end before they have made all transitions: at the first limit reached, after warm-up and
/// one kept draw at least. 0 is no limit. An image's chains then run in no batch with others, which is slower.
struct Stop {
  double gradients = 0.0;     // on one image, all chains and their warm-up together
  double milliseconds = 0.0;  // of sampling one image; how far a chain gets then depends on the machine
  double error = 0.0;         // the worst coordinate's Monte Carlo standard error of the mean code (of a large code
                              // the worst projection's, mcmc/monitor.h), in posterior deviations; checked after every
                              // mcmc::kFewestDraws watched draws

  [[nodiscard]] bool any() const { return gradients > 0.0 || milliseconds > 0.0 || error > 0.0; }
};

struct PosteriorSamplingOptions {
  std::string name = "hmc";
  ObservationModel observation = {};
  Start start = Start::mean;
  int start_gradients = 30;  // of Adam, for the starts map and lowest
  int starts = 1;            // codes that Adam begins at, each with start_gradients; the lowest goes on
  int chains = 1;  // per image; a start that is a draw is another one for each. Estimates are over all of them
  std::string kernel = "hmc";  // an entry of mcmc::kernels()
  MetricChoice metric = MetricChoice::encoder;
  Adaptation adaptation = Adaptation::dual_averaging;
  int warmup = 20;                                            // transitions before the first counted draw
  int transitions = 40;                                       // counted draws
  int leapfrog_steps = mcmc::KernelOptions{}.leapfrog_steps;  // of the kernel, as jitter, persistence and shortest;
                                                              // what it does not read must stay as it is here
  double step_size = 0.3;                                     // the first, or the first that is tried
  int first_step_trials = 0;                                  // gradients a chain may spend to find a better first step
  bool learn_length = false;  // of kernels that take lengths: half the time to a U-turn, at most leapfrog_steps steps
  double target_acceptance = 0.8;
  double jitter = mcmc::KernelOptions{}.jitter;
  double persistence = mcmc::KernelOptions{}.persistence;
  double shortest = mcmc::KernelOptions{}.shortest;
  int thin = 1;  // diagnostics see every thin-th draw, and the mean reconstruction is over those
  KeepDraws keep_draws = KeepDraws::of_small_codes;  // of every thin-th draw
  int keep_divergences = 4;                          // the first ones of each chain; all are counted
  Stop stop = {};
};

/// The paper's setting for MNIST as its code runs it: T = 500 plus half of it as burn-in, L = 20, first step 0.1,
/// identity mass, a draw of q(z|x) as start, a step size that never stops adapting (towards acceptance 0.9), the last
/// state returned. One step size per image, where the authors' batch of restarts shares one.
PosteriorSamplingOptions published_hmc();
/// The same repair at less than a twentieth of the gradients: the encoder's variances as metric, dual averaging in a
/// short warm-up, frozen parameters for the draws.
PosteriorSamplingOptions default_hmc();
/// The same repair at less than a hundredth: Adam brings the chain to the mode, and a few draws around it are enough
/// for their mean. Too few to say how sure that is.
PosteriorSamplingOptions short_hmc();
/// The same for posteriors whose mode is not the one beside the attacked code, as of a Gaussian likelihood on colours:
/// Adam begins at sixteen codes around it.
PosteriorSamplingOptions multistart_hmc();
/// Other kernels at about the cost of default_hmc, named "generalised_hmc", "mala", "dynamic" and "langevin".
PosteriorSamplingOptions default_sampling(std::string_view kernel);

/// The options as plans write them; naming one that the kernel or the start does not read is an error.
const OptionSchema<PosteriorSamplingOptions>& posterior_sampling_schema();
/// Throws Misuse naming an option that is out of bounds, or that is set although nothing would read it.
void validate(const PosteriorSamplingOptions& options);
/// The kernel that the options name.
mcmc::AnyKernel kernel_of(const PosteriorSamplingOptions& options);
/// Decoder gradients that one image costs at most.
double gradients_per_image(const PosteriorSamplingOptions& options);
/// Those that each chain costs before its first transition.
double gradients_before_chain(const PosteriorSamplingOptions& options);
/// Those that one transition of one chain costs at most.
int gradients_per_transition(const PosteriorSamplingOptions& options);

std::unique_ptr<Defence> make_posterior_sampling(const PosteriorSamplingOptions& options);

}  // namespace vaeguard::defences
