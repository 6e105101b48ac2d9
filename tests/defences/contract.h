// What every defence owes, one function for each promise: for those of the registry, and for one that is being written.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "tests/defences/fixtures.h"
#include "tests/expect_misuse.h"
#include "vaeguard/defences/registry.h"

namespace vaeguard::defences {

/// Grey images of side x side pixels, so that filters have neighbours; with a pixel law, so that every observation
/// model works.
inline models::Vae image_vae(int side, int latents) {
  models::VaeWeights weights{.architecture = "small",
                             .encoder = {.inputs = {{1, side, side}}},
                             .decoder = {.inputs = {{latents, 1, 1}}},
                             .likelihood = {},
                             .pixel_law = std::make_shared<const models::PixelLaw>(models::made_up_law())};
  weights.encoder.add(networks::Operation::convolution, {.channels = 2 * latents, .kernel = side});
  weights.decoder.add(networks::Operation::transposed_convolution, {.channels = 1, .kernel = side});
  networks::randomise(weights.encoder, Key(41));
  networks::randomise(weights.decoder, Key(42));
  const auto bias = weights.encoder.bias(weights.encoder.layers.front());
  std::ranges::fill(bias.subspan(static_cast<std::size_t>(latents)), -2.0F);
  return models::Vae(weights);
}

inline constexpr int kSide = 6;
inline constexpr std::int64_t kImages = 5;

inline Prepared prepared(const DefenceEntry& entry, const Value& options = {}) {
  OptionReader reader(options, "test");
  Prepared result = prepare(entry, reader);
  reader.finish();
  return result;
}

inline std::unique_ptr<Defence> made(const DefenceEntry& entry) {
  return prepared(entry).make(std::string(entry.name), 0.1);
}

inline Inference infer(const DefenceEntry& entry, const models::Vae& vae, const Matrix& images,
                       std::span<const Key> keys, int threads = 1) {
  return made(entry)->infer(vae, images, keys, threads, silent_observer());
}

/// Row `row` of one is row `other_row` of the other, wherever both have rows.
inline void expect_same_row(const DefenceEntry& entry, const Inference& one, std::int64_t row, const Inference& other,
                            std::int64_t other_row) {
  for (const auto member : {&Inference::draw, &Inference::mean, &Inference::mean_reconstruction, &Inference::reencoded,
                            &Inference::draws}) {
    const Matrix& mine = one.*member;
    const Matrix& theirs = other.*member;
    ASSERT_EQ(mine.empty(), theirs.empty()) << entry.name;
    if (!mine.empty()) {
      EXPECT_TRUE(std::ranges::equal(mine.row(row), theirs.row(other_row))) << entry.name;
    }
  }
  for (const auto member :
       {&Inference::acceptance, &Inference::step_size, &Inference::divergences, &Inference::energy_drop,
        &Inference::spent, &Inference::kept, &Inference::touched, &Inference::radius, &Inference::rhat}) {
    const auto& mine = one.*member;
    const auto& theirs = other.*member;
    ASSERT_EQ(mine.empty(), theirs.empty()) << entry.name;
    if (!mine.empty()) {
      const double a = mine[static_cast<std::size_t>(row)];
      const double b = theirs[static_cast<std::size_t>(other_row)];
      EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b))) << entry.name << " " << a << " " << b;
    }
  }
}

inline void expect_same_result_in_any_batch(const DefenceEntry& entry) {
  const models::Vae vae = image_vae(kSide, 3);
  const Matrix images = level_images(kImages, kSide * kSide);
  const auto keys = make_keys(kImages);
  const std::vector<std::int64_t> order = {3, 0, 4, 2, 1};
  std::vector<Key> ordered_keys;
  std::ranges::transform(order, std::back_inserter(ordered_keys),
                         [&](std::int64_t row) { return keys[static_cast<std::size_t>(row)]; });
  const Inference whole = infer(entry, vae, images, keys, 1);
  const Inference threads = infer(entry, vae, images, keys, 3);
  const Inference ordered = infer(entry, vae, images.gather(order), ordered_keys, 2);
  const Inference alone = infer(entry, vae, images.slice(2, 1), std::span(keys).subspan(2, 1));
  expect_same_row(entry, alone, 0, whole, 2);
  for (std::int64_t row = 0; row < kImages; ++row) {
    expect_same_row(entry, threads, row, whole, row);
    expect_same_row(entry, ordered, row, whole, order[static_cast<std::size_t>(row)]);
  }
}

inline void expect_key_is_all_chance(const DefenceEntry& entry) {
  const models::Vae vae = image_vae(kSide, 3);
  const Matrix image = level_images(1, kSide * kSide);
  const Matrix twins = repeat_rows(image, 2);
  const std::vector<Key> same = {Key(1), Key(1)};
  const std::vector<Key> other = {Key(1), Key(2)};
  const Inference equal = infer(entry, vae, twins, same);
  expect_same_row(entry, equal, 0, equal, 1);
  // What a key decides it decides for its own row alone.
  expect_same_row(entry, infer(entry, vae, twins, other), 0, equal, 0);
  expect_misuse([&] { infer(entry, vae, twins, std::span(same).first(1)); }, {"keys must number 2", "got 1"});
}

inline void expect_one_shape(const DefenceEntry& entry) {
  const models::Vae vae = image_vae(kSide, 3);
  const Matrix images = level_images(kImages, kSide * kSide);
  const Inference inference = infer(entry, vae, images, make_keys(kImages));
  for (const Matrix* codes : {&inference.draw, &inference.mean}) {
    EXPECT_EQ(codes->rows(), kImages) << entry.name;
    EXPECT_EQ(codes->columns(), 3) << entry.name;
    EXPECT_THAT(codes->values(), testing::Each(testing::Truly([](float x) { return std::isfinite(x); })));
  }
  EXPECT_EQ(inference.mean_reconstruction.rows(), kImages) << entry.name;
  EXPECT_EQ(inference.mean_reconstruction.columns(), kSide * kSide) << entry.name;
  for (const auto* values : {&inference.acceptance, &inference.step_size, &inference.divergences,
                             &inference.energy_drop, &inference.spent, &inference.transitions, &inference.kept}) {
    EXPECT_THAT(values->size(), testing::AnyOf(0U, static_cast<std::size_t>(kImages))) << entry.name;
  }
  EXPECT_EQ(inference.radius.empty(), inference.touched.empty()) << entry.name;
  EXPECT_EQ(inference.draws.empty(), inference.chains == 0) << entry.name;
}

inline void expect_honest_cost(const DefenceEntry& entry) {
  const models::Vae vae = image_vae(kSide, 3);
  const Matrix images = level_images(kImages, kSide * kSide);
  const Inference inference = infer(entry, vae, images, make_keys(kImages));
  const double declared = prepared(entry).gradients;
  EXPECT_LE(inference.gradients, declared) << entry.name;
  EXPECT_THAT(inference.spent, testing::Each(testing::Le(declared))) << entry.name;
  EXPECT_EQ(inference.gradients > 0.0, declared > 0.0) << entry.name;
}

inline void expect_interruption_heard(const DefenceEntry& entry) {
  const models::Vae vae = image_vae(kSide, 3);
  const Matrix images = level_images(2, kSide * kSide);
  Impatient impatient;
  EXPECT_THROW(made(entry)->infer(vae, images, make_keys(2), 1, impatient), Interrupted) << entry.name;
}

inline void expect_runs_on_smallest_vae(const DefenceEntry& entry) {
  const models::Vae vae = image_vae(1, 1);
  const Inference inference = infer(entry, vae, Matrix(1, 1, 0.4F), make_keys(1));
  EXPECT_EQ(inference.mean.columns(), 1) << entry.name;
  EXPECT_TRUE(std::isfinite(inference.mean(0, 0))) << entry.name;
}

inline void expect_listed_is_read(const DefenceEntry& entry) {
  const Prepared usual = prepared(entry);
  Value listed;
  for (const Option& option : options_of(entry)) {
    EXPECT_NE(option.description, "") << entry.name << " " << option.key;
    EXPECT_NO_THROW(option.check("list", option.fallback)) << entry.name << " " << option.key;
    listed.set(option.key, option.fallback);
  }
  EXPECT_EQ(usual.options, listed) << entry.name;
  EXPECT_EQ(prepared(entry, usual.options).options, usual.options) << entry.name;
  EXPECT_EQ(made(entry)->name(), entry.name);
  EXPECT_FALSE(usual.knows_radius) << entry.name;
}

/// All of these.
inline void expect_contract(const DefenceEntry& entry) {
  expect_same_result_in_any_batch(entry);
  expect_key_is_all_chance(entry);
  expect_one_shape(entry);
  expect_honest_cost(entry);
  expect_interruption_heard(entry);
  expect_runs_on_smallest_vae(entry);
  expect_listed_is_read(entry);
}

}  // namespace vaeguard::defences
