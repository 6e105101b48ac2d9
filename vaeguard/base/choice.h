// One of several entries, chosen by name with options of its own: a value that hides its type, and the schema of all.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vaeguard/base/option_schema.h"

namespace vaeguard {

/// What the hidden aggregate of options shows; the interface of a kind of choice derives from it, adds what the choice
/// does, and says as `kNoun` what it is called in messages: "likelihood".
struct ChoiceInterface {
  virtual ~ChoiceInterface() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// All options that it may have, whether or not they are read beside the others that it has.
  [[nodiscard]] virtual std::vector<Option> options() const = 0;
  /// Those that are read, with their values.
  [[nodiscard]] virtual Value values() const = 0;
  /// Why it does not read the option, "the likelihood bernoulli has no variance"; empty if it does.
  [[nodiscard]] virtual std::string why_unread(std::string_view key) const = 0;
};

/// The one message for an option that a choice does not have.
std::string no_such_option(std::string_view noun, std::string_view name, std::string_view key);

/// That part of an interface for an aggregate with name() and a static schema().
template <typename M, typename Interface>
struct HeldChoice : Interface {
  explicit HeldChoice(M of) : model(std::move(of)) {}
  [[nodiscard]] std::string_view name() const override { return model.name(); }
  [[nodiscard]] std::vector<Option> options() const override {
    std::vector<Option> result;
    for (const auto& field : M::schema().fields()) {
      result.push_back(field.option);
      result.back().fallback = field.get(model);
    }
    return result;
  }
  [[nodiscard]] Value values() const override { return M::schema().values(model); }
  [[nodiscard]] std::string why_unread(std::string_view key) const override {
    for (const auto& field : M::schema().fields()) {
      if (field.option.key == key) {
        return field.unread ? field.unread(model) : "";
      }
    }
    return no_such_option(Interface::kNoun, name(), key);
  }

  M model;
};

/// The option `key`, whose words are the names of `entries`, and the options of all of these; one that the chosen entry
/// does not read is refused. An entry holds as `usual` the choice where nothing else is said. `Chosen` has what
/// ChoiceInterface has, and with(table): itself with these options, each of which it must read.
template <typename Chosen, typename Entries>
OptionSchema<Chosen> choice_schema(std::string_view key, std::string_view description, const Entries& entries) {
  Option choice{.key = std::string(key), .description = std::string(description), .kind = OptionKind::word};
  for (const auto& entry : entries) {
    choice.words.push_back({std::string(entry.name), std::string(entry.description)});
  }
  OptionSchema<Chosen> schema;
  schema.add(
      choice, [](const Chosen& chosen) { return Value(chosen.name()); },
      [&entries](Chosen& chosen, const Value& name) { chosen = entries.find(*name.as<std::string>()).usual; });
  std::vector<std::string> added;
  for (const auto& entry : entries) {
    for (const Option& option : entry.usual.options()) {
      if (std::ranges::find(added, option.key) != added.end()) {
        continue;
      }
      added.push_back(option.key);
      schema
          .add(
              option,
              [option](const Chosen& chosen) {
                const Value values = chosen.values();
                const Value* value = values.find(option.key);
                return value == nullptr ? option.fallback : *value;
              },
              [own = option.key](Chosen& chosen, const Value& value) {
                Value changes;
                changes.set(own, value);
                chosen = chosen.with(changes);
              })
          .unless([own = option.key](const Chosen& chosen) { return chosen.why_unread(own); });
    }
  }
  return schema;
}

/// The choice that a table makes among other things; nothing where it says nothing of it. Options need the name of what
/// has them.
template <typename Chosen>
std::optional<Chosen> read_choice(OptionReader& reader, const OptionSchema<Chosen>& schema) {
  bool mentioned = false;
  for (const auto& field : schema.fields()) {
    mentioned = reader.has(field.option.key) || mentioned;  // asking makes each a known key
  }
  if (!mentioned) {
    return std::nullopt;
  }
  static_cast<void>(reader.text(schema.fields().front().option.key));
  Chosen chosen;
  schema.read(reader, chosen);
  return chosen;
}

/// "gaussian, variance 0.5": the name and the options with their values.
std::string describe_choice(std::string_view name, const Value& values);

}  // namespace vaeguard
