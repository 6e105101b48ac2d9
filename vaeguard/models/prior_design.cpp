// The list of priors, their options as plans write them, and the one that needs no file of its own: the standard
// normal.
#include "vaeguard/models/prior_design.h"

#include "vaeguard/models/realnvp.h"

namespace vaeguard::models {
namespace {

// No couplings, and so no options.
struct StandardNormal {
  [[nodiscard]] std::string_view name() const { return "standard_normal"; }
  static const OptionSchema<StandardNormal>& schema() {
    static const OptionSchema<StandardNormal> none;
    return none;
  }
  [[nodiscard]] PriorWeights make(std::int64_t /*latents*/, Key /*key*/) const { return {}; }
};

PriorEntry standard_normal_entry() {
  return {.name = "standard_normal",
          .title = "Standard normal",
          .description = "N(0, I), which needs no training.",
          .usual = StandardNormal{}};
}

}  // namespace

// Each stands beside its code; a declaration and its call below make a prior known.
PriorEntry realnvp_entry();

const Registry<PriorEntry>& priors() {
  static const Registry<PriorEntry> all("models.prior", "prior", {standard_normal_entry(), realnvp_entry()});
  return all;
}

const OptionSchema<PriorDesign>& prior_schema() {
  static const auto schema = choice_schema<PriorDesign>("prior", "of the latents", priors());
  return schema;
}

PriorDesign::PriorDesign() : PriorDesign(StandardNormal{}) {}

PriorDesign design_of(const PriorWeights& prior) {
  if (prior.couplings.empty()) {
    return {};
  }
  const std::vector<networks::Layer>& layers = prior.couplings.front().layers;
  return RealNvpOptions{.couplings = static_cast<int>(prior.couplings.size()),
                        .hidden = layers.empty() ? 0 : layers.front().output.channels,
                        .bound = prior.bound};
}

std::string describe(const PriorDesign& design) { return describe_choice(design.name(), design.values()); }

}  // namespace vaeguard::models
