// What an option accepts, the errors for anything else, and its lines in a list.
#include "vaeguard/base/option_schema.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <numeric>

#include "vaeguard/base/error.h"
#include "vaeguard/base/text.h"

namespace vaeguard {
namespace {

std::vector<std::string> names_of(const std::vector<OptionWord>& words) {
  std::vector<std::string> names;
  std::ranges::transform(words, std::back_inserter(names), &OptionWord::word);
  return names;
}

bool knows(const Option& option, const Value& value) {
  const auto* text = value.as<std::string>();
  return text != nullptr && std::ranges::find(option.words, *text, &OptionWord::word) != option.words.end();
}

bool may_be(const Option& option, const Value& value) {
  switch (option.kind) {
    case OptionKind::boolean:
      return value.as<bool>() != nullptr;
    case OptionKind::integer: {
      const auto* whole = value.as<std::int64_t>();
      return whole != nullptr && option.range.contains(static_cast<double>(*whole));
    }
    case OptionKind::number: {
      const auto number = value.number();
      return knows(option, value) || (number && option.range.contains(*number));
    }
    case OptionKind::text:
      return value.as<std::string>() != nullptr;
    case OptionKind::word:
      return knows(option, value);
  }
  return false;
}

}  // namespace

std::string Option::expectation() const {
  switch (kind) {
    case OptionKind::boolean:
      return "true or false";
    case OptionKind::integer:
      return range.describe("a whole number");
    case OptionKind::number:
      return std::accumulate(words.begin(), words.end(), range.describe("a number"),
                             [](const std::string& before, const OptionWord& word) {
                               return fmt::format("{} or {}", before, to_text(word.word));
                             });
    case OptionKind::text:
      return "a text";
    case OptionKind::word:
      return fmt::format("one of {}", fmt::join(names_of(words), ", "));
  }
  return "";
}

void Option::check(std::string_view place, const Value& value) const {
  if (may_be(*this, value)) {
    return;
  }
  if (const auto* text = value.as<std::string>(); text != nullptr && kind == OptionKind::word) {
    unknown_name(place, key, *text, names_of(words));
  }
  misuse(place, "{} must be {}, got {}", key, expectation(), to_text(value));
}

void refuse_option(std::string_view place, std::string_view key, std::string_view why) {
  if (!why.empty()) {
    misuse(place, "{} is not read here: {}", key, why);
  }
}

std::string option_lines(const std::vector<Option>& options, std::string_view indent) {
  std::string lines;
  for (const Option& option : options) {
    lines +=
        fmt::format("{}{} = {}\n{}    {}", indent, option.key, to_text(option.fallback), indent, option.description);
    lines += option.kind == OptionKind::word ? "\n" : fmt::format("; {}\n", option.expectation());
    for (const OptionWord& word : option.words) {
      lines += fmt::format("{}      {:<22} {}\n", indent, to_text(word.word), word.description);
    }
  }
  return lines;
}

}  // namespace vaeguard
