// The authors' loop against an independent recomputation (tools/make_golden_published_attack.py), and its options.
#include "vaeguard/attacks/published.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/attacks/fixtures.h"
#include "vaeguard/base/error.h"

namespace vaeguard::attacks {
namespace {

nlohmann::json golden() {
  std::ifstream file(VAEGUARD_SOURCE_DIR "/tests/golden/published_attack.json");
  return nlohmann::json::parse(file);
}

Matrix matrix_of(const nlohmann::json& values, std::int64_t rows) {
  auto flat = values.get<std::vector<float>>();
  const auto columns = static_cast<std::int64_t>(flat.size()) / rows;
  return {rows, columns, std::move(flat)};
}

Target golden_target(const nlohmann::json& data) {
  const auto references = data["references"].get<std::vector<std::vector<float>>>();
  const auto pixels = static_cast<std::int64_t>(references[0].size());
  const auto latents = data["latents"].get<std::int64_t>();
  networks::LayerGraph graph{.inputs = {{pixels, 1, 1}}};
  graph.add(networks::Operation::convolution, {.channels = 2 * latents});
  std::ranges::copy(data["encoder_weight"].get<std::vector<float>>(), graph.weight(graph.layers[0]).begin());
  std::ranges::copy(data["encoder_bias"].get<std::vector<float>>(), graph.bias(graph.layers[0]).begin());
  Matrix images(static_cast<std::int64_t>(references.size()), pixels);
  for (std::size_t i = 0; i < references.size(); ++i) {
    std::ranges::copy(references[i], images.row(static_cast<std::int64_t>(i)).begin());
  }
  const auto bias = data["classifier_bias"].get<std::vector<float>>();
  networks::LayerGraph decoder{.inputs = {{latents, 1, 1}}};
  decoder.add(networks::Operation::convolution, {.channels = pixels});
  return {std::make_shared<const models::Vae>(models::VaeWeights{"golden", graph, decoder, {}}),
          images,
          {matrix_of(data["classifier_weight"], static_cast<std::int64_t>(bias.size())), bias}};
}

TEST(PublishedAttack, EqualsAnIndependentRecomputation) {
  const auto data = golden();
  const Target target = golden_target(data);
  for (const auto& expected : data["cases"]) {
    const auto& options = expected["options"];
    const Published attack({.iterations = options["iterations"],
                            .step = options["step"],
                            .start_deviation = expected["start_deviation"],
                            .patience = options["patience"],
                            .factor = options["factor"],
                            .threshold = options["threshold"]});
    const auto goal = target.goal(expected["goal"].get<std::string>());
    const Objective objective(*target.victim, *goal);
    std::vector<Key> keys;
    for (const auto& row : expected["rows"]) {
      keys.emplace_back(row["key"].get<std::uint64_t>());
    }
    const auto result = attack(objective, target.references, Threat{.radius = expected["radius"]}, keys);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto& row = expected["rows"][i];
      // Encodings are float here and double there: 50 steps of an expanding map amplify 1e-7 by less than 100.
      EXPECT_THAT(result.adversarial.slice(static_cast<std::int64_t>(i), 1).values(),
                  testing::Pointwise(testing::FloatNear(1e-5F), row["adversarial"].get<std::vector<float>>()))
          << expected["goal"] << " row " << i;
      EXPECT_NEAR(result.objective[i], row["objective"].get<double>(), 1e-5);
    }
  }
}

TEST(PublishedAttack, StaysInsideTheDarkestAndBrightestPixelOfItsReference) {
  const Target target = linear_target(5);
  const AttackResult result = run(Published(), target, "encoder_skl", Threat{.radius = 1.0});
  for (std::int64_t i = 0; i < 5; ++i) {
    // x + (low - x) may miss low by one rounding.
    const auto [low, high] = std::ranges::minmax(target.references.row(i));
    EXPECT_THAT(result.adversarial.slice(i, 1).values(),
                testing::Each(testing::AllOf(testing::Ge(low - 1e-7F), testing::Le(high + 1e-7F))));
  }
}

TEST(PublishedAttack, StartsAtTheReferenceForClassifierGoalsAsTheAuthorsDid) {
  const auto start = [](std::string_view goal) {
    return dynamic_cast<const Published&>(*make_attack("published", goal)).options().start_deviation;
  };
  EXPECT_EQ(start("encoder_skl"), 0.2);
  EXPECT_EQ(start("classifier_ce"), 0.0);
}

TEST(PublishedAttack, BadOptionsAreNamed) {
  EXPECT_THAT([] { Published({.step = NAN}); },
              testing::ThrowsMessage<Misuse>("[attacks.published] step must be a number above 0, got nan"));
  EXPECT_THROW(Published({.iterations = 0}), Misuse);
  EXPECT_THROW(Published({.start_deviation = -1.0}), Misuse);
  EXPECT_THROW(Published({.patience = -1}), Misuse);
  EXPECT_THROW(Published({.factor = 1.0}), Misuse);
  EXPECT_THROW(Published({.threshold = -0.1}), Misuse);
}

}  // namespace
}  // namespace vaeguard::attacks
