// A further pass through the encoder, of images other than the training ones, with its memory.
#pragma once

#include <memory>

#include "vaeguard/base/matrix.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::training {

/// Kept from step to step; the tape is made at the first use.
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
};

}  // namespace vaeguard::training
