// The tables of goals and optimisers, and how they are looked up by name.
#include "vaeguard/attacks/registry.h"

#include <string>

#include "vaeguard/attacks/noise.h"
#include "vaeguard/attacks/published.h"
#include "vaeguard/attacks/sign_pgd.h"
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

}  // namespace

const std::vector<GoalEntry>& goals() {
  static const std::vector<GoalEntry> entries = {
      {.name = "encoder_skl",
       .description = "symmetric KL divergence between the encodings of the attacked and the clean image (eq. 3)",
       .needs_classifier = false,
       .make = [](const GoalInputs& inputs) { return std::make_unique<SymmetricKl>(inputs.references); }},
      {.name = "classifier_ce",
       .description = "cross-entropy of the latent classifier against its own clean prediction",
       .needs_classifier = true,
       .make =
           [](const GoalInputs& inputs) {
             return std::make_unique<ClassifierCrossEntropy>(*inputs.classifier, inputs.references.mean);
           }},
  };
  return entries;
}

const std::vector<OptimiserEntry>& optimisers() {
  static const std::vector<OptimiserEntry> entries = {
      {.name = "sign_pgd",
       .description = "sign-PGD, random start, decaying step, best iterate kept",
       .make = [](std::string_view) { return std::make_unique<SignPgd>(); }},
      {.name = "published",
       .description = "the authors' loop: plain gradient ascent, plateau schedule, last iterate kept",
       .make =
           [](std::string_view goal) {
             return std::make_unique<Published>(
                 PublishedOptions{.start_deviation = find_goal(goal).needs_classifier ? 0.0 : 0.2});
           }},
      {.name = "noise",
       .description = "one random outermost perturbation, the baseline",
       .make = [](std::string_view) { return std::make_unique<Noise>(); }},
  };
  return entries;
}

const GoalEntry& find_goal(std::string_view name) { return find(goals(), "goal", name); }
const OptimiserEntry& find_optimiser(std::string_view name) { return find(optimisers(), "optimiser", name); }

std::unique_ptr<Goal> make_goal(std::string_view goal, const GoalInputs& inputs) {
  const GoalEntry& entry = find_goal(goal);
  if (entry.needs_classifier && inputs.classifier == nullptr) {
    misuse("attacks", "goal {} needs a classifier of latent codes, got none", goal);
  }
  return entry.make(inputs);
}

std::unique_ptr<Attack> make_attack(std::string_view optimiser, std::string_view goal) {
  find_goal(goal);
  return find_optimiser(optimiser).make(goal);
}

}  // namespace vaeguard::attacks
