// The skeleton of docs/guide/add-a-defence.md, compiled and run; the page must show exactly what stands here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/defences/contract.h"
#include "tests/shown_code.h"

// [page: defence]
// The mean code of noisy copies of an image, which depends less on any single pixel.
#include "vaeguard/base/parallel.h"
#include "vaeguard/defences/entry.h"

namespace vaeguard::defences {
namespace {

struct NoisyCopiesOptions {
  std::string name = "noisy_copies";
  int copies = 16;
  double deviation = 0.1;  // of the noise of a pixel
};

const OptionSchema<NoisyCopiesOptions>& noisy_copies_schema() {
  static const auto schema =
      OptionSchema<NoisyCopiesOptions>()
          .integer("copies", &NoisyCopiesOptions::copies, at_least(1), "of each image that are encoded")
          .number("deviation", &NoisyCopiesOptions::deviation, at_least(0.0), "of the noise of a pixel");
  return schema;
}

void validate(const NoisyCopiesOptions& options) { noisy_copies_schema().check("defences.noisy_copies", options); }

class NoisyCopies : public Defence {
 public:
  explicit NoisyCopies(const NoisyCopiesOptions& options) : options_(options) { validate(options); }
  [[nodiscard]] std::string_view name() const override { return options_.name; }

  [[nodiscard]] Inference infer(const models::Vae& vae, const Matrix& images, std::span<const Key> keys, int threads,
                                Observer& observer) const override {
    check_keys("defences.noisy_copies", images, keys);
    Inference result;
    result.mean = Matrix(images.rows(), vae.latent_size());
    parallel_chunks(images.rows(), 1, threads, [&](std::int64_t image, std::int64_t /*count*/) {
      if (observer.interrupted()) {
        throw Interrupted{};
      }
      const Matrix codes = vae.encode(noisy(images, image, keys[static_cast<std::size_t>(image)])).mean;
      for (std::int64_t row = 0; row < codes.rows(); ++row) {
        for (std::int64_t d = 0; d < codes.columns(); ++d) {
          result.mean(image, d) += codes(row, d) / static_cast<float>(codes.rows());
        }
      }
    });
    result.draw = result.mean;  // there is no other estimate
    result.mean_reconstruction = vae.decode(result.mean, threads);
    return result;
  }

 private:
  // [copies, C*H*W]; all randomness comes from the image's key, folded by purpose.
  [[nodiscard]] Matrix noisy(const Matrix& images, std::int64_t image, const Key& key) const {
    Matrix copies(options_.copies, images.columns());
    fill_normal(key.fold("noisy copies"), copies.flat());
    for (std::int64_t row = 0; row < copies.rows(); ++row) {
      for (std::int64_t pixel = 0; pixel < copies.columns(); ++pixel) {
        copies(row, pixel) = images(image, pixel) + static_cast<float>(options_.deviation) * copies(row, pixel);
      }
    }
    return copies;
  }

  NoisyCopiesOptions options_;
};

std::unique_ptr<Defence> make_noisy_copies(const NoisyCopiesOptions& options) {
  return std::make_unique<NoisyCopies>(options);
}

}  // namespace

DefenceEntries noisy_copies_entries() {
  return {defence_entry<NoisyCopiesOptions>({.name = "noisy_copies",
                                             .title = "Noisy copies",
                                             .description = "The mean of the codes of noisy copies of the image."},
                                            {}, noisy_copies_schema(), make_noisy_copies)};
}

}  // namespace vaeguard::defences
// [end]

namespace vaeguard::defences {
namespace {

TEST(DefenceSkeleton, ThePageShowsTheCodeThatIsCompiledHere) {
  const std::string page = text_of("/docs/guide/add-a-defence.md");
  const std::string source = text_of("/tests/defences/skeleton_test.cpp");
  EXPECT_EQ(between(page, "<!-- defence -->\n```cpp", "```"), between(source, "// [page: defence]", "// [end]"));
}

TEST(DefenceSkeleton, KeepsTheContract) { expect_contract(noisy_copies_entries().front()); }

TEST(DefenceSkeleton, WithoutNoiseItIsTheEncodersMean) {
  const models::Vae vae = image_vae(kSide, 3);
  const Matrix images = level_images(2, kSide * kSide);
  const auto defence = prepared(noisy_copies_entries().front(), Value::Table{{"deviation", 0.0}}).make("quiet", 0.0);
  const Inference inference = defence->infer(vae, images, make_keys(2), 1, silent_observer());
  const Matrix means = vae.encode(images).mean;
  for (std::size_t i = 0; i < means.values().size(); ++i) {
    EXPECT_NEAR(inference.mean.values()[i], means.values()[i], 1e-5F);
  }
}

TEST(DefenceSkeleton, BadOptionsAreNamed) {
  expect_misuse(
      [] {
        prepared(noisy_copies_entries().front(), Value::Table{{"copies", 0}});
      },
      {"copies must be a whole number of at least 1, got 0"});
}

}  // namespace
}  // namespace vaeguard::defences
