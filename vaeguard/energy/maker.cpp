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
  const std::string_view backend = vae.generative().backend();
  if (makers().find(backend) == makers().end()) {
    return "";
  }
  if (vae.layers() == nullptr) {
    return fmt::format("that of {} knows layer graphs alone", backend);
  }
  if (vae.likelihood().published_only()) {
    return fmt::format("that of {} has no likelihood {}", backend, vae.likelihood().name());
  }
  if (const models::PriorWeights& prior = vae.layers()->weights().prior; !prior.couplings.empty()) {
    return fmt::format("that of {} has no prior {}", backend, models::name(prior));
  }
  return "";
}

std::unique_ptr<ScalarField> make_posterior_energy(const models::Vae& vae, Matrix images) {
  const auto found = makers().find(vae.generative().backend());
  if (found != makers().end() && maker_refusal(vae).empty()) {
    return found->second(vae, std::move(images));
  }
  return std::make_unique<PosteriorEnergy>(vae, std::move(images));
}

}  // namespace vaeguard::energy
