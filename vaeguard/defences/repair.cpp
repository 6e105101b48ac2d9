// Repair as a defence.
#include "vaeguard/defences/repair.h"

#include "vaeguard/defences/entry.h"
#include "vaeguard/defences/map.h"
#include "vaeguard/defences/observation_model.h"

namespace vaeguard::defences {
namespace {

class RepairDefence : public Defence {
 public:
  explicit RepairDefence(const RepairOptions& options) : options_(options) { validate(options); }
  [[nodiscard]] std::string_view name() const override { return options_.name; }
  [[nodiscard]] Inference infer(const models::Vae& vae, const Matrix& images, std::span<const Key> keys, int threads,
                                Observer& observer) const override {
    check_keys("defences.repair", images, keys);
    if (observer.interrupted()) {
      throw Interrupted{};
    }
    if (!law_is_telling(*pixel_law_of(vae, "defences.repair"))) {
      const MapOptions general = map_gaussian_options(options_.name);
      return make_map(general)->infer(vae, images, keys, threads, observer);
    }
    const Repaired repaired = repair(vae, images, options_.observation, options_.passes, threads);
    Inference result;
    result.draw = vae.sample(repaired.images, repaired.encoding, keys);
    result.mean = repaired.encoding.mean;
    result.mean_reconstruction = vae.decode(result.mean, threads);
    result.radius = repaired.radii(options_.observation.radius);
    result.touched = repaired.touched();
    return result;
  }

 private:
  RepairOptions options_;
};

}  // namespace

const OptionSchema<RepairOptions>& repair_schema() {
  static const auto schema =
      OptionSchema<RepairOptions>()
          .part(&RepairOptions::observation, channel_fit_schema())
          .integer("passes", &RepairOptions::passes, at_least(0), "each an encoding and a decoding");
  return schema;
}

void validate(const RepairOptions& options) { repair_schema().check("defences.repair", options); }

std::unique_ptr<Defence> make_repair(const RepairOptions& options) { return std::make_unique<RepairDefence>(options); }

DefenceEntries repair_entries() {
  return {defence_entry<RepairOptions>({.name = "repair",
                                        .title = "Repair",
                                        .description = "Alternates encoder and pixel law, without gradients.",
                                        .caution = kChannelCaution},
                                       {}, repair_schema(), make_repair),
          defence_entry<RepairOptions>(
              {.name = "repair_directed",
               .title = "Directed repair",
               .description = "Repair that also estimates in which direction the attack moved each pixel.",
               .caution = kChannelCaution},
              {.observation = {.directed = true}}, repair_schema(), make_repair)};
}

}  // namespace vaeguard::defences
