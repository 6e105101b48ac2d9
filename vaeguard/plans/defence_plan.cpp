// Presets of defences, and what plans may change of them.
#include "vaeguard/plans/defence_plan.h"

#include <algorithm>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/text.h"

namespace vaeguard::plans {
namespace {

using defences::MapOptions;
using defences::PosteriorSamplingOptions;
using defences::Reading;
using defences::ReadingOptions;
using defences::RepairOptions;

PosteriorSamplingOptions robust_hmc(Reading reading) {
  PosteriorSamplingOptions options = defences::short_hmc();
  options.reading.reading = reading;
  return options;
}

MapOptions robust_map(Reading reading) {
  MapOptions options;
  options.reading.reading = reading;
  return options;
}

MapOptions multistart_map() {
  MapOptions options;
  options.starts = 16;
  return options;
}

MapOptions lbfgs_map() {
  MapOptions options;
  options.optimiser = defences::Optimiser::lbfgs;
  return options;
}

defences::TransformOptions transform_named(std::string_view name) {
  defences::TransformOptions options;
  options.transform = name;
  return options;
}

std::vector<DefencePlan> make_presets() {
  std::vector<DefencePlan> presets;
  const auto add = [&](const char* name, const char* description, auto inference) {
    presets.push_back({.name = name, .description = description, .transform = {}, .inference = std::move(inference)});
  };
  const std::monostate encoder;
  add("none", "the encoder alone", encoder);
  add("hmc", "HMC on the posterior of the image", defences::default_hmc());
  add("hmc_short", "the same from its mode, with a few draws", defences::short_hmc());
  add("hmc_multistart", "the same from the lowest of sixteen codes, for posteriors of several modes",
      defences::multistart_hmc());
  add("hmc_published", "HMC as the paper's code runs it", defences::published_hmc());
  add("hmc_robust", "HMC on the posterior of the best image within a ball", robust_hmc(Reading::minimum));
  add("hmc_channel", "HMC on the posterior through an attack channel", robust_hmc(Reading::channel));
  add("generalised_hmc", "generalised HMC, one leapfrog step at a time", defences::default_sampling("generalised_hmc"));
  add("mala", "Metropolis-adjusted Langevin", defences::default_sampling("mala"));
  add("dynamic", "HMC whose trajectories find their lengths", defences::default_sampling("dynamic"));
  add("langevin", "unadjusted Langevin: biased", defences::default_sampling("langevin"));
  add("map", "the mode of the posterior by Adam", MapOptions{});
  add("map_lbfgs", "the mode of the posterior by L-BFGS", lbfgs_map());
  add("map_multistart", "the mode by Adam from the lowest of sixteen codes, for posteriors of several modes",
      multistart_map());
  add("map_robust", "the mode for the best image within a ball", robust_map(Reading::minimum));
  add("map_channel", "the mode through an attack channel", robust_map(Reading::channel));
  add("map_directed", "the same, with the direction in which the attack moved all pixels",
      robust_map(Reading::directed));
  add("repair", "encoder and pixel law in turns, no gradient", RepairOptions{});
  add("repair_directed", "the same, with the direction in which the attack moved all pixels",
      RepairOptions{.reading = {.reading = Reading::directed}});
  for (const defences::TransformEntry& transform : defences::transforms()) {
    add(transform.name.data(), transform.description.data(), encoder);
    presets.back().transform = transform_named(transform.name);
  }
  add("snap_map", "snap, then the mode of the posterior", MapOptions{});
  presets.back().transform = transform_named("snap");
  return presets;
}

const std::vector<DefencePlan>& presets() {
  static const std::vector<DefencePlan> all = make_presets();
  return all;
}

// The reading of whichever inference has one, else null.
ReadingOptions* reading_of(DefencePlan& plan) {
  if (auto* sampling = std::get_if<PosteriorSamplingOptions>(&plan.inference)) {
    return &sampling->reading;
  }
  if (auto* map = std::get_if<MapOptions>(&plan.inference)) {
    return &map->reading;
  }
  auto* repair = std::get_if<RepairOptions>(&plan.inference);
  return repair == nullptr ? nullptr : &repair->reading;
}

// A number, or the word "attack" for what the attack has.
std::optional<double> number_or_attack(TableReader& reader, std::string_view key, bool& attack) {
  if (reader.is_text(key)) {
    const std::string word = reader.text(key);
    if (word != "attack") {
      misuse(reader.place(), "{} must be a number or 'attack', got '{}'", key, word);
    }
    attack = true;
    return std::nullopt;
  }
  return reader.has(key) ? std::optional(reader.number(key)) : std::nullopt;
}

void read_reading(TableReader& reader, ReadingOptions& options, bool& knows_radius) {
  options.reading = choice<Reading>(reader, "reading", options.reading,
                                    {{"exact", Reading::exact},
                                     {"minimum", Reading::minimum},
                                     {"channel", Reading::channel},
                                     {"directed", Reading::directed}});
  options.norm = choice<energy::BallNorm>(reader, "norm", options.norm,
                                          {{"linf", energy::BallNorm::linf}, {"l2", energy::BallNorm::l2}});
  bool attack = false;
  options.radius = number_or_attack(reader, "radius", attack).value_or(options.radius);
  knows_radius = knows_radius || attack;
  if (attack && (options.reading == Reading::exact || options.norm == energy::BallNorm::l2)) {
    misuse(reader.place(), "radius = 'attack' needs the reading minimum, channel or directed and the norm linf");
  }
  options.largest_radius = reader.number("largest_radius", options.largest_radius);
}

void read_sampling(TableReader& reader, PosteriorSamplingOptions& o) {
  using namespace defences;
  o.start = choice<Start>(reader, "start", o.start,
                          {{"draw", Start::draw},
                           {"mean", Start::mean},
                           {"prior", Start::prior},
                           {"map", Start::map},
                           {"lowest", Start::lowest}});
  o.start_gradients = static_cast<int>(reader.integer("start_gradients", 1, o.start_gradients));
  o.starts = static_cast<int>(reader.integer("starts", 1, o.starts));
  o.chains = static_cast<int>(reader.integer("chains", 1, o.chains));
  o.kernel = reader.text("kernel", o.kernel);
  o.persistence = reader.number("persistence", o.persistence);
  o.metric = choice<MetricChoice>(
      reader, "metric", o.metric,
      {{"identity", MetricChoice::identity}, {"encoder", MetricChoice::encoder}, {"learned", MetricChoice::learned}});
  o.first_step_trials = static_cast<int>(reader.integer("first_step_trials", 0, o.first_step_trials));
  o.learn_length = reader.boolean("learn_length", o.learn_length);
  o.adaptation =
      choice<Adaptation>(reader, "adaptation", o.adaptation,
                         {{"dual_averaging", Adaptation::dual_averaging}, {"published", Adaptation::published}});
  o.warmup = static_cast<int>(reader.integer("warmup", 0, o.warmup));
  o.transitions = static_cast<int>(reader.integer("transitions", 1, o.transitions));
  o.leapfrog_steps = static_cast<int>(reader.integer("leapfrog_steps", 1, o.leapfrog_steps));
  o.thin = static_cast<int>(reader.integer("thin", 1, std::min(o.thin, o.transitions)));
  o.step_size = reader.number("step_size", o.step_size);
  o.target_acceptance = reader.number("target_acceptance", o.target_acceptance);
  o.jitter = reader.number("jitter", o.jitter);
  o.stop.gradients = reader.number("stop_gradients", o.stop.gradients);
  o.stop.milliseconds = reader.number("stop_milliseconds", o.stop.milliseconds);
  o.stop.error = reader.number("stop_error", o.stop.error);
  validate(o);
}

void read_map(TableReader& reader, MapOptions& o) {
  using defences::Optimiser;
  o.optimiser =
      choice<Optimiser>(reader, "optimiser", o.optimiser, {{"adam", Optimiser::adam}, {"lbfgs", Optimiser::lbfgs}});
  o.gradients = static_cast<int>(reader.integer("gradients", 1, o.gradients));
  o.learning_rate = reader.number("learning_rate", o.learning_rate);
  o.starts = static_cast<int>(reader.integer("starts", 1, o.starts));
  o.start_gradients = static_cast<int>(reader.integer("start_gradients", 1, o.start_gradients));
  validate(o);
}

void read_transform(TableReader& reader, DefencePlan& plan) {
  const std::string name = reader.text("transform", plan.transform ? plan.transform->transform : "");
  if (!name.empty()) {
    plan.transform = transform_named(name);
    plan.transform->parameter = number_or_attack(reader, "transform_parameter", plan.knows_radius);
    if (plan.knows_radius && name != "snap") {
      misuse(reader.place(), "transform_parameter = 'attack' needs the transform snap, got '{}'", name);
    }
    validate(*plan.transform);
  }
}

// The options with the name that records have, and the radius that the defender knows.
DefencePlan resolved(DefencePlan plan, double attack_radius) {
  std::visit(
      [&](auto& options) {
        if constexpr (requires { options.name; }) {
          options.name = plan.name;
        }
      },
      plan.inference);
  if (plan.transform) {
    plan.transform->name = plan.name;
  }
  if (plan.knows_radius) {
    if (ReadingOptions* reading = reading_of(plan); reading != nullptr && reading->reading != Reading::exact) {
      reading->radius = attack_radius;
    }
    if (plan.transform && plan.transform->transform == "snap") {
      plan.transform->parameter = attack_radius;
    }
  }
  return plan;
}

}  // namespace

DefencePlan defence_preset(std::string_view name) {
  const auto found = std::ranges::find(presets(), name, &DefencePlan::name);
  if (found == presets().end()) {
    unknown_name("plans.defence_plan", "defence", name, defence_presets());
  }
  return *found;
}

std::vector<std::string> defence_presets() {
  std::vector<std::string> names;
  for (const DefencePlan& preset : presets()) {
    names.push_back(preset.name);
  }
  return names;
}

DefencePlan read_defence(TableReader reader) {
  DefencePlan plan = defence_preset(reader.text("preset"));
  plan.name = record_name(reader, "name", plan.name);
  plan.restarts = reader.integer("restarts", 0, 0);
  read_transform(reader, plan);
  if (ReadingOptions* reading = reading_of(plan)) {
    read_reading(reader, *reading, plan.knows_radius);
  }
  if (auto* sampling = std::get_if<PosteriorSamplingOptions>(&plan.inference)) {
    read_sampling(reader, *sampling);
  } else if (auto* map = std::get_if<MapOptions>(&plan.inference)) {
    read_map(reader, *map);
  } else if (auto* repair = std::get_if<RepairOptions>(&plan.inference)) {
    repair->passes = static_cast<int>(reader.integer("passes", 0, repair->passes));
    validate(*repair);
  }
  reader.finish();
  return plan;
}

std::string record_name(TableReader& reader, std::string_view key, std::string fallback) {
  std::string name = reader.text(key, std::move(fallback));
  const bool plain =
      !name.empty() && std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
  if (!plain) {
    misuse(reader.place(), "{} must be made of letters, digits and _, got '{}'", key, name);
  }
  return name;
}

std::unique_ptr<defences::Defence> make_defence(const DefencePlan& plan, double attack_radius) {
  const DefencePlan full = resolved(plan, attack_radius);
  std::unique_ptr<defences::Defence> defence;
  if (const auto* sampling = std::get_if<PosteriorSamplingOptions>(&full.inference)) {
    defence = defences::make_posterior_sampling(*sampling);
  } else if (const auto* map = std::get_if<MapOptions>(&full.inference)) {
    defence = defences::make_map(*map);
  } else if (const auto* repair = std::get_if<RepairOptions>(&full.inference)) {
    defence = defences::make_repair(*repair);
  } else {
    defence = defences::make_undefended();
  }
  return full.transform ? defences::make_transformed(*full.transform, std::move(defence)) : std::move(defence);
}

double expected_cost(const DefencePlan& plan) {
  if (const auto* sampling = std::get_if<PosteriorSamplingOptions>(&plan.inference)) {
    return defences::gradients_per_image(*sampling);
  }
  const auto* map = std::get_if<MapOptions>(&plan.inference);
  return map != nullptr ? defences::gradients_per_image(*map) : 10.0;
}

}  // namespace vaeguard::plans
