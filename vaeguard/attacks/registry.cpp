// The tables of goals, optimisers and suites, and their lookup.
#include "vaeguard/attacks/registry.h"

#include <algorithm>
#include <string>
#include <utility>

#include "vaeguard/attacks/drawn_goal.h"
#include "vaeguard/attacks/goal_table.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/scalar_field.h"

namespace vaeguard::attacks {

// Each stands beside its code; a declaration and its call below make an optimiser known.
OptimiserEntries pgd_entries();
OptimiserEntries apgd_entries();
OptimiserEntries adam_entries();
OptimiserEntries lbfgs_entries();
OptimiserEntries published_entries();
OptimiserEntries noise_entries();

namespace {

OptimiserEntries all_optimisers() {
  OptimiserEntries all;
  for (const OptimiserEntries& some :
       {pgd_entries(), apgd_entries(), adam_entries(), lbfgs_entries(), published_entries(), noise_entries()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::vector<SuiteMember> twice(std::vector<SuiteMember> members) {
  members.insert(members.end(), members.begin(), members.end());
  return members;
}

SuiteEntry standard(std::string_view name, std::string_view title, Norm norm) {
  return {.name = name,
          .title = title,
          .description = "apgd on cross-entropy, difference of logits ratio and margin, twice; judged by the margin.",
          .norm = norm,
          .judge = "classifier_margin",
          .members = twice({{"apgd", "classifier_ce"}, {"apgd", "classifier_dlr"}, {"apgd", "classifier_margin"}})};
}

SuiteEntry encoder(std::string_view name, std::string_view title, Norm norm) {
  return {.name = name,
          .title = title,
          .description = "apgd on symmetric KL, means and Wasserstein distance, twice; judged by symmetric KL.",
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
  if (entry.targeted && !inputs.labels.empty() && std::ssize(inputs.labels) != n) {
    misuse("attacks", "goal {} needs no labels or one for each of {} references, got {}", entry.name, n,
           inputs.labels.size());
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

const Registry<GoalEntry>& goals() {
  static const Registry<GoalEntry> entries("attacks", "goal", goal_table());
  return entries;
}

const Registry<OptimiserEntry>& optimisers() {
  static const Registry<OptimiserEntry> entries("attacks", "optimiser", all_optimisers());
  return entries;
}

const Registry<SuiteEntry>& suites() {
  static const Registry<SuiteEntry> entries(
      "attacks", "suite",
      {standard("standard_linf", "Classifier suite, L∞", Norm::linf),
       standard("standard_l2", "Classifier suite, L2", Norm::l2),
       standard("standard_l1", "Classifier suite, L1", Norm::l1),
       encoder("encoder_linf", "Encoder suite, L∞", Norm::linf), encoder("encoder_l2", "Encoder suite, L2", Norm::l2),
       encoder("encoder_l1", "Encoder suite, L1", Norm::l1)});
  return entries;
}

std::unique_ptr<Goal> make_goal(std::string_view goal, const GoalInputs& inputs) {
  const GoalEntry& entry = goals().find(goal);
  check_inputs(entry, inputs);
  GoalInputs complete = inputs;
  if (complete.positions.empty()) {
    complete.positions = consecutive(0, inputs.references.mean.rows());
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

std::unique_ptr<Attack> make_attack(std::string_view optimiser, std::string_view goal, const Value& options) {
  static_cast<void>(goals().find(goal));
  OptionReader reader(options, "attacks." + std::string(optimiser));
  Prepared prepared = optimisers().find(optimiser).prepare(reader, goal);
  reader.finish();
  return std::move(prepared.attack);
}

void check_norm(std::string_view optimiser, Norm norm) {
  if (optimisers().find(optimiser).linf_only && norm != Norm::linf) {
    misuse("attacks", "optimiser {} exists for linf only, got {}", optimiser, name(norm));
  }
}

}  // namespace vaeguard::attacks
