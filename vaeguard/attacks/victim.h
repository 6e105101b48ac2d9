// What an attacker climbs through: a differentiable map from images to the encodings that goals read.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/random.h"
#include "vaeguard/models/recognition.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::attacks {

/// A model under attack, with whatever defends it. n images of P pixels, D latents. Safe to call from many threads with
/// a tape each; a row's result depends on its image and its key alone.
class Victim {
 public:
  virtual ~Victim() = default;
  /// P.
  [[nodiscard]] virtual std::int64_t image_size() const = 0;
  /// D; outputs have 2 D columns, means then log-variances.
  [[nodiscard]] virtual std::int64_t latent_size() const = 0;
  /// Whether it draws random numbers, so that each row needs a key.
  [[nodiscard]] virtual bool random() const { return false; }
  [[nodiscard]] virtual std::unique_ptr<networks::Tape> make_tape() const = 0;
  /// Images [n, P] -> outputs [n, 2 D] (resized), recorded on `tape`. Row b draws its random numbers from keys[b], the
  /// same ones at every call; where nothing is random, keys may be empty.
  virtual void forward(const Matrix& images, std::span<const Key> keys, Matrix& outputs,
                       networks::Tape& tape) const = 0;
  /// Pulls the gradient at the outputs of the last forward on `tape` back to the images [n, P] (resized).
  virtual void backward(const Matrix& output_gradients, Matrix& image_gradients, networks::Tape& tape) const = 0;
};

/// The encoder alone. Keeps a reference: `recognition` must outlive it.
class UndefendedVictim : public Victim {
 public:
  explicit UndefendedVictim(const models::Recognition& recognition) : recognition_(recognition) {}
  [[nodiscard]] std::int64_t image_size() const override { return recognition_.image().size(); }
  [[nodiscard]] std::int64_t latent_size() const override { return recognition_.latents().size(); }
  [[nodiscard]] std::unique_ptr<networks::Tape> make_tape() const override { return recognition_.make_tape(); }
  void forward(const Matrix& images, std::span<const Key> keys, Matrix& outputs, networks::Tape& tape) const override;
  void backward(const Matrix& output_gradients, Matrix& image_gradients, networks::Tape& tape) const override;

 private:
  const models::Recognition& recognition_;
};

}  // namespace vaeguard::attacks
