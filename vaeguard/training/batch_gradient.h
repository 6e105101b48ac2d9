// An objective's value and gradient on a mini-batch: fixed chunks of rows on several threads, summed in a fixed order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/base/random.h"
#include "vaeguard/training/objective.h"

namespace vaeguard::training {

/// The source of a mini-batch's random numbers: image i uses fold i of each.
struct BatchKeys {
  Key noise;
  Key choices;
};

/// Holds the buffers of a mini-batch. Objective and networks are kept by reference and must outlive it. Results are the
/// same, bit for bit, for any number of threads.
class BatchGradient {
 public:
  BatchGradient(const Objective& objective, VaeNetworks networks, int threads);

  /// From the next call on.
  void set_likelihood(const models::Likelihood& likelihood) { networks_.likelihood = likelihood; }

  /// Adds the terms of the images `rows` to `sum`, chunk by chunk.
  void add_value(const Matrix& images, std::span<const std::int64_t> rows, const BatchKeys& keys, LossSum& sum);
  /// The same; also the gradient of their mean loss for the parameters of encoder, decoder and prior, valid until the
  /// next call.
  std::span<const float> add_value_and_gradient(const Matrix& images, std::span<const std::int64_t> rows,
                                                const BatchKeys& keys, LossSum& sum);

 private:
  void run(const Matrix& images, std::span<const std::int64_t> rows, const BatchKeys& keys, bool with_gradient,
           LossSum& sum);
  /// The coupled term of the first `chunks` chunks; writes its gradients to their workspaces.
  double couple(std::int64_t chunks, std::int64_t rows, bool with_gradient);
  [[nodiscard]] std::span<float> gradient_of(std::size_t chunk, bool with_gradient);

  const Objective& objective_;
  VaeNetworks networks_;
  int threads_;
  std::vector<ObjectiveChunk> chunks_;
  std::vector<std::vector<float>> gradients_;  // one per chunk
};

}  // namespace vaeguard::training
