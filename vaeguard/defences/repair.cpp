// Repair as a defence.
#include "vaeguard/defences/repair.h"

#include "vaeguard/base/error.h"

namespace vaeguard::defences {
namespace {

class RepairDefence : public Defence {
 public:
  explicit RepairDefence(const RepairOptions& options) : options_(options) { validate(options); }
  [[nodiscard]] std::string_view name() const override { return options_.name; }
  [[nodiscard]] Inference infer(const models::Vae& vae, const Matrix& images, std::span<const Key> keys, int threads,
                                Observer& observer) const override {
    check_keys("defences.repair", images, keys);
    if (observer.interrupted()) {
      throw Interrupted{};
    }
    const Repaired repaired = repair(vae, images, options_.reading, options_.passes, threads);
    Inference result;
    result.draw = models::sample(repaired.encoding, keys);
    result.mean = repaired.encoding.mean;
    result.mean_reconstruction = vae.decode(result.mean, threads);
    result.radius = repaired.radii(options_.reading);
    result.touched = repaired.touched();
    return result;
  }

 private:
  RepairOptions options_;
};

}  // namespace

void validate(const RepairOptions& options) {
  if (options.passes < 0) {
    misuse("defences.repair", "passes must be at least 0, got {}", options.passes);
  }
  validate(options.reading);
}

std::unique_ptr<Defence> make_repair(const RepairOptions& options) { return std::make_unique<RepairDefence>(options); }

}  // namespace vaeguard::defences
