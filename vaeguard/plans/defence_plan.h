// A defence as data: a preset with changes, read from a plan.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vaeguard/defences/defence.h"
#include "vaeguard/defences/map.h"
#include "vaeguard/defences/posterior_sampling.h"
#include "vaeguard/defences/repair.h"
#include "vaeguard/defences/transform.h"
#include "vaeguard/plans/table_reader.h"

namespace vaeguard::plans {

struct DefencePlan {
  std::string name;
  std::string description;                              // one line, for lists
  std::optional<defences::TransformOptions> transform;  // of the image, before anything else
  /// monostate: the encoder alone.
  std::variant<std::monostate, defences::PosteriorSamplingOptions, defences::MapOptions, defences::RepairOptions>
      inference;
  /// The defender knows the attack's radius: it is that of the reading, and the distance of snap. Where there is no
  /// attack the radius is found for each image, and snap does nothing.
  bool knows_radius = false;
  std::int64_t restarts = 0;  // defends only the first so many restarts of each reference; 0 for all
};

/// The defence that plans call by this preset name. Throws Misuse that names the nearest known one.
DefencePlan defence_preset(std::string_view name);
std::vector<std::string> defence_presets();
/// Reads a [[defence]] table. Throws Misuse that names place, key, expectation and finding.
DefencePlan read_defence(TableReader reader);
/// The word by that name in a plan's record names: letters, digits and _.
std::string record_name(TableReader& reader, std::string_view key, std::string fallback);

/// `attack_radius`: of the attack, 0 where there is none; matters where the plan knows it.
std::unique_ptr<defences::Defence> make_defence(const DefencePlan& plan, double attack_radius = 0.0);
/// Decoder gradients, or what takes as long, that one image costs: for sizing blocks of work.
double expected_cost(const DefencePlan& plan);

}  // namespace vaeguard::plans
