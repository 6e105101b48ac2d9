// The halves of a VAE of one level: its encoder and its decoder are a function each, of layers or of anything else.
#pragma once

#include <memory>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/models/generative.h"
#include "vaeguard/models/likelihood.h"
#include "vaeguard/models/prior.h"
#include "vaeguard/models/recognition.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::models {

/// q(z|x) of an encoder that takes an image to 2 D numbers, D means then D log-variances. `latents` is the shape of a
/// code of D numbers. Throws Misuse unless the sizes fit, as does the other half.
std::shared_ptr<const Recognition> pair_recognition(std::shared_ptr<const networks::DifferentiableFunction> encoder,
                                                    ImageShape image, ImageShape latents);

/// p(x|z) p(z) of a decoder that takes D latents to the likelihood's parameters, one for each pixel.
std::shared_ptr<const Generative> pair_generative(std::shared_ptr<const networks::DifferentiableFunction> decoder,
                                                  std::shared_ptr<const Prior> prior, ImageShape image,
                                                  ImageShape latents, const Likelihood& likelihood);

}  // namespace vaeguard::models
