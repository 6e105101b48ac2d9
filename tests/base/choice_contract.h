// What the choices of a registry promise, whatever they choose: names, options that are read, and refusals.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/expect_misuse.h"
#include "vaeguard/base/choice.h"

namespace vaeguard {

/// Every entry's choice as it is, and with those of `others` that it reads.
template <typename Entries>
auto every_choice(const Entries& entries, const Value::Table& others) {
  std::vector<decltype(entries.begin()->usual)> result;
  for (const auto& entry : entries) {
    Value changes;
    for (const auto& [key, value] : others) {
      if (entry.usual.why_unread(key).empty()) {
        changes.set(key, value);
      }
    }
    result.push_back(entry.usual);
    if (changes != Value()) {
      result.push_back(entry.usual.with(changes));
    }
  }
  return result;
}

/// Each has its entry's name, reads back what it lists, and refuses an option of another one and one that is none.
template <typename Entries, typename Chosen>
void expect_choices(const Entries& entries, const OptionSchema<Chosen>& schema, std::string_view noun) {
  const std::string choice = schema.fields().front().option.key;
  EXPECT_EQ(Chosen().name(), entries.begin()->name) << "the first is the usual one";
  for (const auto& entry : entries) {
    const Chosen& usual = entry.usual;
    EXPECT_EQ(usual.name(), entry.name);
    EXPECT_EQ(usual.with(usual.values()).values(), usual.values()) << entry.name;
    Value table = usual.values();
    for (const Option& option : usual.options()) {
      if (usual.why_unread(option.key).empty()) {
        EXPECT_EQ(option.fallback, *table.find(option.key)) << entry.name;
      }
    }
    table.set(choice, std::string(entry.name));
    EXPECT_EQ(schema.values(schema.read(table, "test")), table) << entry.name;
    EXPECT_EQ(usual.why_unread("radios"), fmt::format("the {} {} has no radios", noun, entry.name));
    for (const auto& field : schema.fields()) {
      const std::string why = usual.why_unread(field.option.key);
      if (field.option.key != choice && !why.empty()) {
        Value unread = table;
        unread.set(field.option.key, field.option.fallback);
        expect_misuse([&] { (void)schema.read(unread, "test"); },
                      {fmt::format("[test] {} is not read here: {}", field.option.key, why)});
      }
    }
  }
  const std::string mistyped = std::string(entries.begin()->name) + "e";
  expect_misuse([&] { (void)entries.find(mistyped); },
                {fmt::format("unknown {}", noun), fmt::format("did you mean '{}'?", entries.begin()->name)});
}

}  // namespace vaeguard
