// The attacks that plans can name: goals, the optimisers that pursue them, and suites of both.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "vaeguard/attacks/attack.h"
#include "vaeguard/attacks/entry.h"
#include "vaeguard/attacks/goal.h"
#include "vaeguard/attacks/pixel_budget.h"  // a registry of its own
#include "vaeguard/attacks/threat.h"
#include "vaeguard/base/registry.h"
#include "vaeguard/models/classifier.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::attacks {

/// The inputs of goals. Only goals that need an input require it; others may be null or empty. `classifier` and `vae`
/// must outlive the goal.
struct GoalInputs {
  models::Encoding references;                           // of the n clean images
  const models::LinearClassifier* classifier = nullptr;  // of latent codes
  const models::Vae* vae = nullptr;                      // its decoder
  const Matrix* images = nullptr;                        // [n, P], clean
  std::vector<std::int64_t> labels{};                    // [n]; a target has another label; empty: there are none
  std::vector<std::int64_t> positions{};                 // [n], in the data set; empty for 0 .. n - 1
  Key key{0};                                            // of targets and of draws
  std::int64_t draws = 0;                                // of the encoder; 0 for its mean
};

struct GoalEntry {
  std::string_view name;
  std::string_view title;
  std::string_view description;
  bool needs_classifier = false;
  bool needs_decoder = false;
  bool targeted = false;    // towards another image
  bool reads_code = false;  // and nothing else of the encoding, so it can take draws
  std::function<std::unique_ptr<Goal>(const GoalInputs&)> make;
};

/// Attacks that are run together on one objective, and judged by it; see best_of.h.
struct SuiteMember {
  std::string_view optimiser;
  std::string_view goal;
};
struct SuiteEntry {
  std::string_view name;
  std::string_view title;
  std::string_view description;
  Norm norm = Norm::linf;
  std::string_view judge;  // the goal
  std::vector<SuiteMember> members;
};

const Registry<GoalEntry>& goals();
const Registry<OptimiserEntry>& optimisers();
/// Frozen: what a name stands for does not change, a better suite gets a new name.
const Registry<SuiteEntry>& suites();

/// Makes the goal of that name; throws Misuse if an input that it needs is missing, or if it cannot take draws.
std::unique_ptr<Goal> make_goal(std::string_view goal, const GoalInputs& inputs);
/// Looks both names up; `options` is a table of the optimiser's own options. Throws Misuse that names place, key,
/// expectation and finding.
std::unique_ptr<Attack> make_attack(std::string_view optimiser, std::string_view goal, const Value& options = {});
/// Throws Misuse where this optimiser does not exist in this norm.
void check_norm(std::string_view optimiser, Norm norm);

}  // namespace vaeguard::attacks
