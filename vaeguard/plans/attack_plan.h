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
  std::string name;  // in records; the goal's name unless said otherwise
  std::string goal = "encoder_skl";
  std::string optimiser = "sign_pgd";  // or a suite's name; not read where `best_of` names some
  std::vector<std::string> best_of;    // optimisers that pursue the goal in turn, the best point counts
  Value options = {};                  // of `optimiser`; its own for this goal where nothing is said
  double enough = std::numeric_limits<double>::infinity();  // best_of and suites leave images alone above this
  std::string attacker = "blind";                           // what is known of the defence, attacks/attacker.h
  std::int64_t draws = 0;  // of the encoder, for goals that read the code; 0 for its mean
  attacks::Norm norm = attacks::Norm::linf;
  std::vector<double> radii;
  std::int64_t restarts = 1;
  std::vector<std::string> defences;  // names; empty for all
};

/// Goal, optimiser, norm, restarts and draws of a table that has keys of its own beside them: no radii, no defences.
/// `optimiser` is the one where the table names none. The caller finishes the reader.
AttackPlan read_pursuit(OptionReader& reader, std::string_view optimiser = "sign_pgd");
/// Reads an [[attack]] table. Throws Misuse that names place, key, expectation and finding.
AttackPlan read_attack(OptionReader reader);

}  // namespace vaeguard::plans
