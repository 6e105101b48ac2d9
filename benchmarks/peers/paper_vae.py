# The paper's convolutional VAE as its authors formulate it, for the peers of this folder: transposed convolutions and a
# sigmoid at the end.
import torch
from torch import nn

LATENT = 64


def make_encoder():
    """Trunk, head of means and head of log-variances, of one channel."""
    trunk = nn.Sequential(
        nn.Conv2d(1, 32, 3, 2, 1), nn.ReLU(),
        nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(),
        nn.Conv2d(64, 96, 3, 2, 1), nn.ReLU(),
        nn.Conv2d(96, 128, 3, 2, 1), nn.ReLU(),
    )
    encoder = trunk, nn.Conv2d(128, LATENT, 3, 2, 1), nn.Conv2d(128, LATENT, 3, 2, 1)
    assert sum(p.numel() for part in encoder for p in part.parameters()) == 332_512
    return encoder


def encode(encoder, images):
    """Means and log-variances, each [B, 64]."""
    trunk, mean_head, log_variance_head = encoder
    features = trunk(images)
    return mean_head(features).flatten(1), log_variance_head(features).flatten(1)


def make_decoder(channels):
    """From latents [B, 64, 1, 1] to probabilities [B, channels, 28, 28]."""
    decoder = nn.Sequential(
        nn.ConvTranspose2d(LATENT, 128, 3, dilation=2), nn.ReLU(),
        nn.ConvTranspose2d(128, 96, 3), nn.ReLU(),
        nn.ConvTranspose2d(96, 64, 3, padding=1), nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(),
        nn.ConvTranspose2d(32, channels, 4, 2, 1), nn.Sigmoid(),
    )
    assert channels != 1 or sum(p.numel() for p in decoder.parameters()) == 273_217
    return decoder


def log_likelihood(probabilities, images):
    """The Bernoulli log-likelihood of clamped probabilities, [B]."""
    probabilities = probabilities.clamp(1e-5, 1 - 1e-5)
    by_pixel = images * torch.log(probabilities) + (1 - images) * torch.log(1 - probabilities)
    return by_pixel.flatten(1).sum(1)
