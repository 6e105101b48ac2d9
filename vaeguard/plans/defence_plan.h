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
  Value options;       // all that the entry reads, with their values
  /// The defender knows the attack's radius. Where there is no attack one is found for each image.
  bool knows_radius = false;
  std::int64_t restarts = 0;  // defends only the first so many restarts of each reference; 0 for all
};

/// The defence that plans call by this name, with its own options. Throws Misuse that names the nearest known one.
DefencePlan defence_preset(std::string_view name);
/// Reads a [[defence]] table. Throws Misuse that names place, key, expectation and finding.
DefencePlan read_defence(OptionReader reader);

/// `attack_radius`: of the attack, 0 where there is none; matters where the plan knows it.
std::unique_ptr<defences::Defence> make_defence(const DefencePlan& plan, double attack_radius = 0.0);
/// Decoder gradients, or what takes as long, that one image costs: for sizing blocks of work.
double expected_cost(const DefencePlan& plan);

}  // namespace vaeguard::plans
