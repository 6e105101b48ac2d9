// Options of the command line for a choice of plans, such as the likelihood: written there as in plans, read by one
// schema.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "vaeguard/base/choice.h"
#include "vaeguard/base/option_schema.h"

namespace vaeguard::cli {

using WrittenOptions = std::map<std::string, std::string>;  // by key, as they are written

/// The option of the command line for an option of plans: "--hidden-units" for "hidden_units".
std::string flag(std::string_view key);

/// Those that were written.
Value table_of(const WrittenOptions& options);

/// As in plans: an option that the chosen one does not read is an error.
template <typename Chosen>
std::optional<Chosen> choice_of(const WrittenOptions& options, const OptionSchema<Chosen>& schema,
                                std::string_view place) {
  const Value table = table_of(options);
  OptionReader reader(table, std::string(place));
  return read_choice(reader, schema);
}

/// Adds the options of a choice, and returns that of the choice itself; `rest` says what holds where there is none.
template <typename Chosen>
CLI::Option* add_choice(CLI::App& app, WrittenOptions& options, const OptionSchema<Chosen>& schema,
                        std::string_view rest) {
  const std::string choice = schema.fields().front().option.key;
  for (const auto& field : schema.fields()) {
    const Option& option = field.option;
    const std::string help = option.key == choice
                                 ? fmt::format("{}; {}", option.expectation(), rest)
                                 : fmt::format("of the {}, {}: {} (default {})", choice, option.description,
                                               option.expectation(), to_text(option.fallback));
    auto* added = app.add_option(flag(option.key), options[option.key], help);
    if (option.key != choice) {
      added->needs(flag(choice));
    }
  }
  return app.get_option(flag(choice));
}

}  // namespace vaeguard::cli
