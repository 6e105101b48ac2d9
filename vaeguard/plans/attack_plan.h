// An attack as data: a goal, an optimiser or several, and a threat, read from a plan.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/attacks/registry.h"
#include "vaeguard/attacks/threat.h"
#include "vaeguard/plans/table_reader.h"

namespace vaeguard::plans {

struct AttackPlan {
  std::string name;  // in records; the goal's name unless said otherwise
  std::string goal = "encoder_skl";
  std::string optimiser = "sign_pgd";                // or a suite's name; not read where `best_of` names some
  std::vector<std::string> best_of;                  // optimisers that pursue the goal in turn, the best point counts
  std::optional<attacks::OptimiserOptions> options;  // of `optimiser`; its own for this goal where there are none
  double enough = attacks::PgdOptions{}.enough;      // best_of and suites leave images alone once they are above this
  std::int64_t draws = 0;                            // of the encoder, for goals that read the code; 0 for its mean
  attacks::Norm norm = attacks::Norm::linf;
  std::vector<double> radii;
  std::int64_t restarts = 1;
  std::vector<std::string> defences;  // names; empty for all
};

/// Goal, optimiser, norm, restarts and draws of a table that has keys of its own beside them: no radii, no defences.
/// `optimiser` is the one where the table names none. The caller finishes the reader.
AttackPlan read_pursuit(TableReader& reader, std::string_view optimiser = "sign_pgd");
/// Reads an [[attack]] table. Throws Misuse that names place, key, expectation and finding.
AttackPlan read_attack(TableReader reader);
/// The same from lines of TOML beside keys that are texts already, for a command line.
AttackPlan parse_attack(std::string_view lines, std::string_view place,
                        const std::map<std::string, std::string>& texts);

}  // namespace vaeguard::plans
