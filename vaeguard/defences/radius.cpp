// The options of a radius, as plans write them.
#include "vaeguard/defences/radius.h"

namespace vaeguard::defences {
namespace {

constexpr const char* kAttack = "attack";

Value value_of(const Radius& radius) { return radius.of_attack ? Value(kAttack) : Value(radius.given); }

void set(Radius& radius, const Value& value) {
  radius.of_attack = !value.number().has_value();
  radius.given = value.number().value_or(radius.given);
}

}  // namespace

Radius Radius::told(double attack_radius) const {
  return of_attack ? Radius{.given = attack_radius, .largest = largest} : *this;
}

const OptionSchema<Radius>& radius_schema() {
  static const auto schema = OptionSchema<Radius>()
                                 .add({.key = "radius",
                                       .description = "of ball or channel; 0 to find it for each image",
                                       .kind = OptionKind::number,
                                       .range = from_to(0.0, 1.0),
                                       .words = {{kAttack, "that of the attack, which the defender is told"}}},
                                      value_of, set)
                                 .number("largest_radius", &Radius::largest, above_to(0.0, 1.0), "that may be found")
                                 .unless([](const Radius& radius) {
                                   return radius.given > 0.0 && !radius.of_attack ? "the radius is given" : "";
                                 });
  return schema;
}

}  // namespace vaeguard::defences
