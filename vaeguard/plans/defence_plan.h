// A defence as data: an entry of the registry with its options, read from a plan.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "vaeguard/base/option_reader.h"
#include "vaeguard/base/value.h"
#include "vaeguard/defences/defence.h"

namespace vaeguard::plans {

struct DefencePlan {
  std::string name;    // in records
  std::string preset;  // the entry's name, defences/registry.h
  Value options;       // all options that the entry reads, with their values
  /// The defender knows the attack's radius. Without an attack, one is found for each image.
  bool knows_radius = false;
  std::int64_t restarts = 0;  // defends only this many restarts of each reference; 0 for all
};

/// The registered defence of this name, with its default options. Throws Misuse that suggests the nearest known name.
DefencePlan defence_preset(std::string_view name);
/// Reads a [[defence]] table. Throws Misuse, naming place, key, expectation and value.
DefencePlan read_defence(OptionReader reader);

/// Makes the defence. `attack_radius`, 0 without an attack, matters only if plan.knows_radius.
std::unique_ptr<defences::Defence> make_defence(const DefencePlan& plan, double attack_radius = 0.0);
/// The cost per image in decoder gradients, or the equivalent in time, for sizing blocks of work.
double expected_cost(const DefencePlan& plan);

}  // namespace vaeguard::plans
