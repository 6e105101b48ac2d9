// The encoder alone.
#include "vaeguard/base/error.h"
#include "vaeguard/defences/entry.h"

namespace vaeguard::defences {
namespace {

struct UndefendedOptions {
  std::string name = "none";
};

void validate(const UndefendedOptions& /*options*/) {}

class Undefended : public Defence {
 public:
  [[nodiscard]] std::string_view name() const override { return "none"; }
  [[nodiscard]] Inference infer(const models::Vae& vae, const Matrix& images, std::span<const Key> keys, int threads,
                                Observer& observer) const override {
    check_keys("defences.undefended", images, keys);
    if (observer.interrupted()) {
      throw Interrupted{};
    }
    const models::Encoding encoding = vae.encode(images, threads);
    Inference result;
    result.draw = vae.sample(images, encoding, keys);
    result.mean = encoding.mean;
    result.mean_reconstruction = vae.decode(encoding.mean, threads);
    return result;
  }
};

}  // namespace

void check_keys(std::string_view place, const Matrix& images, std::span<const Key> keys) {
  if (static_cast<std::int64_t>(keys.size()) != images.rows()) {
    misuse(place, "keys must number {}, one an image, got {}", images.rows(), keys.size());
  }
}

std::unique_ptr<Defence> make_undefended() { return std::make_unique<Undefended>(); }

DefenceEntries undefended_entries() {
  static const OptionSchema<UndefendedOptions> schema;
  return {defence_entry<UndefendedOptions>(
      {.name = "none", .title = "None", .description = "The encoder's mean, as the model would use it."}, {}, schema,
      [](const UndefendedOptions& /*options*/) { return make_undefended(); })};
}

}  // namespace vaeguard::defences
