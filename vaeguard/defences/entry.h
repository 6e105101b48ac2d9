// A defence as plans and lists know it: its words, the options that it reads, what it costs and how it is made.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vaeguard/base/option_schema.h"
#include "vaeguard/defences/defence.h"

namespace vaeguard::defences {

/// A defence whose options are read.
struct Prepared {
  /// `name` is the one in records. `attack_radius` is that of the attack and matters only where knows_radius; 0 where
  /// there is no attack: a radius is then found for each image.
  std::function<std::unique_ptr<Defence>(std::string name, double attack_radius)> make = {};
  double gradients = 0.0;     // decoder gradients that one image costs at most
  bool knows_radius = false;  // the defender is told the radius of the attack
  Value options;              // all that it reads, with their values: the same defence when they are read again
};

struct DefenceEntry {
  std::string_view name;
  std::string_view title;
  std::string_view description;
  /// Where attacked images are worse off than undefended, by the records in results/ or, where nothing was measured, by
  /// expectation, and says which. A defence with a caution is never a default.
  std::string_view caution = {};
  /// Of the image before anything else, by name; empty for none. A plan may name another one.
  std::string_view transform = {};
  std::vector<Option> options = {};  // its own; every defence reads a transform beside them
  /// Reads its own options. The caller finishes the reader.
  std::function<Prepared(OptionReader&)> prepare = {};
};

using DefenceEntries = std::vector<DefenceEntry>;

/// The entry of a kind of defence whose options are an aggregate with a `name`; `entry` brings the words, `defaults`
/// the values where a plan says nothing. Where the options have an `observation` that waits for the attack's radius, it
/// is told.
template <typename Options>
DefenceEntry defence_entry(
    DefenceEntry entry, const Options& defaults, const OptionSchema<Options>& schema,
    std::unique_ptr<Defence> (*make)(const Options&),
    double (*gradients)(const Options&) = [](const Options&) { return 0.0; }) {
  entry.options = schema.describe(defaults);
  entry.prepare = [defaults, &schema, make, gradients](OptionReader& reader) {
    Options options = defaults;
    schema.read(reader, options);
    validate(options);
    Prepared prepared{.gradients = gradients(options), .options = schema.values(options)};
    if constexpr (requires { options.observation.knows_radius(); }) {
      prepared.knows_radius = options.observation.knows_radius();
    }
    prepared.make = [options, make](std::string name, double attack_radius) {
      Options own = options;
      own.name = std::move(name);
      if constexpr (requires { own.observation.told(attack_radius); }) {
        own.observation = own.observation.told(attack_radius);
      }
      return make(own);
    };
    return prepared;
  };
  return entry;
}

}  // namespace vaeguard::defences
