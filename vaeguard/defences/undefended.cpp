// The encoder alone.
#include "vaeguard/defences/defence.h"

namespace vaeguard::defences {
namespace {

class Undefended : public Defence {
 public:
  [[nodiscard]] std::string_view name() const override { return "none"; }
  [[nodiscard]] Inference infer(const models::Vae& vae, const Matrix& images, std::span<const Key> keys, int threads,
                                Observer& /*observer*/) const override {
    const models::Encoding encoding = vae.encode(images, threads);
    Inference result;
    result.draw = models::sample(encoding, keys);
    result.mean = encoding.mean;
    result.mean_reconstruction = vae.decode(encoding.mean, threads);
    return result;
  }
};

}  // namespace

std::unique_ptr<Defence> make_undefended() { return std::make_unique<Undefended>(); }

}  // namespace vaeguard::defences
