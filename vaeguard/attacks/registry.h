// The attacks that plans can name: goals, the optimisers that pursue them, and suites of both.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "vaeguard/attacks/adam.h"
#include "vaeguard/attacks/apgd.h"
#include "vaeguard/attacks/attack.h"
#include "vaeguard/attacks/goal.h"
#include "vaeguard/attacks/lbfgs.h"
#include "vaeguard/attacks/pgd.h"
#include "vaeguard/attacks/published.h"
#include "vaeguard/models/classifier.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::attacks {

/// What goals are made of. Whatever is null or empty is only missed by goals that need it. `classifier` and `vae` must
/// outlive the goal.
struct GoalInputs {
  models::Encoding references;                           // of the n clean images
  const models::LinearClassifier* classifier = nullptr;  // of latent codes
  const models::Vae* vae = nullptr;                      // its decoder
  const Matrix* images = nullptr;                        // [n, P], clean
  std::vector<std::int64_t> labels{};                    // [n]; targets are of another one
  std::vector<std::int64_t> positions{};                 // [n], in the data set; 0 .. n - 1 where empty
  Key key{0};                                            // of targets and of draws
  std::int64_t draws = 0;                                // of the encoder; 0 for its mean
};

struct GoalEntry {
  std::string_view name;
  std::string_view description;
  bool needs_classifier = false;
  bool needs_decoder = false;
  bool targeted = false;    // needs labels
  bool reads_code = false;  // and nothing else of the encoding: takes draws
  std::function<std::unique_ptr<Goal>(const GoalInputs&)> make;
};

/// monostate: nothing to set.
using OptimiserOptions =
    std::variant<std::monostate, PgdOptions, ApgdOptions, AdamOptions, LbfgsOptions, PublishedOptions>;

struct OptimiserEntry {
  std::string_view name;
  std::string_view description;
  bool linf_only = false;
  /// Some optimisers have other defaults for other goals.
  std::function<OptimiserOptions(std::string_view goal)> options;

  /// With its own options for this goal.
  [[nodiscard]] std::unique_ptr<Attack> make(std::string_view goal) const;
};

/// Attacks that are run together on one objective, and judged by it; see best_of.h.
struct SuiteMember {
  std::string_view optimiser;
  std::string_view goal;
};
struct SuiteEntry {
  std::string_view name;
  std::string_view description;
  Norm norm = Norm::linf;
  std::string_view judge;  // the goal
  std::vector<SuiteMember> members;
};

const std::vector<GoalEntry>& goals();
const std::vector<OptimiserEntry>& optimisers();
/// Frozen: what a name stands for does not change, a better suite gets a new name.
const std::vector<SuiteEntry>& suites();

/// Both throw Misuse that names the nearest known name.
const GoalEntry& find_goal(std::string_view name);
const OptimiserEntry& find_optimiser(std::string_view name);
/// Null where there is none of that name.
const SuiteEntry* find_suite(std::string_view name);

/// Looks the name up; throws Misuse where a goal lacks what it needs, or is asked for draws that it does not read.
std::unique_ptr<Goal> make_goal(std::string_view goal, const GoalInputs& inputs);
std::unique_ptr<Attack> make_attack(std::string_view optimiser, std::string_view goal);
/// With options of the kind that the optimiser's entry gives; throws Misuse for those of another optimiser.
std::unique_ptr<Attack> make_attack(std::string_view optimiser, const OptimiserOptions& options);
/// Throws Misuse where this optimiser does not exist in this norm.
void check_norm(std::string_view optimiser, Norm norm);

}  // namespace vaeguard::attacks
