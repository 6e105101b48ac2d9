// Makers of posterior energies, by the name of the decoder's backend.
#include "vaeguard/energy/maker.h"

#include <map>
#include <string>
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

std::unique_ptr<ScalarField> make_posterior_energy(const models::Vae& vae, Matrix images) {
  const auto found = makers().find(vae.decoder().backend());
  // Makers of other libraries know the likelihoods that a model should have; this one is here to repeat a mistake.
  if (found != makers().end() && vae.likelihood().kind != models::LikelihoodKind::clamped_bernoulli) {
    return found->second(vae, std::move(images));
  }
  return std::make_unique<PosteriorEnergy>(vae, std::move(images));
}

}  // namespace vaeguard::energy
