// The list of defences, in the order in which they are shown, and the transform that may stand before each.
#include "vaeguard/defences/registry.h"

#include <optional>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/defences/transform.h"

namespace vaeguard::defences {

// Each stands beside its code; a declaration and its call below make a defence known.
DefenceEntries undefended_entries();
DefenceEntries posterior_sampling_entries();
DefenceEntries map_entries();
DefenceEntries repair_entries();
DefenceEntries transform_entries();

namespace {

DefenceEntries all_entries() {
  DefenceEntries all;
  for (const DefenceEntries& some :
       {undefended_entries(), posterior_sampling_entries(), map_entries(), repair_entries(), transform_entries()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

constexpr std::string_view kTransform = "transform";
constexpr std::string_view kNone = "none";

// The key that every defence reads beside its own.
Option transform_option(std::string_view fallback) {
  Option option{.key = std::string(kTransform),
                .description = "of the image before anything else",
                .kind = OptionKind::word,
                .words = {{std::string(kNone), "the image as it is"}},
                .fallback = fallback.empty() ? kNone : fallback};
  for (const TransformEntry& entry : transforms()) {
    option.words.push_back({std::string(entry.name), std::string(entry.description)});
  }
  return option;
}

std::optional<TransformOptions> read_transform(OptionReader& reader, std::string_view fallback) {
  const Option option = transform_option(fallback);
  const Value* found = reader.find(kTransform);
  const Value& value = found == nullptr ? option.fallback : *found;
  option.check(reader.place_of(value), value);
  if (value == Value(kNone)) {
    return std::nullopt;  // and no parameter to read
  }
  TransformOptions options;
  options.transform = *value.as<std::string>();
  transform_schema().read(reader, options);
  validate(options);
  return options;
}

Value with_transform(Value values, const TransformOptions& transform) {
  values.set(kTransform, transform.transform);
  const Value own = transform_schema().values(transform);
  for (const Value::Member& member : *own.as<Value::Table>()) {
    values.set(member.key, member.value);
  }
  return values;
}

// With the radius that the attack has, where the transform asks for it.
TransformOptions told(TransformOptions options, const std::string& name, double attack_radius) {
  options.name = name;
  if (options.of_attack) {
    options.parameter = attack_radius;
  }
  return options;
}

}  // namespace

const Registry<DefenceEntry>& defences() {
  static const Registry<DefenceEntry> entries("defences", "defence", all_entries());
  return entries;
}

Prepared prepare(const DefenceEntry& entry, OptionReader& reader) {
  const std::optional<TransformOptions> transform = read_transform(reader, entry.transform);
  Prepared after = entry.prepare(reader);
  if (!transform) {
    after.options.set(kTransform, kNone);
    return after;
  }
  Prepared whole{.gradients = after.gradients,
                 .knows_radius = after.knows_radius || transform->of_attack,
                 .options = with_transform(std::move(after.options), *transform)};
  whole.make = [transform = *transform, make = after.make](const std::string& name, double attack_radius) {
    return make_transformed(told(transform, name, attack_radius), make(name, attack_radius));
  };
  return whole;
}

std::vector<Option> options_of(const DefenceEntry& entry) {
  std::vector<Option> options = entry.options;
  options.push_back(transform_option(entry.transform));
  if (!entry.transform.empty()) {
    TransformOptions own;
    own.transform = entry.transform;
    for (const Option& option : transform_schema().describe(own)) {
      options.push_back(option);
      const TransformEntry& one = transforms().find(entry.transform);
      options.back().description = one.parameter;
      options.back().range = from_to(one.least, one.most);
    }
  }
  return options;
}

}  // namespace vaeguard::defences
