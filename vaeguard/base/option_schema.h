// The options of an aggregate in one table, which reads, checks, lists and writes them.
#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vaeguard/base/option_reader.h"
#include "vaeguard/base/value.h"

namespace vaeguard {

enum class OptionKind {
  boolean,  // true or false
  integer,  // a whole number in `range`
  number,   // a number in `range`, or one of `words`
  text,     // any text
  word      // one of `words`
};

/// One of the words that an option accepts.
struct OptionWord {
  std::string word;
  std::string description;
};

/// One option, independent of the aggregate that it belongs to.
struct Option {
  std::string key;
  std::string description;  // one line
  OptionKind kind = OptionKind::text;
  Range range = {};
  std::vector<OptionWord> words = {};
  Value fallback = {};  // the default

  /// "a whole number of at least 1", "one of adam, lbfgs".
  [[nodiscard]] std::string expectation() const;
  /// Throws Misuse "[place] key must be ..., got ..." unless the option accepts this value; for an unknown word, the
  /// message suggests the nearest known one.
  void check(std::string_view place, const Value& value) const;
};

/// Throws Misuse "[place] key is not read here: why" unless `why` is empty.
void refuse_option(std::string_view place, std::string_view key, std::string_view why);

/// A word and what it stands for.
template <typename Enum>
struct Choice {
  std::string word;
  Enum value;
  std::string description;
};

/// The options of the aggregate `Options`, in the order in which they are read and shown:
///
///   static const auto schema = OptionSchema<MapOptions>()
///       .integer("gradients", &MapOptions::gradients, at_least(1), "steps of Adam")
///       .number("learning_rate", &MapOptions::learning_rate, above(0.0), "the first; it falls to 0");
///
/// Defaults are the values that the aggregate holds, so a preset is an aggregate with other values.
template <typename Options>
class OptionSchema {
 public:
  using Get = std::function<Value(const Options&)>;
  using Set = std::function<void(Options&, const Value&)>;

  OptionSchema& boolean(std::string_view key, bool Options::*member, std::string_view description) {
    return add(
        {.key = std::string(key), .description = std::string(description), .kind = OptionKind::boolean},
        [member](const Options& options) { return Value(options.*member); },
        [member](Options& options, const Value& value) { options.*member = *value.as<bool>(); });
  }
  template <std::integral Integer>
  OptionSchema& integer(std::string_view key, Integer Options::*member, const Range& range,
                        std::string_view description) {
    return add(
        {.key = std::string(key), .description = std::string(description), .kind = OptionKind::integer, .range = range},
        [member](const Options& options) { return Value(options.*member); },
        [member](Options& options, const Value& value) {
          options.*member = static_cast<Integer>(*value.as<std::int64_t>());
        });
  }
  OptionSchema& number(std::string_view key, double Options::*member, const Range& range,
                       std::string_view description) {
    return add(
        {.key = std::string(key), .description = std::string(description), .kind = OptionKind::number, .range = range},
        [member](const Options& options) { return Value(options.*member); },
        [member](Options& options, const Value& value) { options.*member = *value.number(); });
  }
  OptionSchema& text(std::string_view key, std::string Options::*member, std::string_view description) {
    return add(
        {.key = std::string(key), .description = std::string(description), .kind = OptionKind::text},
        [member](const Options& options) { return Value(options.*member); },
        [member](Options& options, const Value& value) { options.*member = *value.as<std::string>(); });
  }
  template <typename Enum>
  OptionSchema& choice(std::string_view key, Enum Options::*member, std::vector<Choice<Enum>> choices,
                       std::string_view description) {
    std::vector<OptionWord> words;
    for (const Choice<Enum>& choice : choices) {
      words.push_back({choice.word, choice.description});
    }
    const auto get = [member, choices](const Options& options) {
      for (const Choice<Enum>& choice : choices) {
        if (choice.value == options.*member) {
          return Value(choice.word);
        }
      }
      return Value("no choice");
    };
    const auto set = [member, choices](Options& options, const Value& value) {
      for (const Choice<Enum>& choice : choices) {
        if (choice.word == *value.as<std::string>()) {
          options.*member = choice.value;
        }
      }
    };
    return add({.key = std::string(key),
                .description = std::string(description),
                .kind = OptionKind::word,
                .words = std::move(words)},
               get, set);
  }
  /// The options of a member aggregate, as if they were this one's own.
  template <typename Part>
  OptionSchema& part(Part Options::*member, const OptionSchema<Part>& schema) {
    for (const auto& field : schema.fields()) {
      add(
          field.option, [member, get = field.get](const Options& options) { return get(options.*member); },
          [member, set = field.set](Options& options, const Value& value) { set(options.*member, value); });
      if (field.unread) {
        fields_.back().unread = [member, unread = field.unread](const Options& options) {
          return unread(options.*member);
        };
      }
    }
    return *this;
  }
  /// Any other option, with the functions that get it as a value and set it from one.
  OptionSchema& add(Option option, Get get, Set set) {
    fields_.push_back({std::move(option), std::move(get), std::move(set), nullptr});
    return *this;
  }
  /// Where `why` gives a reason, the option added last is not read: setting it is an error, and values() leaves it out.
  /// The options on which `why` depends must have been added before it.
  OptionSchema& unless(std::function<std::string(const Options&)> why) {
    fields_.back().unread = std::move(why);
    return *this;
  }

  /// Sets the options that the reader's table has and leaves the others. The caller finishes the reader.
  void read(OptionReader& reader, Options& options) const {
    for (const Field& field : fields_) {
      const Value* value = reader.find(field.option.key);
      if (value == nullptr) {
        continue;
      }
      if (field.unread) {
        refuse_option(reader.place_of(*value), field.option.key, field.unread(options));
      }
      field.option.check(reader.place_of(*value), *value);
      field.set(options, *value);
    }
  }
  /// `options` with the values of the table; a key that is not an option is an error.
  [[nodiscard]] Options read(const Value& table, std::string_view place, Options options = {}) const {
    OptionReader reader(table, std::string(place));
    read(reader, options);
    reader.finish();
    return options;
  }
  /// Throws Misuse "[place] key must be ..., got ..." for the first option that is out of bounds.
  void check(std::string_view place, const Options& options) const {
    for (const Field& field : fields_) {
      if (!field.unread || field.unread(options).empty()) {
        field.option.check(place, field.get(options));
      }
    }
  }
  /// The options that are read, with their values.
  [[nodiscard]] Value values(const Options& options) const {
    Value table;
    for (const Option& option : describe(options)) {
      table.set(option.key, option.fallback);
    }
    return table;
  }
  /// The options that are read, for a list, with these values as defaults.
  [[nodiscard]] std::vector<Option> describe(const Options& options) const {
    std::vector<Option> result;
    for (const Field& field : fields_) {
      if (!field.unread || field.unread(options).empty()) {
        result.push_back(field.option);
        result.back().fallback = field.get(options);
      }
    }
    return result;
  }

  struct Field {
    Option option;
    Get get;
    Set set;
    std::function<std::string(const Options&)> unread;  // why the option is not read; null where it always is
  };
  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

/// Two lines per option for a list: key, accepted values and default; then the description.
std::string option_lines(const std::vector<Option>& options, std::string_view indent);

}  // namespace vaeguard
