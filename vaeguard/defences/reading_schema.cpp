// The options of a reading, as plans write them.
#include "vaeguard/defences/reading.h"

namespace vaeguard::defences {
namespace {

constexpr const char* kAttack = "attack";

Value radius_of(const ReadingOptions& options) { return options.of_attack ? Value(kAttack) : Value(options.radius); }

void set_radius(ReadingOptions& options, const Value& value) {
  options.of_attack = !value.number().has_value();
  options.radius = value.number().value_or(options.radius);
}

std::string needs_no_radius(const ReadingOptions& options) {
  return options.reading == Reading::exact ? "the reading exact has no radius" : "";
}

}  // namespace

const OptionSchema<ReadingOptions>& reading_schema() {
  static const auto schema =
      OptionSchema<ReadingOptions>()
          .choice("reading", &ReadingOptions::reading,
                  {{"exact", Reading::exact, "the image as it is"},
                   {"minimum", Reading::minimum, "the best image within a ball"},
                   {"channel", Reading::channel, "what an attack, as a noisy channel, left of another image"},
                   {"directed", Reading::directed, "the same, which way each pixel moved being learned"}},
                  "what the image is taken for")
          .choice("norm", &ReadingOptions::norm,
                  {{"linf", energy::BallNorm::linf, "largest change of a pixel"},
                   {"l2", energy::BallNorm::l2, "Euclidean length of the change"}},
                  "of the ball")
          .unless([](const ReadingOptions& options) {
            return options.reading == Reading::minimum ? "" : "only the reading minimum has a ball";
          })
          .add({.key = "radius",
                .description = "of ball or channel; 0 to find it for each image",
                .kind = OptionKind::number,
                .range = from_to(0.0, 1.0),
                .words = {{kAttack, "that of the attack, which the defender is told"}}},
               radius_of, set_radius)
          .unless(needs_no_radius)
          .number("largest_radius", &ReadingOptions::largest_radius, above_to(0.0, 1.0), "that may be found")
          .unless([](const ReadingOptions& options) {
            return options.radius > 0.0 && !options.of_attack ? "the radius is given" : needs_no_radius(options);
          });
  return schema;
}

}  // namespace vaeguard::defences
