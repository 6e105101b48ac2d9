// The chains that plans can name, and their options as plans write them.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vaeguard/defences/channel_observation.h"
#include "vaeguard/defences/entry.h"
#include "vaeguard/defences/exact_observation.h"
#include "vaeguard/defences/gaussian_observation.h"
#include "vaeguard/defences/minimum_observation.h"
#include "vaeguard/defences/posterior_sampling.h"
#include "vaeguard/mcmc/monitor.h"

namespace vaeguard::defences {
namespace {

using Sampling = PosteriorSamplingOptions;

// Of an option that its kernel may not read.
auto unless_unread(std::string_view key) {
  return [key](const Sampling& options) { return mcmc::why_unread(mcmc::kernels().find(options.kernel), key); };
}

Option kernel_option() {
  Option option{.key = "kernel", .description = "the transition", .kind = OptionKind::word};
  for (const mcmc::KernelEntry& entry : mcmc::kernels()) {
    option.words.push_back({std::string(entry.name), std::string(entry.description)});
  }
  return option;
}

// What another kernel does not read goes back to its default: nobody asked for it.
void set_kernel(Sampling& options, const Value& name) {
  const Sampling usual;
  options.kernel = *name.as<std::string>();
  const mcmc::KernelEntry& entry = mcmc::kernels().find(options.kernel);
  const auto forget = [&](std::string_view key, auto Sampling::*option) {
    if (!mcmc::why_unread(entry, key).empty()) {
      options.*option = usual.*option;
    }
  };
  forget("leapfrog_steps", &Sampling::leapfrog_steps);
  forget("jitter", &Sampling::jitter);
  forget("persistence", &Sampling::persistence);
  forget("shortest", &Sampling::shortest);
  options.learn_length = options.learn_length && entry.takes_lengths;
}

std::string takes_no_lengths(const Sampling& options) {
  const mcmc::KernelEntry& entry = mcmc::kernels().find(options.kernel);
  return entry.takes_lengths ? "" : "the kernel " + options.kernel + " learns no lengths";
}

std::string descends_nowhere(const Sampling& options) {
  return options.start == Start::map || options.start == Start::lowest
             ? ""
             : "only the starts map and lowest spend gradients before the chain";
}

const OptionSchema<Stop>& stop_schema() {
  static const auto schema =
      OptionSchema<Stop>()
          .number("stop_gradients", &Stop::gradients, at_least(0.0),
                  "an image's chains end when they have spent so many; 0 for no limit")
          .number("stop_milliseconds", &Stop::milliseconds, at_least(0.0), "or so much time; 0 for no limit")
          .number("stop_error", &Stop::error, at_least(0.0),
                  "or when the mean code's Monte Carlo error, in posterior deviations, is below this; 0 for no limit");
  return schema;
}

// Where a plan asks for few transitions and says nothing of thin, which is read after them, one draw is kept at least.
void set_transitions(Sampling& options, const Value& value) {
  options.transitions = static_cast<int>(*value.as<std::int64_t>());
  options.thin = std::min(options.thin, options.transitions);
}

void add_start(OptionSchema<Sampling>& schema) {
  schema
      .choice("start", &Sampling::start,
              {{"draw", Start::draw, "a draw of q(z|x)"},
               {"mean", Start::mean, "the mean of q(z|x)"},
               {"prior", Start::prior, "the prior's centre"},
               {"map", Start::map, "what Adam makes of the mean"},
               {"lowest", Start::lowest, "of all these the code with the lowest energy"}},
              "the code at which a chain begins")
      .integer("start_gradients", &Sampling::start_gradients, at_least(1), "of Adam, for each start")
      .unless(descends_nowhere)
      .integer("starts", &Sampling::starts, at_least(1),
               "codes around the mean at which Adam begins; the lowest end goes on")
      .unless(descends_nowhere)
      .integer("chains", &Sampling::chains, at_least(1), "for each image; estimates are over all of them");
}

void add_kernel(OptionSchema<Sampling>& schema) {
  schema
      .add(
          kernel_option(), [](const Sampling& options) { return Value(options.kernel); }, set_kernel)
      .number("persistence", &Sampling::persistence, from_to_below(0.0, 1.0),
              "the share of its momentum that a transition keeps")
      .unless(unless_unread("persistence"))
      .number("shortest", &Sampling::shortest, from_to(0.0, 1.0),
              "trajectory of the kernel dynamic, as a share of the way to its turn")
      .unless(unless_unread("shortest"))
      .choice("metric", &Sampling::metric,
              {{"identity", MetricChoice::identity, "1"},
               {"encoder", MetricChoice::encoder, "the variances of q(z|x)"},
               {"learned", MetricChoice::learned, "what the chains learn in warm-up, beginning with those"}},
              "inverse masses")
      .integer("first_step_trials", &Sampling::first_step_trials, at_least(0),
               "gradients that a chain may spend to find a better first step")
      .boolean("learn_length", &Sampling::learn_length,
               "a trajectory is half the time to a U-turn, at most leapfrog_steps steps")
      .unless(takes_no_lengths)
      .choice("adaptation", &Sampling::adaptation,
              {{"dual_averaging", Adaptation::dual_averaging, "in warm-up, frozen before a draw counts"},
               {"published", Adaptation::published, "as the paper's code does it, to the very end"}},
              "of the step size");
}

void add_lengths(OptionSchema<Sampling>& schema) {
  schema.integer("warmup", &Sampling::warmup, at_least(0), "transitions before the first counted draw")
      .add(
          {.key = "transitions", .description = "counted draws", .kind = OptionKind::integer, .range = at_least(1)},
          [](const Sampling& options) { return Value(options.transitions); }, set_transitions)
      .integer("leapfrog_steps", &Sampling::leapfrog_steps, at_least(1),
               "of a transition; of the kernel dynamic the most that it goes one way")
      .unless(unless_unread("leapfrog_steps"))
      .integer("thin", &Sampling::thin, at_least(1), "every so many-th draw is watched and decoded")
      .number("step_size", &Sampling::step_size, above(0.0), "the first, or the first that is tried")
      .number("target_acceptance", &Sampling::target_acceptance, between(0.0, 1.0), "towards which the step is adapted")
      .number("jitter", &Sampling::jitter, from_to_below(0.0, 1.0), "of the step, as a share, in every transition")
      .unless(unless_unread("jitter"))
      .choice("keep_draws", &Sampling::keep_draws,
              {{"of_small_codes", KeepDraws::of_small_codes,
                fmt::format("those of codes of at most {} dimensions", mcmc::kLargestSmallCode)},
               {"always", KeepDraws::always, "of large codes, too, for as much memory as they take"},
               {"never", KeepDraws::never, "their mean and variance alone"}},
              "whether draws are kept for votes and errors of reconstructions")
      .integer("keep_divergences", &Sampling::keep_divergences, at_least(0),
               "of each chain, the first ones: where they began and ended")
      .part(&Sampling::stop, stop_schema());
}

OptionSchema<Sampling> make_schema() {
  OptionSchema<Sampling> schema;
  schema.part(&Sampling::observation, observation_schema());
  add_start(schema);
  add_kernel(schema);
  add_lengths(schema);
  return schema;
}

Sampling robust(ObservationModel observation) {
  Sampling options = short_hmc();
  options.observation = std::move(observation);
  return options;
}

DefenceEntry entry(DefenceEntry words, const Sampling& defaults) {
  return defence_entry<Sampling>(std::move(words), defaults, posterior_sampling_schema(), make_posterior_sampling,
                                 gradients_per_image);
}

}  // namespace

const OptionSchema<Sampling>& posterior_sampling_schema() {
  static const OptionSchema<Sampling> schema = make_schema();
  return schema;
}

DefenceEntries posterior_sampling_entries() {
  return {
      entry(
          {.name = "hmc",
           .title = "HMC",
           .description =
               "Samples the posterior of the given image by Hamiltonian Monte Carlo; warm-up ends before draws count.",
           .caution = kExactCaution},
          default_hmc()),
      entry({.name = "hmc_short",
             .title = "Short HMC",
             .description = "A few draws of the posterior of the given image, around its mode.",
             .caution = kExactCaution},
            short_hmc()),
      entry({.name = "hmc_multistart",
             .title = "Multistart HMC",
             .description = "Short HMC from the most probable of sixteen codes around the given one, for posteriors "
                            "with several modes.",
             .caution = kExactCaution},
            multistart_hmc()),
      entry({.name = "hmc_published",
             .title = "HMC as published",
             .description =
                 "The paper's settings: the step size is adapted to the end, and the last state is the estimate.",
             .caution = kExactCaution},
            published_hmc()),
      entry({.name = "hmc_robust",
             .title = "Robust HMC",
             .description = "Short HMC on the posterior of the best image within the attacker's radius.",
             .caution = kChannelCaution},
            robust(MinimumObservation{})),
      entry({.name = "hmc_channel",
             .title = "Channel HMC",
             .description = "Short HMC on the posterior under a model of what the attack did to each pixel.",
             .caution = kChannelCaution},
            robust(ChannelObservation{})),
      entry(
          {.name = "hmc_gaussian",
           .title = "Gaussian HMC",
           .description = "Short HMC on the posterior of the image under Gaussian noise, about the pixel law where one "
                          "was counted."},
          robust(GaussianObservation{})),
      entry({.name = "generalised_hmc",
             .title = "Generalised HMC",
             .description = "HMC that keeps part of its momentum, one leapfrog step at a time.",
             .caution = kExactCaution},
            default_sampling("generalised_hmc")),
      entry({.name = "mala",
             .title = "MALA",
             .description = "Metropolis-adjusted Langevin, one gradient per transition.",
             .caution = kExactCaution},
            default_sampling("mala")),
      entry({.name = "dynamic",
             .title = "Dynamic HMC",
             .description = "HMC whose trajectories run until they turn back.",
             .caution = kExactCaution},
            default_sampling("dynamic")),
      entry({.name = "langevin",
             .title = "Biased Langevin",
             .description = "Unadjusted Langevin, kept for comparison: its draws are biased.",
             .caution = kExactCaution},
            default_sampling("langevin")),
  };
}

}  // namespace vaeguard::defences
