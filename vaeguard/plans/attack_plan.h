// An attack as data: a goal, an optimiser or several, and a threat, read from a plan.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/attacks/threat.h"
#include "vaeguard/base/option_reader.h"
#include "vaeguard/base/value.h"

namespace vaeguard::plans {

struct AttackPlan {
  std::string name;  // in records; by default the goal's name. Ends with the names of what `pixels` departs in
  std::string goal = "encoder_skl";
  std::string optimiser = "sign_pgd";  // or a suite's name; not read if `best_of` is set
  std::vector<std::string> best_of;    // optimisers that pursue the goal in turn; the best point counts
  Value options = {};                  // of `optimiser`; by default its own for this goal
  double enough = std::numeric_limits<double>::infinity();  // best_of and suites stop on an image above this objective
  std::string attacker = "blind";                           // what is known of the defence, attacks/attacker.h
  std::int64_t draws = 0;  // draws of the encoder, for goals that read the code; 0 for its mean
  Norm norm = Norm::linf;
  attacks::PixelBudget pixels = {};
  std::vector<double> radii;
  std::int64_t restarts = 1;
  std::vector<std::string> defences;  // names; empty for all

  [[nodiscard]] attacks::Threat threat(double radius) const {
    return {.norm = norm, .radius = radius, .pixels = pixels};
  }
};

/// Reads goal, optimiser, norm, pixel budget, restarts and draws, but no radii and no defences, from a table that has
/// keys of its own beside these. `optimiser` is the default. The caller finishes the reader.
AttackPlan read_pursuit(OptionReader& reader, std::string_view optimiser = "sign_pgd");
/// Reads an [[attack]] table. Throws Misuse, naming place, key, expectation and value.
AttackPlan read_attack(OptionReader reader);

}  // namespace vaeguard::plans
