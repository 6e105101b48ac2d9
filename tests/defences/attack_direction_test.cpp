// Directions of simulated attacks: found where pixels tell them, carried to those that do not, none made up.
#include "vaeguard/defences/attack_direction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "tests/expect_misuse.h"
#include "tests/networks/random_graph.h"
#include "vaeguard/models/conv_vae.h"

namespace vaeguard::defences {
namespace {

constexpr std::int64_t kPixels = 784;
constexpr std::int64_t kLatents = 8;
constexpr float kRadius = 0.02F;  // so small that the encoder stays nearly linear

using energy::ExtremeMove;

/// A grey image, moved along the gradient of a random goal on the means of an untrained encoder.
class AttackDirection : public testing::Test {
 protected:
  AttackDirection()
      : vae_(models::conv_vae({1, 28, 28}, {}, Key(1), kLatents)), clean_(1, kPixels), attacked_(1, kPixels) {
    fill_uniform(Key(2), 0.3F, 0.7F, clean_.flat());
    const Matrix goal = networks::random_matrix(Key(3), 1, kLatents);
    Matrix gradients(1, 2 * kLatents);
    std::ranges::copy(goal.row(0), gradients.row(0).begin());
    const auto tape = vae_.layers()->encoder().make_tape();
    Matrix outputs;
    Matrix gradient;
    vae_.layers()->encoder().forward(clean_, outputs, *tape);
    vae_.layers()->encoder().backward(gradients, gradient, *tape);
    for (std::int64_t i = 0; i < kPixels; ++i) {
      attacked_(0, i) = clean_(0, i) + std::copysign(kRadius, gradient(0, i));
    }
    shift_ = vae_.encode(attacked_).mean;  // in units of some deviation; all are alike here
    const Matrix before = vae_.encode(clean_).mean;
    std::ranges::transform(shift_.flat(), before.values(), shift_.flat().begin(), std::minus{});
  }

  [[nodiscard]] bool went_up(std::size_t pixel) const { return attacked_.row(0)[pixel] > clean_.row(0)[pixel]; }

  /// Moves that are known for all but every third pixel, which may have gone either way.
  [[nodiscard]] std::vector<ExtremeMove> true_moves() const {
    std::vector<ExtremeMove> moves;
    for (std::size_t i = 0; i < kPixels; ++i) {
      const double up = i % 3 == 0 ? 0.45 : went_up(i) ? 0.9 : 0.0;
      moves.push_back({up, 0.9 - up});
    }
    return moves;
  }

  [[nodiscard]] std::vector<float> find(std::span<const ExtremeMove> moves,
                                        const DirectionOptions& options = {}) const {
    return attack_direction(vae_, {attacked_.row(0), clean_.row(0), shift_.row(0)}, moves, options);
  }

  models::Vae vae_;
  Matrix clean_;
  Matrix attacked_;
  Matrix shift_;
};

TEST_F(AttackDirection, TellsTheWayOfPixelsThatDoNotTellIt) {
  const auto up = find(true_moves());
  ASSERT_EQ(up.size(), static_cast<std::size_t>(kPixels));
  int right = 0;
  int asked = 0;
  for (std::size_t i = 0; i < kPixels; i += 3) {
    ++asked;
    right += (up[i] > 0.5F) == went_up(i) ? 1 : 0;
  }
  // Eight weights from 522 signs. A random direction is right for half of them, give or take 0.03.
  EXPECT_GT(right, 0.85 * asked);
  for (const float share : up) {
    EXPECT_TRUE(share == 0.99F || share == 0.01F || share == 0.5F) << share;
  }
}

TEST_F(AttackDirection, IsOppositeForTheOppositeAttack) {
  auto moves = true_moves();
  const auto up = find(moves);
  for (ExtremeMove& move : moves) {
    std::swap(move.up, move.down);
  }
  const auto down = find(moves);
  ASSERT_EQ(up.size(), down.size());
  for (std::size_t i = 0; i < kPixels; ++i) {
    EXPECT_NEAR(up[i] + down[i], 1.0F, 1e-6F) << i;
  }
}

TEST_F(AttackDirection, IsNotFoundInMovesThatHaveNone) {
  // 200 images of coin tosses. Eight weights fit on half of 784 tosses lose about 8 / 2 nats on each other half, with a
  // standard deviation of some 4, so a gain of 3 is a matter of one in some hundreds.
  int found = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::vector<float> toss(kPixels);
    fill_uniform(Key(4).fold(seed), -1.0F, 1.0F, toss);
    std::vector<ExtremeMove> moves;
    for (const float side : toss) {
      moves.push_back(side > 0.0F ? ExtremeMove{0.9, 0.0} : ExtremeMove{0.0, 0.9});
    }
    found += find(moves).empty() ? 0 : 1;
  }
  EXPECT_LE(found, 4);
}

TEST_F(AttackDirection, IsNotFoundWithoutMovesOrWithoutAnEncoderThatListens) {
  EXPECT_TRUE(find(std::vector<ExtremeMove>(kPixels)).empty());
  EXPECT_TRUE(find(std::vector<ExtremeMove>(kPixels, {0.45, 0.45})).empty());
  models::VaeWeights deaf = vae_.layers()->weights();
  std::ranges::fill(deaf.encoder.parameters, 0.0F);
  const models::Vae vae(deaf);
  const AttackedImage image{attacked_.row(0), clean_.row(0), shift_.row(0)};
  EXPECT_TRUE(attack_direction(vae, image, true_moves()).empty());
}

TEST_F(AttackDirection, LatentsThatMovedFarthestCountFirst) {
  const auto all = find(true_moves());
  EXPECT_EQ(find(true_moves(), {.latents = 1000}), all);  // which there are not
  const auto right_with_two = [&] {
    const auto up = find(true_moves(), {.latents = 2});
    int right = 0;
    for (std::size_t i = 0; i < up.size(); ++i) {
      right += (up[i] > 0.5F) == went_up(i) ? 1 : 0;
    }
    return right;
  };
  const int farthest = right_with_two();
  for (float& moved : shift_.flat()) {
    moved = 1.0F / moved;
  }
  EXPECT_GT(farthest, right_with_two());
}

TEST_F(AttackDirection, MovesThatAreNoNumbersTellNothing) {
  auto moves = true_moves();
  moves[1] = moves[2] = {0.0, 0.0};
  const auto without = find(moves);
  moves[1].up = moves[2].down = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(find(moves), without);
}

TEST_F(AttackDirection, SizesThatDoNotFitAreRefused) {
  expect_misuse([&] { static_cast<void>(find(std::vector<ExtremeMove>(3))); },
                {"[defences.attack_direction] expected moves and true image of 784 pixels, got 3 and 784"});
  shift_ = Matrix(1, kLatents + 1);
  expect_misuse([&] { static_cast<void>(find(true_moves())); },
                {"[defences.attack_direction] expected the shift of 8 latents, got 9"});
}

}  // namespace
}  // namespace vaeguard::defences
