// Unadjusted Langevin: its closed-form bias, and the invariance test that it must fail, as its label says.
#include "vaeguard/mcmc/langevin.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/mcmc/kernel_suite.h"
#include "vaeguard/mcmc/mala.h"

namespace vaeguard::mcmc {
namespace {

static_assert(!Langevin::exact);
static_assert(Mala::exact);

TEST(Langevin, TakesMalasProposalWhateverItsAcceptance) {
  const GumbelField field({0.5, 1.0, 2.0});
  const Target target = first_functions(field, 200);
  const Parameters parameters = parameters_of({.step_size = 0.6}, 200, 3);
  const auto keys = chain_keys(Key(1), 0, 200);
  const State start = make_state(target, exact_draws(field, 200, Key(2)));
  State adjusted = start;
  State unadjusted = start;
  const Info of_mala = Mala().step(keys, target, parameters, adjusted);
  const Info info = Langevin().step(keys, target, parameters, unadjusted);
  EXPECT_EQ(info.acceptance, of_mala.acceptance);
  EXPECT_EQ(info.energy_error, of_mala.energy_error);
  EXPECT_EQ(info.accepted, std::vector<char>(200, 1));
  int rejected = 0;
  for (std::int64_t b = 0; b < 200; ++b) {
    const bool stayed = of_mala.accepted[static_cast<std::size_t>(b)] == 0;
    rejected += stayed ? 1 : 0;
    EXPECT_EQ(unadjusted.position.slice(b, 1) == adjusted.position.slice(b, 1), !stayed);
  }
  EXPECT_GT(rejected, 5);
}

TEST(Langevin, AStepOutOfTheDomainIsADivergenceAndNotTaken) {
  const CutField field(0.5, std::numeric_limits<double>::quiet_NaN());
  const Target target = first_functions(field, 400);
  State state = make_state(target, Matrix(400, 1, 0.4F));
  const Info info =
      Langevin().step(chain_keys(Key(5), 0, 400), target, parameters_of({.step_size = 0.5}, 400, 1), state);
  int divergent = 0;
  for (std::size_t b = 0; b < 400; ++b) {
    divergent += info.divergent[b];
    EXPECT_EQ(info.accepted[b], 1 - info.divergent[b]);
    EXPECT_LE(state.position(static_cast<std::int64_t>(b), 0), 0.5F);
  }
  EXPECT_GT(divergent, 110);
  EXPECT_LT(divergent, 200);
}

TEST(LangevinStatistical, HasTheClosedFormsVarianceInsteadOfTheTargets) {
  // Step 1.2 on a standard normal: variance 1 / (1 - 0.36) = 1.5625. A lag is 0.28, so that the 12th power is 1e-7.
  const GaussianField field = GaussianField::standard(2);
  const Outcome outcome = advance(Langevin(), field, exact_draws(field, kReplicates, Key(3)),
                                  {.step_size = 1.2, .transitions = 12}, Key(4));
  Matrix scaled = outcome.positions;
  for (float& value : scaled.flat()) {
    value *= 0.8F;  // 1.5625^-1/2
  }
  statistics::expect_holds(judge_draws(field, scaled), 0.05);
}

TEST(LangevinStatistical, FailsTheTestThatExactKernelsPass) {
  const auto judgement = judge_invariance(Langevin(), GaussianField::correlated(),
                                          {.step_size = 0.75, .transitions = 8}, kReplicates, Key(5));
  EXPECT_TRUE(judgement.rejected()) << judgement.report();
  EXPECT_GT(judgement.largest_distance(), judgement.smallest_detectable());
}

}  // namespace
}  // namespace vaeguard::mcmc
