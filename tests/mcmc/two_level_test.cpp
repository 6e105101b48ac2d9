// Every exact kernel leaves the posterior of a hierarchical model invariant.
#include "tests/two_level_vae.h"

#include <gtest/gtest.h>

#include "tests/mcmc/decoder_replicates.h"
#include "vaeguard/mcmc/dynamic_hmc.h"
#include "vaeguard/mcmc/generalised_hmc.h"
#include "vaeguard/mcmc/hmc.h"
#include "vaeguard/mcmc/mala.h"

namespace vaeguard::mcmc {
namespace {

constexpr std::int64_t kPairs = 20000;

/// The inverse of Generative::draw: z1 less its mean given z2, which is what draw makes of z2 alone.
Matrix base_of(const models::Vae& vae, const Matrix& codes) {
  const Matrix z2 = models::z2_of(codes);
  const Matrix mean = models::z1_of(vae.generative().draw(join_columns(Matrix(codes.rows(), models::kFirst), z2)));
  return join_columns(models::sum(models::z1_of(codes), mean, -1.0F), z2);
}

/// Draws of p(z) p(x|z) stay draws of it; judged at their base points, which are standard normal. The false-fail rate
/// is that of judge_pairs.
template <Kernel K>
void expect_invariant(const K& kernel, double step_size) {
  const models::Vae vae = models::two_level_vae();
  const Pairs pairs = draw_pairs(vae, kPairs, Key(32));
  const energy::PosteriorEnergy field(vae, pairs.images);
  EXPECT_GT(information(field, pairs), 5.0);  // the posterior is much narrower than the prior
  Outcome outcome = advance(kernel, field, pairs.latents, {.step_size = step_size, .transitions = 6}, Key(33));
  EXPECT_GT(outcome.mean_acceptance, 0.4);
  EXPECT_LT(outcome.mean_acceptance, 0.98);
  outcome.positions = base_of(vae, outcome.positions);
  statistics::expect_holds(judge_pairs(outcome, fresh_energies(vae, kPairs, Key(42)), Key(34)), 0.08);
}

TEST(TwoLevelInvarianceStatistical, Hmc) { expect_invariant(Hmc({.leapfrog_steps = 5}), 0.25); }
TEST(TwoLevelInvarianceStatistical, GeneralisedHmc) { expect_invariant(GeneralisedHmc({.leapfrog_steps = 2}), 0.25); }
TEST(TwoLevelInvarianceStatistical, Mala) { expect_invariant(Mala(), 0.3); }
TEST(TwoLevelInvarianceStatistical, DynamicHmc) { expect_invariant(DynamicHmc({.max_steps = 8}), 0.2); }

TEST(TwoLevelInvarianceStatistical, AnEnergyThatForgetsTheSecondLevelIsRejected) {
  // Fresh draws whose z2 is any of p(z2): each level looks right by itself, together they are not the posterior.
  const models::Vae vae = models::two_level_vae();
  const Pairs pairs = draw_pairs(vae, kPairs, Key(32));
  const energy::PosteriorEnergy field(vae, pairs.images);
  const Matrix others = draw_pairs(vae, kPairs, Key(35)).latents;
  Outcome outcome{join_columns(models::z1_of(pairs.latents), models::z2_of(others)), {}};
  outcome.energies = energies(field, outcome.positions);
  outcome.positions = base_of(vae, outcome.positions);
  EXPECT_TRUE(judge_pairs(outcome, fresh_energies(vae, kPairs, Key(42)), Key(34)).rejected());
}

}  // namespace
}  // namespace vaeguard::mcmc
