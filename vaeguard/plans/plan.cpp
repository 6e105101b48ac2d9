// Plans from TOML.
#include "vaeguard/plans/plan.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "vaeguard/base/choice.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/base/text.h"
#include "vaeguard/plans/record_name.h"
#include "vaeguard/plans/toml.h"
#include "vaeguard/training/registry.h"

namespace vaeguard::plans {
namespace {

// Words that end the names of cells other than scenarios.
constexpr std::array<std::string_view, 4> kEndings = {"model", "inception", "smallest", "distortion"};

void read_training(OptionReader reader, std::uint64_t seed, ModelPlan& model) {
  model.preset = reader.text("preset", model.preset);
  model.start = reader.text("start", "");
  model.prior = read_choice(reader, models::prior_schema());
  training::TrainerOptions& options = model.training;
  options = training::training_preset(model.preset);
  options.seed = seed;
  options.objective.name = reader.text("objective", options.objective.name);
  static_cast<void>(training::objectives().find(options.objective.name, reader.place()));
  training::objective_schema().read(reader, options.objective);
  options.epochs = static_cast<int>(reader.integer("epochs", at_least(1), options.epochs));
  options.batch = reader.integer("batch", at_least(1), options.batch);
  options.schedule.kind =
      training::schedule_kind(reader.text("schedule", std::string(training::name(options.schedule.kind))));
  options.schedule.learning_rate = reader.number("learning_rate", above(0.0), options.schedule.learning_rate);
  reader.finish();
  options.validate();
}

// Looks a relative file up in the current folder, the plan's, and its parent.
std::filesystem::path find_beside(const std::filesystem::path& file, const std::filesystem::path& folder) {
  if (!file.empty() && file.is_relative() && !exists(file)) {
    for (const auto& base : {folder, folder / ".."}) {
      if (exists(base / file)) {
        return (base / file).lexically_normal();
      }
    }
  }
  return file;
}

ModelPlan read_model(OptionReader reader, std::uint64_t seed, const std::filesystem::path& folder) {
  ModelPlan model;
  model.name = record_name(reader, "name", model.name);
  model.checkpoint = find_beside(reader.text("checkpoint", ""), folder);
  model.vae_from = find_beside(reader.text("vae_from", ""), folder);
  model.latent = reader.integer("latent", at_least(1), model.latent);
  model.likelihood = read_choice(reader, models::likelihood_schema());
  if (!model.vae_from.empty() && reader.has("training")) {
    misuse("plans.plan", "vae_from keeps the VAE of {} as it is; leave [model.training] out", model.vae_from.string());
  }
  read_training(reader.table("training"), seed, model);
  reader.finish();
  model.start = find_beside(model.start, folder);
  model.validate();
  return model;
}

// A defence that knows the attack's radius assumes that it is that of an L-infinity ball.
void check_known_radii(const Plan& plan, const AttackPlan& attack, std::string_view place) {
  for (const DefencePlan& defence : plan.defences) {
    const bool meets =
        attack.defences.empty() || std::ranges::find(attack.defences, defence.name) != attack.defences.end();
    if (meets && defence.knows_radius && attack.norm != Norm::linf) {
      misuse(place, "the defence '{}' knows the radius of linf attacks only; '{}' is {}, name other defences for it",
             defence.name, attack.name, vaeguard::name(attack.norm));
    }
  }
}

// The names of all `things`, as `name` gives them; throws Misuse if two are the same.
template <typename Things, typename Name>
std::set<std::string> distinct_names(const Things& things, Name name, std::string_view what, std::string_view place) {
  std::set<std::string> names;
  for (const auto& thing : things) {
    const std::string& own = std::invoke(name, thing);
    if (!names.insert(own).second) {
      misuse(place, "two {} are called '{}'; give one another name", what, own);
    }
  }
  return names;
}

// Cells are named by model, attack, radius and defence, so these must be distinct.
void check_names(const Plan& plan, std::string_view place) {
  const auto defences = distinct_names(plan.defences, &DefencePlan::name, "defences", place);
  for (const std::string& name : defences) {
    if (std::ranges::find(kEndings, name) != kEndings.end()) {
      misuse(place, "no defence may be called '{}', which ends the names of other cells; give it another name", name);
    }
  }
  distinct_names(plan.models, &ModelPlan::name, "models", place);
  distinct_names(
      plan.smallest, [](const SmallestPlan& one) -> const std::string& { return one.attack.name; },
      "tables [[smallest]]", place);
  distinct_names(plan.distortions, &AttackPlan::name, "tables [[distortion]]", place);
  std::set<std::string> attacks;
  const std::vector<std::string> known(defences.begin(), defences.end());
  for (const AttackPlan& attack : plan.attacks) {
    if (attack.name == "clean" || !attacks.insert(attack.name).second) {
      misuse(place, "the attack name '{}' is taken; give one another name", attack.name);
    }
    for (const std::string& name : attack.defences) {
      if (!defences.contains(name)) {
        unknown_name(place, "defence", name, known);
      }
    }
    check_known_radii(plan, attack, place);
  }
}

}  // namespace

void ModelPlan::validate() const {
  const bool needs_start = training::objectives().find(training.objective.name).needs_start;
  if (needs_start && start.empty() && checkpoint.empty() && vae_from.empty()) {
    misuse("plans.plan", "objective {} retrains a given VAE: training needs a checkpoint to start from",
           training.objective.name);
  }
  if (!vae_from.empty() &&
      (!checkpoint.empty() || !start.empty() || prior || likelihood || latent != models::kConvVaeLatentSize)) {
    misuse("plans.plan",
           "vae_from keeps the VAE of {} as it is; leave checkpoint, start, prior, likelihood and latent out",
           vae_from.string());
  }
  if (prior) {
    training::check_prior(training.objective.name, prior->name());
  }
  if (!start.empty() && (latent != models::kConvVaeLatentSize || likelihood)) {
    misuse("plans.plan", "latent and likelihood are those of the start {}; leave them out", start.string());
  }
  if (latent < 1) {
    misuse("plans.plan", "latent must be at least 1, got {}", latent);
  }
  if (likelihood && likelihood->published_only() && preset != "published") {
    misuse("plans.plan", "only the preset published has the likelihood {}. {}", likelihood->name(),
           models::likelihoods().find(likelihood->name()).caution);
  }
}

Plan parse_plan(std::string_view text, std::string_view place, const std::filesystem::path& folder) {
  const Value table = parse_toml(text, place);
  OptionReader reader(table, std::string(place));
  Plan plan;
  plan.text = text;
  plan.name = record_name(reader, "name", "run");
  plan.seed = static_cast<std::uint64_t>(reader.integer("seed", at_least(0), 1));
  plan.dataset = read_dataset(reader, folder);
  plan.references = reader.integer("references", at_least(2), plan.references);
  for (OptionReader& model : reader.tables("model")) {
    plan.models.push_back(read_model(model, plan.seed, folder));
  }
  OptionReader evaluation = reader.table("evaluation");
  plan.evaluation.nll_images = evaluation.integer("nll_images", at_least(0), plan.evaluation.nll_images);
  plan.evaluation.nll_draws = evaluation.integer("nll_draws", at_least(1), plan.evaluation.nll_draws);
  plan.evaluation.frechet_images = evaluation.integer("frechet_images", at_least(0), plan.evaluation.frechet_images);
  evaluation.finish();
  for (OptionReader& attack : reader.tables("attack")) {
    plan.attacks.push_back(read_attack(attack));
  }
  for (OptionReader& defence : reader.tables("defence")) {
    plan.defences.push_back(read_defence(defence));
  }
  for (OptionReader& smallest : reader.tables("smallest")) {
    plan.smallest.push_back(read_smallest(smallest));
  }
  for (OptionReader& distortion : reader.tables("distortion")) {
    plan.distortions.push_back(read_distortion(distortion));
  }
  reader.finish();
  if (plan.models.empty()) {
    plan.models.push_back(read_model(reader.table("model"), plan.seed, folder));
  }
  if (plan.defences.empty()) {
    plan.defences.push_back(defence_preset("none"));
  }
  check_names(plan, place);
  return plan;
}

Plan load_plan(const std::filesystem::path& file) {
  return parse_plan(read_file(file), file.string(), file.parent_path());
}

}  // namespace vaeguard::plans
