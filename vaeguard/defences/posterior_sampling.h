// The paper's defence: Markov chains from the encoder's code towards p(z|x), one for each image.
#pragma once

#include <cstdint>
#include <string>

#include "vaeguard/base/option_schema.h"
#include "vaeguard/defences/defence.h"
#include "vaeguard/defences/reading.h"

namespace vaeguard::defences {

/// Chains of one chunk run through all transitions without waiting for others; a chunk is one thread's work at a time.
/// What 16 leave in the decoder stays in the cache. Fewer images than fill all threads' chunks come in smaller ones.
inline constexpr std::int64_t kChainsPerChunk = 16;

/// A draw or the mean of q(z|x), x as the reading takes it; the prior's centre, 0 where it is standard normal; what
/// Adam makes of the mean, and of codes around it (descent.h); that of all these which has the lowest energy.
enum class Start { draw, mean, prior, map, lowest };
/// The transition. Langevin has no accept step: it is biased, kept for comparison, and its records say so.
enum class KernelChoice { hmc, generalised_hmc, mala, dynamic, langevin };
/// Inverse masses: 1, the variances of q(z|x), or what an image's chains learn in warm-up, beginning with those.
enum class MetricChoice { identity, encoder, learned };
enum class Adaptation { dual_averaging, published };

/// When the chains of an image end before they have made all transitions: at the first limit reached, after warm-up and
/// one kept draw at least. 0 is no limit. An image's chains then run by themselves, slower than in a batch.
struct Stop {
  double gradients = 0.0;     // on one image, all chains and their warm-up together
  double milliseconds = 0.0;  // of sampling one image; how far a chain gets then depends on the machine
  double error = 0.0;         // the worst coordinate's Monte Carlo standard error of the mean code, in posterior
                              // deviations; looked at after every mcmc::kFewestDraws kept draws

  [[nodiscard]] bool any() const { return gradients > 0.0 || milliseconds > 0.0 || error > 0.0; }
};

struct PosteriorSamplingOptions {
  std::string name = "hmc";
  ReadingOptions reading;
  Start start = Start::mean;
  int start_gradients = 30;  // of Adam, for the starts map and lowest
  int starts = 1;            // codes that Adam begins at, each with start_gradients; the lowest goes on
  int chains = 1;  // for each image, from different draws where the start is one; estimates are over all of them
  KernelChoice kernel = KernelChoice::hmc;
  MetricChoice metric = MetricChoice::encoder;
  Adaptation adaptation = Adaptation::dual_averaging;
  int warmup = 20;            // transitions before the first counted draw
  int transitions = 40;       // counted draws
  int leapfrog_steps = 12;    // of hmc and generalised_hmc; the most that dynamic goes one way
  double step_size = 0.3;     // the first, or the first that is tried
  int first_step_trials = 0;  // gradients a chain may spend to find a better first step
  bool learn_length = false;  // of hmc: half the time to a U-turn, at most leapfrog_steps steps, instead of those steps
  double target_acceptance = 0.8;
  double jitter = 0.2;       // of hmc
  double persistence = 0.9;  // of generalised_hmc
  int thin = 1;              // every thin-th draw is kept and decoded into the mean reconstruction
  Stop stop = {};
};

/// The paper's setting for MNIST as its code runs it: T = 500 plus half of it as burn-in, L = 20, first step 0.1,
/// identity mass, a draw of q(z|x) as start, a step size that never stops adapting (towards acceptance 0.9), the last
/// state returned. One step size an image, where the authors' batch of restarts shares one.
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
PosteriorSamplingOptions default_sampling(KernelChoice kernel);

/// The options as plans write them; naming one that the kernel or the start does not read is an error.
const OptionSchema<PosteriorSamplingOptions>& posterior_sampling_schema();
/// Throws Misuse naming the option.
void validate(const PosteriorSamplingOptions& options);
/// Decoder gradients that one image costs at most.
double gradients_per_image(const PosteriorSamplingOptions& options);
/// Those that one transition of one chain costs at most.
int gradients_per_transition(const PosteriorSamplingOptions& options);

std::unique_ptr<Defence> make_posterior_sampling(const PosteriorSamplingOptions& options);

}  // namespace vaeguard::defences
