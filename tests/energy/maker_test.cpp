// The maker picks what the decoder's backend registered, and PosteriorEnergy otherwise.
#include "vaeguard/energy/maker.h"

#include <gtest/gtest.h>

#include "vaeguard/base/error.h"
#include "vaeguard/energy/posterior.h"
#include "vaeguard/models/linear_vae.h"
#include "vaeguard/models/realnvp.h"

namespace vaeguard::energy {
namespace {

class MarkedEnergy : public PosteriorEnergy {
 public:
  using PosteriorEnergy::PosteriorEnergy;
};

TEST(PosteriorMaker, PicksByTheBackendOfTheDecoder) {
  const auto weights = models::LinearVae::random(Key(1), 12, 4, 0.4, 0.05).weights();
  const models::Vae native(weights, "native");
  const models::Vae reference(weights, "reference");
  const auto is_marked = [](const models::Vae& vae) {
    const auto field = make_posterior_energy(vae, Matrix(3, 12, 0.5F));
    EXPECT_EQ(field->size(), 3);
    EXPECT_EQ(field->dimension(), 4);
    EXPECT_NE(dynamic_cast<const PosteriorEnergy*>(field.get()), nullptr);
    return dynamic_cast<const MarkedEnergy*>(field.get()) != nullptr;
  };
  EXPECT_FALSE(is_marked(reference));
  register_posterior_maker("reference", [](const models::Vae& vae, Matrix images) {
    return std::make_unique<MarkedEnergy>(vae, std::move(images));
  });
  EXPECT_TRUE(is_marked(reference));
  EXPECT_FALSE(is_marked(native));
  models::VaeWeights clamped = weights;
  clamped.likelihood = models::clamped_bernoulli();
  EXPECT_FALSE(is_marked(models::Vae(clamped, "reference"))) << "other libraries need not know this likelihood";
  EXPECT_EQ(maker_refusal(models::Vae(clamped, "reference")), "that of reference has no likelihood clamped_bernoulli");
  models::VaeWeights learned = weights;
  learned.prior = models::realnvp(4, Key(2));
  EXPECT_FALSE(is_marked(models::Vae(learned, "reference"))) << "nor learned priors";
  EXPECT_EQ(maker_refusal(models::Vae(learned, "reference")), "that of reference has no prior realnvp");
  EXPECT_EQ(maker_refusal(models::Vae(learned, "native")), "") << "nothing else was registered there";
  EXPECT_EQ(maker_refusal(reference), "");
  register_posterior_maker("reference", [](const models::Vae& vae, Matrix images) {
    return std::make_unique<PosteriorEnergy>(vae, std::move(images));
  });
  EXPECT_FALSE(is_marked(reference));
}

TEST(PosteriorMaker, RefusesImagesOfAnotherSize) {
  const models::Vae vae(models::LinearVae::random(Key(1), 12, 4, 0.4, 0.05).weights());
  EXPECT_THROW((void)make_posterior_energy(vae, Matrix(3, 11, 0.5F)), Misuse);
}

}  // namespace
}  // namespace vaeguard::energy
