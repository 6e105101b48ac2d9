// An optimiser as plans and lists know it: its words, the options that it reads, and how it is made.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "vaeguard/attacks/attack.h"
#include "vaeguard/base/option_schema.h"

namespace vaeguard::attacks {

/// An optimiser whose options are read.
struct Prepared {
  std::unique_ptr<Attack> attack = {};
  Value options = {};  // all that it reads, with their values: the same optimiser when they are read again
};

struct OptimiserEntry {
  std::string_view name;
  std::string_view title;
  std::string_view description;
  bool linf_only = false;
  std::vector<Option> options = {};  // as they are for a goal that is neither targeted nor a classifier's
  /// Reads the options for this goal, whose defaults may be its own. The caller finishes the reader.
  std::function<Prepared(OptionReader&, std::string_view goal)> prepare = {};
};

using OptimiserEntries = std::vector<OptimiserEntry>;

/// The entry of an optimiser whose options are an aggregate: `entry` brings the words, `defaults` the values for a goal
/// where a plan says nothing.
template <typename Options, typename Make>
OptimiserEntry optimiser_entry(OptimiserEntry entry, std::function<Options(std::string_view goal)> defaults,
                               const OptionSchema<Options>& schema, Make make) {
  entry.options = schema.describe(defaults(""));
  entry.prepare = [defaults = std::move(defaults), &schema, make](OptionReader& reader, std::string_view goal) {
    Options options = defaults(goal);
    schema.read(reader, options);
    return Prepared{.attack = make(options), .options = schema.values(options)};
  };
  return entry;
}

/// The options that loops along gradients share.
template <typename Options>
OptionSchema<Options> loop_schema() {
  return OptionSchema<Options>()
      .integer("iterations", &Options::iterations, at_least(1), "gradients spent on each image")
      .number("first_step", &Options::first_step, above(0.0), "in radii")
      .number("enough", &Options::enough, any_number(), "an image is left alone once its objective is above this");
}

}  // namespace vaeguard::attacks
