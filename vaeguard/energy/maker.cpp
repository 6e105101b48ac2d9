// Makers of posterior energies, by the name of the decoder's backend.
#include "vaeguard/energy/maker.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "vaeguard/energy/posterior.h"

namespace vaeguard::energy {
namespace {

std::map<std::string, PosteriorMaker, std::less<>>& makers() {
  static std::map<std::string, PosteriorMaker, std::less<>> all;
  return all;
}

}  // namespace

void register_posterior_maker(std::string_view backend, PosteriorMaker maker) {
  makers().insert_or_assign(std::string(backend), std::move(maker));
}

std::string maker_refusal(const models::Vae& vae) {
  const std::string_view backend = vae.decoder().backend();
  if (makers().find(backend) == makers().end()) {
    return "";
  }
  // Makers of other libraries know the likelihoods that a model should have; this one is here to repeat a mistake.
  if (vae.likelihood().kind == models::LikelihoodKind::clamped_bernoulli) {
    return fmt::format("that of {} has no likelihood {}", backend, models::name(vae.likelihood().kind));
  }
  if (!vae.weights().prior.couplings.empty()) {
    return fmt::format("that of {} has no prior {}", backend, models::name(vae.weights().prior));
  }
  return "";
}

std::unique_ptr<ScalarField> make_posterior_energy(const models::Vae& vae, Matrix images) {
  const auto found = makers().find(vae.decoder().backend());
  if (found != makers().end() && maker_refusal(vae).empty()) {
    return found->second(vae, std::move(images));
  }
  return std::make_unique<PosteriorEnergy>(vae, std::move(images));
}

}  // namespace vaeguard::energy
