// The attacks that plans can name: goals, and the optimisers that pursue them.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "vaeguard/attacks/attack.h"
#include "vaeguard/attacks/goal.h"

namespace vaeguard::attacks {

/// What goals are made of.
struct GoalInputs {
  models::Encoding references;                           // of the clean images
  const models::LinearClassifier* classifier = nullptr;  // only read by goals that need it
};

struct GoalEntry {
  std::string_view name;
  std::string_view description;
  bool needs_classifier = false;
  std::function<std::unique_ptr<Goal>(const GoalInputs&)> make;
};

struct OptimiserEntry {
  std::string_view name;
  std::string_view description;
  /// Some optimisers have other defaults for other goals.
  std::function<std::unique_ptr<Attack>(std::string_view goal)> make;
};

const std::vector<GoalEntry>& goals();
const std::vector<OptimiserEntry>& optimisers();

/// Both throw Misuse that names the nearest known name.
const GoalEntry& find_goal(std::string_view name);
const OptimiserEntry& find_optimiser(std::string_view name);

/// Looks both names up; make_goal throws Misuse where a goal lacks the classifier it needs.
std::unique_ptr<Goal> make_goal(std::string_view goal, const GoalInputs& inputs);
std::unique_ptr<Attack> make_attack(std::string_view optimiser, std::string_view goal);

}  // namespace vaeguard::attacks
