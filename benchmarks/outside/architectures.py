# The architectures of the models that are tried, as plain sequences of PyTorch's layers with the weights put in.
"""An encoder takes images [N, C, H, W] to one output of 2 D numbers, or to two of D; a decoder takes codes [N, D] to
mean images. Both are written from the shapes of the weights and the layers that the models' authors name."""

import torch
from torch import nn


def filled(layers, state, names):
    """The sequence `layers` with tensors of `state`: the k-th layer with parameters takes those of the k-th name."""
    module = nn.Sequential(*layers).eval().requires_grad_(False)
    hungry = [layer for layer in module if any(True for _ in layer.parameters())]
    if len(hungry) != len(names):
        raise ValueError(f"{len(hungry)} layers have parameters, {len(names)} names are given")
    for layer, name in zip(hungry, names):
        own = {key: state[f"{name}.{key}"] for key in layer.state_dict() if key != "num_batches_tracked"}
        missing = layer.load_state_dict(own, strict=False).missing_keys
        assert set(missing) <= {"num_batches_tracked"}, missing
    return module


class Shaped(nn.Module):
    """[N, ...] -> [N, *shape]; torch.onnx.export of PyTorch 1.13 has no nn.Unflatten."""

    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, values):
        return values.view(-1, *self.shape)


class TwoHeads(nn.Module):
    """A trunk and two layers that read it: means and log-variances."""

    def __init__(self, trunk, mean, log_variance):
        super().__init__()
        self.trunk, self.mean, self.log_variance = trunk, mean, log_variance

    def forward(self, image):
        shared = self.trunk(image)
        return self.mean(shared), self.log_variance(shared)


def dense(state, name):
    outputs, inputs = state[f"{name}.weight"].shape
    return nn.Linear(inputs, outputs)


def two_heads(trunk, state, mean, log_variance):
    return TwoHeads(trunk, *(filled([dense(state, name)], state, [name]) for name in (mean, log_variance)))


def burgess(state):
    """Four (64 pixels) or three (32) convolutions 4x4 with stride 2 and 32 channels, two hidden layers of 256, means
    and log-variances in turns; the decoder is its mirror image (Burgess et al. 2018)."""
    channels = state["encoder.conv1.weight"].shape[1]
    deep = "encoder.conv_64.weight" in state
    convolutions = ["conv1", "conv2", "conv3"] + ["conv_64"] * deep
    encoder = []
    for k in range(len(convolutions)):
        encoder += [nn.Conv2d(channels if k == 0 else 32, 32, 4, 2, 1), nn.ReLU()]
    hidden = ["lin1", "lin2"]
    encoder += [nn.Flatten(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 20)]
    decoder = [nn.Linear(10, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(),
               Shaped(32, 4, 4)]
    transposed = ["convT_64"] * deep + ["convT1", "convT2", "convT3"]
    for k in range(len(transposed)):
        last = k + 1 == len(transposed)
        decoder += [nn.ConvTranspose2d(32, channels if last else 32, 4, 2, 1), nn.Sigmoid() if last else nn.ReLU()]
    return (filled(encoder, state, [f"encoder.{name}" for name in [*convolutions, *hidden, "mu_logvar_gen"]]),
            filled(decoder, state, [f"decoder.{name}" for name in [*hidden, "lin3", *transposed]]))


def normalised(state):
    """Four convolutions 4x4 with stride 2, each with batch normalisation and a leaky ReLU of slope 0.2, 32 latents."""
    widths = [3, 32, 32, 64, 64]
    encoder, decoder = [], [nn.Linear(32, 1024), nn.ReLU(), Shaped(64, 4, 4)]
    for inputs, outputs in zip(widths, widths[1:]):
        encoder += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]
    back = widths[::-1]
    for inputs, outputs in zip(back, back[1:]):
        decoder += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)]
        decoder += [nn.Sigmoid()] if outputs == 3 else [nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]
    trunk = filled([*encoder, nn.Flatten()], state, ["e1", "bn1", "e2", "bn2", "e3", "bn3", "e4", "bn4"])
    return (two_heads(trunk, state, "fc1", "fc2"),
            filled(decoder, state, ["d1", "d2", "bn6", "d3", "bn7", "d4", "bn8", "d5"]))


def strided(state):
    """Three convolutions 3x3 with stride 2, batch normalisation and a leaky ReLU of slope 0.01; back with an output
    padding of 1, no normalisation after the last."""
    latents = state["decoder.lin1.weight"].shape[1]
    encoder, decoder = [], [nn.Linear(latents, 8192), Shaped(128, 8, 8)]
    for inputs, outputs in ((1, 32), (32, 64), (64, 128)):
        encoder += [nn.Conv2d(inputs, outputs, 3, 2, 1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.01)]
    for inputs, outputs in ((128, 64), (64, 32), (32, 1)):
        decoder += [nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, output_padding=1)]
        decoder += [nn.Sigmoid()] if outputs == 1 else [nn.BatchNorm2d(outputs), nn.LeakyReLU(0.01)]
    trunk = filled([*encoder, nn.Flatten()], state,
                   [f"encoder.{kind}{k}" for k in (1, 2, 3) for kind in ("conv", "bn")])
    names = ["decoder.lin1", "decoder.conv1", "decoder.bn1", "decoder.conv2", "decoder.bn2", "decoder.conv3"]
    return two_heads(trunk, state, "encoder.proj_mu", "encoder.proj_log_var"), filled(decoder, state, names)


def fully_connected(state):
    """784 pixels to 20 latents through one hidden layer of 400, or through two of 450 and 200."""
    deep = "fc11.weight" in state
    there, back = ["fc1"] + ["fc11"] * deep, ["fc3"] + ["fc33"] * deep
    encoder, decoder = [nn.Flatten()], []
    for name in there:
        encoder += [dense(state, name), nn.ReLU()]
    for name in back:
        decoder += [dense(state, name), nn.ReLU()]
    decoder += [dense(state, "fc4"), nn.Sigmoid(), Shaped(1, 28, 28)]
    return (two_heads(filled(encoder, state, there), state, "fc21", "fc22"), filled(decoder, state, [*back, "fc4"]))


class TwoLevelEncoder(nn.Module):
    """Of (z2, e) where z1 = d(z2) + e. q(z1|x) q(z2|z1) is no Gaussian of x; z2 is read here from the mean of z1."""

    def __init__(self, lower, upper, prior_mean):
        super().__init__()
        self.lower, self.upper, self.prior_mean = lower, upper, prior_mean

    def forward(self, image):
        mean1, log_variance1 = self.lower(image)
        mean2, log_variance2 = self.upper(mean1)
        mean = torch.cat([mean2, mean1 - self.prior_mean(mean2)], 1)
        return mean, torch.cat([log_variance2, log_variance1], 1)


class TwoLevelDecoder(nn.Module):
    """(z2, e) -> p(x|z1), z1 = d(z2) + e. The prior N(z2; 0, I) N(z1; d(z2), I) is a standard normal of (z2, e), so
    this is the two-level model itself."""

    def __init__(self, prior_mean, lower):
        super().__init__()
        self.prior_mean, self.lower = prior_mean, lower

    def forward(self, code):
        return self.lower(self.prior_mean(code[:, :20]) + code[:, 20:])


def two_level(state):
    """q(z1|x), q(z2|z1), p(z1|z2) = N(d(z2), I) and p(x|z1), each with one hidden layer of 100, both levels of 20."""
    def encoder(level, start):
        name = f"encoders.{level}"
        trunk = filled([*start, dense(state, f"{name}.linear"), nn.ReLU()], state, [f"{name}.linear"])
        return two_heads(trunk, state, f"{name}.linear_mu", f"{name}.linear_logvar")

    def decoder(level, end):
        names = [f"decoders.{level}.linear_1", f"decoders.{level}.linear_2"]
        return filled([dense(state, names[0]), nn.ReLU(), dense(state, names[1]), *end], state, names)

    prior_mean = decoder(1, [])
    lower = decoder(0, [nn.Sigmoid(), Shaped(1, 28, 28)])
    return TwoLevelEncoder(encoder(0, [nn.Flatten()]), encoder(1, []), prior_mean), TwoLevelDecoder(prior_mean, lower)


class Halves(nn.Module):
    """A module's 2 D outputs as two of D."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, image):
        return self.module(image).chunk(2, 1)


def pooled(encoder_state, decoder_state):
    """Convolutions 5x5 with pooling, two latents; back with doubled pixels before transposed convolutions."""
    encoder = [nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(10, 20, 5), nn.MaxPool2d(2), nn.ReLU(),
               nn.Flatten(), nn.Linear(320, 50), nn.ReLU(), nn.Linear(50, 4)]
    decoder = [nn.Linear(2, 50), nn.ReLU(), nn.Linear(50, 320), nn.ReLU(), Shaped(20, 4, 4),
               nn.Upsample(scale_factor=2), nn.ConvTranspose2d(20, 10, 5), nn.ReLU(), nn.Upsample(scale_factor=2),
               nn.ConvTranspose2d(10, 1, 5), nn.Sigmoid()]
    return (Halves(filled(encoder, encoder_state, [f"encoder.{name}" for name in ("conv1", "conv2", "fc1", "fc2")])),
            filled(decoder, decoder_state, [f"0.{name}" for name in ("fc2", "fc1", "convT2", "convT1")]))
