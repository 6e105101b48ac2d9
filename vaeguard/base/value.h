// A format-neutral tree of values: a plan, a command line or another language's options before anything reads them.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vaeguard {

/// A boolean, a whole number, a number, a text, a list of values, or a table of named values. Comparison ignores where
/// values come from; 1 and 1.0 differ.
class Value {
 public:
  struct Member;
  using List = std::vector<Value>;
  using Table = std::vector<Member>;  // in the order of writing; keys are distinct

  Value();
  template <std::integral Integer>  // bool included
  Value(Integer value);             // NOLINT(google-explicit-constructor): literals of a tree
  Value(double value);
  Value(std::string value);
  Value(std::string_view value);
  Value(const char* value);
  Value(List value);
  Value(Table value);
  // All out of line, so that not every source that includes this compiles the tree's copies again.
  Value(const Value& other);
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other);
  Value& operator=(Value&& other) noexcept;
  ~Value();

  /// The value if it is a T (bool, std::int64_t, double, std::string, List or Table), else null.
  template <typename T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&data_);
  }
  /// A number, whole or not; else nothing.
  [[nodiscard]] std::optional<double> number() const;

  /// The table's value for that key; null if there is none or this is not a table.
  [[nodiscard]] const Value* find(std::string_view key) const;
  /// Sets or replaces the table's value for that key. Throws Misuse if this is not a table.
  void set(std::string_view key, Value value);

  /// Where the value stands in its source, for messages: "line 12", "--set"; empty if unknown.
  [[nodiscard]] const std::string& origin() const { return origin_; }
  Value& from(std::string origin) {
    origin_ = std::move(origin);
    return *this;
  }

  /// Tables are equal whatever the order of their keys.
  friend bool operator==(const Value& one, const Value& other);

 private:
  // A whole number, or a truth value.
  struct Whole {
    template <std::integral Integer>
    explicit Whole(Integer of) : value(static_cast<std::int64_t>(of)), truth(std::same_as<Integer, bool>) {}
    std::int64_t value;
    bool truth;
  };
  explicit Value(Whole whole);

  std::variant<bool, std::int64_t, double, std::string, List, Table> data_;
  std::string origin_;
};

struct Value::Member {
  std::string key;
  Value value;
};

template <std::integral Integer>
Value::Value(Integer value) : Value(Whole{value}) {}

/// The value as TOML, tables sorted by key and on one line: the same text for equal values.
std::string to_text(const Value& value);

}  // namespace vaeguard
