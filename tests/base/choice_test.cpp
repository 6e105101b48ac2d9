// Choices by name: their options in one schema, read among other things and refused where the chosen one has none.
#include "vaeguard/base/choice.h"

#include "tests/expect_misuse.h"
#include "vaeguard/base/registry.h"

namespace vaeguard {
namespace {

struct Round {
  double radius = 1.0;
  [[nodiscard]] std::string_view name() const { return "round"; }
  static const OptionSchema<Round>& schema() {
    static const auto schema = OptionSchema<Round>().number("radius", &Round::radius, above(0.0), "from the middle");
    return schema;
  }
};

struct Flat {
  [[nodiscard]] std::string_view name() const { return "flat"; }
  static const OptionSchema<Flat>& schema() {
    static const OptionSchema<Flat> none;
    return none;
  }
};

/// The least that a choice is.
class Shape {
 public:
  Shape() : Shape(Flat{}) {}
  template <typename M>
  requires(!std::same_as<M, Shape>) Shape(M model)  // NOLINT(google-explicit-constructor)
      : held_(std::make_shared<const Held<M>>(std::move(model))) {}
  [[nodiscard]] std::string_view name() const { return held_->name(); }
  [[nodiscard]] std::vector<Option> options() const { return held_->options(); }
  [[nodiscard]] Value values() const { return held_->values(); }
  [[nodiscard]] std::string why_unread(std::string_view key) const { return held_->why_unread(key); }
  [[nodiscard]] Shape with(const Value& changes) const { return held_->with(changes); }

 private:
  struct Interface : ChoiceInterface {
    static constexpr std::string_view kNoun = "shape";
    [[nodiscard]] virtual Shape with(const Value& changes) const = 0;
  };
  template <typename M>
  struct Held : HeldChoice<M, Interface> {
    using HeldChoice<M, Interface>::HeldChoice;
    [[nodiscard]] Shape with(const Value& changes) const override {
      return M::schema().read(changes, "test.shape", this->model);
    }
  };
  std::shared_ptr<const Interface> held_;
};

struct ShapeEntry {
  std::string_view name;
  std::string_view title;
  std::string_view description;
  Shape usual;
};

const OptionSchema<Shape>& shapes() {
  static const Registry<ShapeEntry> entries(
      "test", "shape", {{"flat", "Flat", "without end", Flat{}}, {"round", "Round", "without edge", Round{}}});
  static const auto schema = choice_schema<Shape>("shape", "of the thing", entries);
  return schema;
}

Value table(Value::Table members) { return {std::move(members)}; }

TEST(Choice, ReadsTheNameAndTheOptionsOfWhatItNames) {
  const Shape round = shapes().read(table({{"shape", "round"}, {"radius", 2}}), "here");
  EXPECT_EQ(describe_choice(round.name(), round.values()), "round, radius 2");
  EXPECT_EQ(shapes().values(round), table({{"shape", "round"}, {"radius", 2.0}}));
  EXPECT_EQ(shapes().values(Flat{}), table({{"shape", "flat"}}));
  EXPECT_EQ(describe_choice("flat", Shape().values()), "flat");
}

TEST(Choice, RefusesOptionsOfOthersAndUnknownNames) {
  expect_misuse(
      [] {
        shapes().read(table({{"shape", "flat"}, {"radius", 2}}), "here");
      },
      {"[here] radius is not read here: the shape flat has no radius"});
  expect_misuse([] { (void)shapes().read(table({{"shape", "rond"}}), "here"); }, {"unknown shape 'rond'", "'round'?"});
  expect_misuse(
      [] {
        shapes().read(table({{"shape", "round"}, {"radius", 0}}), "here");
      },
      {"[here] radius must be a number above 0, got 0"});
}

TEST(Choice, OfATableAmongOtherThingsIsNothingWhereItSaysNothing) {
  const auto read = [](const Value& from) {
    OptionReader reader(from, "here");
    auto chosen = read_choice(reader, shapes());
    reader.finish();
    return chosen;
  };
  EXPECT_FALSE(read(Value()).has_value());
  EXPECT_EQ(read(table({{"shape", "round"}})).value().name(), "round");
  expect_misuse([&] { read(table({{"radius", 2}})); }, {"[here] shape is missing"});
  expect_misuse([&] { read(table({{"shape", 2}})); }, {"[here] shape must be a text"});
  expect_misuse([&] { read(table({{"shapes", "flat"}})); }, {"unknown key 'shapes'"});
}

TEST(Choice, ListsDefaultsAndEveryOptionOfEveryEntry) {
  const auto& fields = shapes().fields();
  ASSERT_EQ(fields.size(), 2U);
  EXPECT_EQ(fields[0].option.expectation(), "one of flat, round");
  EXPECT_EQ(fields[1].option.fallback, Value(1.0));
  EXPECT_EQ(shapes().describe(Flat{}).size(), 1U);
  EXPECT_EQ(fields[1].get(Flat{}), Value(1.0)) << "what it would be elsewhere";
}

}  // namespace
}  // namespace vaeguard
