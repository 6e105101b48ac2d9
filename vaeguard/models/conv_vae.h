// The paper's convolutional VAE (Kuzina, Welling and Tomczak 2022) for 28 x 28 images, and its like for other sizes.
#pragma once

#include "vaeguard/base/image_shape.h"
#include "vaeguard/base/random.h"
#include "vaeguard/models/likelihood.h"
#include "vaeguard/models/vae.h"

namespace vaeguard::models {

/// The paper's latent size.
inline constexpr std::int64_t kConvVaeLatentSize = 64;

/// The default likelihood for images with this many channels. One channel: Bernoulli. More: Gaussian with variance 1/(2
/// pi), so -log p = pi |x - m|^2. That is the Gaussian of the published code, whose log-variance is -log(2 pi). It
/// keeps the balance of reconstruction and divergence for which values of beta were published; a smaller variance would
/// mean another beta.
Likelihood usual_likelihood(std::int64_t channels);
/// The likelihood of the published runs: for colours the Bernoulli on clamped outputs, clamped_bernoulli.
Likelihood published_likelihood(std::int64_t channels);

/// For 28 x 28 images the paper's model. Encoder: four stride-2 convolutions C -> 32 -> 64 -> 96 -> 128 (28 -> 14 -> 7
/// -> 4 -> 2) and one to the latent (2 -> 1). The paper's two heads, for means and for log-variances, are one
/// convolution here: its first outputs are the means. Decoder: transposed convolutions 64 -> 128 -> 96 -> 64 -> 32 -> C
/// (1 -> 5 -> 7 -> 7 -> 14 -> 28), ReLU between, logits or means out. Parameters: 332,512 + 273,217 for one channel and
/// the paper's latent size.
///
/// For other sizes from 16 x 16 to 128 x 128, square or not, the same idea. Encoder: stride-2 convolutions C -> 32 ->
/// 64
/// -> 96 -> 128 -> 128 and so on until both sides are at most 2, and one to the latent, which ends at 1 x 1 from 2 x 2,
/// 2 x 1 and 1 x 2 alike. Decoder: a transposed convolution 1 -> 4, then stride-2 ones that double up to the power of
/// two that covers the larger side, with the encoder's channels in reverse (64 x 64: 128, 96, 64, 32, C at 4, 8, 16,
/// 32, 64), and a crop to the image where that is smaller.
///
/// Weights are Xavier-normal draws from `key`, each head with its own fan-in and fan-out; biases are zero. Throws
/// Misuse for an image of any other size or without channels, and unless there is a latent.
VaeWeights conv_vae(ImageShape image, const Likelihood& likelihood, Key key,
                    std::int64_t latent_size = kConvVaeLatentSize);

}  // namespace vaeguard::models
