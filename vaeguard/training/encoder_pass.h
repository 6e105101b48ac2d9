// A further pass through the encoder, of images other than the training ones, with its buffers.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "vaeguard/base/matrix.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::training {

/// Reused from step to step; the tape is created at first use.
struct EncoderPass {
  std::unique_ptr<networks::Tape> tape;
  Matrix images;             // [B, C*H*W]
  Matrix encoded;            // [B, 2 D]
  Matrix encoded_gradients;  // [B, 2 D]
  Matrix image_gradients;    // [B, C*H*W]

  /// Encodes `images`.
  void forward(const networks::Network& encoder) {
    if (tape == nullptr) {
      tape = encoder.make_tape();
    }
    encoder.forward(images, encoded, *tape);
    encoded_gradients.resize(encoded.rows(), encoded.columns());
  }

  /// After forward: the sum over rows of divergence(code [2 D], code here [2 D], gradient [2 D], gradient here [2 D]).
  /// Adds its gradients to those of the codes [B, 2 D] and, through the pass, to the encoder's; none if `gradient` is
  /// empty.
  template <typename Divergence>
  double compare(const networks::TrainableNetwork& encoder, const Matrix& codes, const Divergence& divergence,
                 Matrix& code_gradients, std::span<float> gradient) {
    std::vector<float> own(static_cast<std::size_t>(codes.columns()));
    double sum = 0.0;
    for (std::int64_t b = 0; b < codes.rows(); ++b) {
      sum += divergence(codes.row(b), encoded.row(b), std::span(own), encoded_gradients.row(b));
      if (!gradient.empty()) {
        std::ranges::transform(code_gradients.row(b), own, code_gradients.row(b).begin(), std::plus{});
      }
    }
    if (!gradient.empty()) {
      encoder.backward_parameters(encoded_gradients, nullptr, gradient, *tape);
    }
    return sum;
  }
};

}  // namespace vaeguard::training
