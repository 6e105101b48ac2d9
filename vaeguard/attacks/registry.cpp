// The tables of goals, optimisers and suites, and their lookup.
#include "vaeguard/attacks/registry.h"

#include <algorithm>
#include <string>
#include <utility>

#include "vaeguard/attacks/best.h"
#include "vaeguard/attacks/drawn_goal.h"
#include "vaeguard/attacks/goal_table.h"
#include "vaeguard/attacks/noise.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/text.h"

namespace vaeguard::attacks {
namespace {

template <typename Entry>
const Entry& find(const std::vector<Entry>& entries, std::string_view what, std::string_view name) {
  std::vector<std::string> known;
  for (const Entry& entry : entries) {
    if (entry.name == name) {
      return entry;
    }
    known.emplace_back(entry.name);
  }
  unknown_name("attacks", what, name, known);
}

template <typename Options>
std::function<OptimiserOptions(std::string_view)> always(Options options) {
  return [options](std::string_view) { return OptimiserOptions(options); };
}

OptimiserOptions published_options(std::string_view goal) {
  const GoalEntry& entry = find_goal(goal);
  return PublishedOptions{.start_deviation = entry.needs_classifier || entry.targeted ? 0.0 : 0.2};
}

// Options know whose they are; pgd's also serve optimisers that are pgd by another name.
std::unique_ptr<Attack> made(std::string_view /*name*/, std::monostate /*options*/) {
  return std::make_unique<Noise>();
}
std::unique_ptr<Attack> made(std::string_view name, const PgdOptions& options) {
  return std::make_unique<Pgd>(options, name);
}
std::unique_ptr<Attack> made(std::string_view /*name*/, const ApgdOptions& options) {
  return std::make_unique<Apgd>(options);
}
std::unique_ptr<Attack> made(std::string_view /*name*/, const AdamOptions& options) {
  return std::make_unique<Adam>(options);
}
std::unique_ptr<Attack> made(std::string_view /*name*/, const LbfgsOptions& options) {
  return std::make_unique<Lbfgs>(options);
}
std::unique_ptr<Attack> made(std::string_view /*name*/, const PublishedOptions& options) {
  return std::make_unique<Published>(options);
}

std::vector<SuiteMember> twice(std::vector<SuiteMember> members) {
  members.insert(members.end(), members.begin(), members.end());
  return members;
}

SuiteEntry standard(std::string_view name, Norm norm) {
  return {.name = name,
          .description = "apgd on cross-entropy, difference of logits ratio and margin, twice; judged by the margin",
          .norm = norm,
          .judge = "classifier_margin",
          .members = twice({{"apgd", "classifier_ce"}, {"apgd", "classifier_dlr"}, {"apgd", "classifier_margin"}})};
}

SuiteEntry encoder(std::string_view name, Norm norm) {
  return {.name = name,
          .description = "apgd on symmetric KL, means and Wasserstein distance, twice; judged by symmetric KL",
          .norm = norm,
          .judge = "encoder_skl",
          .members = twice({{"apgd", "encoder_skl"}, {"apgd", "encoder_means"}, {"apgd", "encoder_wasserstein"}})};
}

void check_inputs(const GoalEntry& entry, const GoalInputs& inputs) {
  if (entry.needs_classifier && inputs.classifier == nullptr) {
    misuse("attacks", "goal {} needs a classifier of latent codes, got none", entry.name);
  }
  if (entry.needs_decoder && (inputs.vae == nullptr || inputs.images == nullptr)) {
    misuse("attacks", "goal {} needs a decoder and the clean images, got none", entry.name);
  }
  const std::int64_t n = inputs.references.mean.rows();
  if (entry.targeted && std::ssize(inputs.labels) != n) {
    misuse("attacks", "goal {} needs a label for each of {} references, got {}", entry.name, n, inputs.labels.size());
  }
  if (!inputs.positions.empty() && std::ssize(inputs.positions) != n) {
    misuse("attacks", "goal {} needs a position for each of {} references, got {}", entry.name, n,
           inputs.positions.size());
  }
  if (inputs.draws < 0 || (inputs.draws > 0 && !entry.reads_code)) {
    misuse("attacks", "goal {} takes {} draws of the encoder, got {}", entry.name,
           entry.reads_code ? "0 or more" : "no", inputs.draws);
  }
}

}  // namespace

const std::vector<GoalEntry>& goals() {
  static const std::vector<GoalEntry> entries = goal_table();
  return entries;
}

const std::vector<OptimiserEntry>& optimisers() {
  static const std::vector<OptimiserEntry> entries = {
      {.name = "sign_pgd",
       .description = "sign-PGD, random start, decaying step, best iterate kept; pgd in the norm linf",
       .linf_only = true,
       .options = always(PgdOptions{})},
      {.name = "pgd",
       .description = "projected steepest ascent, random start, decaying step, best iterate kept",
       .options = always(PgdOptions{})},
      {.name = "mi_fgsm",
       .description = "the same with momentum and a constant step",
       .options = always(mi_fgsm_options())},
      {.name = "apgd",
       .description = "Auto-PGD: halves its step and returns to its best point where it stops rising",
       .options = always(ApgdOptions{})},
      {.name = "adam", .description = "Adam, projected after each step", .options = always(AdamOptions{})},
      {.name = "lbfgs",
       .description = "L-BFGS with penalised distortion, the best of a sweep of penalties",
       .options = always(LbfgsOptions{})},
      {.name = "published",
       .description = "the authors' loop: plain gradient ascent, plateau schedule, last iterate kept",
       .linf_only = true,
       .options = published_options},
      {.name = "noise",
       .description = "one random outermost perturbation, the baseline",
       .options = always(std::monostate{})},
  };
  return entries;
}

const std::vector<SuiteEntry>& suites() {
  static const std::vector<SuiteEntry> entries = {
      standard("standard_linf", Norm::linf), standard("standard_l2", Norm::l2), standard("standard_l1", Norm::l1),
      encoder("encoder_linf", Norm::linf),   encoder("encoder_l2", Norm::l2),   encoder("encoder_l1", Norm::l1)};
  return entries;
}

std::unique_ptr<Attack> OptimiserEntry::make(std::string_view goal) const { return make_attack(name, options(goal)); }

const GoalEntry& find_goal(std::string_view name) { return find(goals(), "goal", name); }
const OptimiserEntry& find_optimiser(std::string_view name) { return find(optimisers(), "optimiser", name); }

const SuiteEntry* find_suite(std::string_view name) {
  const auto found = std::ranges::find(suites(), name, &SuiteEntry::name);
  return found == suites().end() ? nullptr : &*found;
}

std::unique_ptr<Goal> make_goal(std::string_view goal, const GoalInputs& inputs) {
  const GoalEntry& entry = find_goal(goal);
  check_inputs(entry, inputs);
  GoalInputs complete = inputs;
  if (complete.positions.empty()) {
    complete.positions = all_rows(inputs.references.mean.rows());
  }
  auto plain = entry.make(complete);
  if (inputs.draws == 0) {
    return plain;
  }
  std::vector<Key> keys;
  for (const std::int64_t position : complete.positions) {
    keys.push_back(inputs.key.fold("attack draws").fold(static_cast<std::uint64_t>(position)));
  }
  return std::make_unique<DrawnGoal>(std::move(plain), std::move(keys), inputs.draws);
}

std::unique_ptr<Attack> make_attack(std::string_view optimiser, std::string_view goal) {
  find_goal(goal);
  return find_optimiser(optimiser).make(goal);
}

std::unique_ptr<Attack> make_attack(std::string_view optimiser, const OptimiserOptions& options) {
  const OptimiserEntry& entry = find_optimiser(optimiser);
  if (entry.options(goals().front().name).index() != options.index()) {
    misuse("attacks", "optimiser {} was given the options of another one", optimiser);
  }
  return std::visit([&](const auto& own) { return made(entry.name, own); }, options);
}

void check_norm(std::string_view optimiser, Norm norm) {
  if (find_optimiser(optimiser).linf_only && norm != Norm::linf) {
    misuse("attacks", "optimiser {} exists for linf only, got {}", optimiser, name(norm));
  }
}

}  // namespace vaeguard::attacks
